"""A class for every object of an image: what its pixels say, seen with what is around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class, numbered
from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import Cancelled, LabelError, ParameterError, ShapeError
from stroma.metrics.categories import category_scores
from stroma.targets.instances import boxes
from stroma.training.feeding.open import as_image, named, without_channel
from stroma.training.feeding.resample import CUBIC
from stroma.training.feeding.windows import Cube, cube, read_mirrored, shape_of
from stroma.training.predicting.predict import reader
from stroma.training.predicting.predictor import NetworkPredictor
from stroma.training.predicting.sweep import Trained, outer_axes

HELD = 2**26
"""Pixels of a plane or volume that is read at once; of larger ones what is around each object."""

Key = tuple[int, int]
"""Time and number of an object."""

Tell = Callable[[int, int], None]


def around_object(box: Cube, sides: Sequence[int]) -> Cube:
    """Return the box of some sides with an object in its middle; it may reach beyond the image."""
    starts = [(s.start + s.stop - n) // 2 for s, n in zip(box, sides, strict=True)]
    return cube(starts, sides)


def require_of_objects(network: Trained, given: bool, **unused: bool) -> None:
    """Refuse objects where there is nothing to say of them, and what is of whole images.

    Parameters
    ----------
    network : Network
        Predicts.
    given : bool
        Whether there are objects.
    **unused : bool
        Whether each option for images that are looked at block by block is given, by its name.

    Raises
    ------
    ParameterError
        Naming what is missing, or the first that is of no use.
    """
    if not network.of_objects:
        raise ParameterError(
            f"objects= goes with a network that learned classes of objects, and this one finds "
            f"{network.target.result}."
        )
    if not given:
        raise ParameterError(
            "This network learned classes of objects: objects= is their label image."
        )
    for name in (name for name, on in unused.items() if on):
        raise ParameterError(
            f"{name}= goes with networks that look at the whole image, and this one looks at what "
            "is around every object. Leave it out."
        )


def classed(
    network: Trained, image: Image, objects: Any, classes: Sequence[Class], **how: Any
) -> ObjectTable:
    """Return the table of the objects of an image with their classes.

    Parameters
    ----------
    network, image
        As for `find_object_classes`, which ``how`` goes to.
    objects : array-like, path or Image
        Their numbers, with the image's axes unless it names its own.
    classes : sequence of Class
        In the order of the channels.
    """
    axes = None if named(objects) else image.kept_axes.replace("c", "")
    numbers = without_channel(as_image(objects, axes=axes))
    keys, shares = find_object_classes(network, image, numbers, **how)
    return object_table(keys, shares, classes, framed="t" in numbers.sizes)


def find_object_classes(
    network: Trained,
    image: Image,
    objects: Image,
    *,
    mirror: bool | None = None,
    device: str = "auto",
    cancel: Callable[[], bool] | None = None,
    tell: Tell | None = None,
) -> tuple[list[Key], NDArray[np.float64]]:
    """Return the objects of an image, and how probable the classes are for each.

    A network of planes looks at every plane of an object; the mean over all its pixels decides.
    What is around an object is seen on pixels of the size that the network learned from.

    Parameters
    ----------
    network : Network
        Of a target of categories that are those of objects.
    image : Image
        As ``network.open`` returns it.
    objects : Image
        Their numbers, on the pixels of the image.
    mirror, device, cancel
        As for `stroma.training.predicting.sweep.swept`; asked before every object.
    tell : callable, optional
        Is told how many objects (planes of them) are ready, and of how many.

    Returns
    -------
    list of (int, int), (n, K) float array
        Time (0 where there is one) and number, ascending; probabilities in the order of channels.
    """
    require_objects(objects, image)
    predictor = network.predictor(image, mirror=mirror, device=device)
    outer = {a: n for a, n in image.sizes.items() if a in outer_axes(network.ndim)}
    places = [dict(zip(outer, at, strict=True)) for at in np.ndindex(*outer.values())]
    every = [(place, boxes(objects.at(**place).read())) for place in places]
    total, done = sum(len(found) for _, found in every), 0
    sums: dict[Key, NDArray[np.float64]] = {}
    for place, found in every:
        seen = _Plane(predictor, image.at(**place), objects.at(**place).read())
        for number, box in found:
            if cancel is not None and cancel():
                raise Cancelled("Classing the objects was cancelled.")
            key = place.get("t", 0), number
            sums[key] = sums.get(key, 0.0) + seen.evidence(number, box)
            done += 1
            if tell is not None:
                tell(done, total)
    keys = sorted(sums)
    means = [(sums[key][:-1] / sums[key][-1]).astype(np.float32) for key in keys]
    shares = [network.target.decode(mean) for mean in means]
    return keys, np.array(shares, float).reshape(len(keys), len(network.target.channels()))


class _Plane:
    """A plane or volume with the numbers of its objects, and what predicts it.

    It is seen as by `core_of`: what is filled of it, on pixels of the size that was learned from.
    """

    def __init__(
        self, predictor: NetworkPredictor, image: Image, labels: NDArray[np.integer[Any]]
    ) -> None:
        assert predictor.first is None, "cascades learn classes of pixels"
        self.predictor, self.labels = predictor, labels
        crop = predictor.crop or cube((0,) * labels.ndim, labels.shape)
        self.starts, self.old = [s.start for s in crop], shape_of(crop)
        axes = image.kept_axes[-labels.ndim :]
        part = image.at(**dict(zip(axes, crop, strict=True))) if predictor.crop else image
        self.read = reader(_held(part), labels.ndim)
        self.new, grid = self.old, predictor.grid
        if grid is not None:
            self.new, self.read = grid.new, partial(grid.read, self.read, order=CUBIC)
        self.places = [self._places(axis) for axis in range(labels.ndim)]

    def _places(self, axis: int) -> NDArray[np.intp]:
        """Return the pixel that is seen for every pixel of the image along an axis, ascending."""
        middles = np.arange(self.labels.shape[axis]) - self.starts[axis] + 0.5
        return np.asarray(np.floor(middles * self.new[axis] / self.old[axis]), np.intp)

    def evidence(self, number: int, box: Cube) -> NDArray[np.float64]:
        """Return the sums of all channels over the pixels of an object, and how many these are.

        These are pixels of the image, whatever the size of those that are seen.
        """
        window = around_object(self._seen(box), self.predictor.patch)
        values = self.predictor.window(read_mirrored(self.read, self.new, window))
        both = list(zip(self.places, window, strict=True))
        part = tuple(slice(*np.searchsorted(p, (s.start, s.stop))) for p, s in both)
        own = self.labels[part] == number
        if not own.any():  # a ring around more than is seen at once
            own = np.ones_like(own)
        at = np.ix_(*(p[k] - s.start for (p, s), k in zip(both, part, strict=True)))
        seen = values[(slice(None), *at)][:, own]
        if not own.size:  # within a pixel of the image that is larger than all that is seen
            seen = values.reshape(len(values), -1)
        return np.append(seen.sum(1, dtype=np.float64), seen.shape[1])

    def _seen(self, box: Cube) -> Cube:
        """Return the pixels that are seen for a box of the image."""
        return tuple(
            slice((s.start - a) * m // n, -((a - s.stop) * m // n))
            for s, a, m, n in zip(box, self.starts, self.new, self.old, strict=True)
        )


def _held(image: Image) -> Image:
    """Return an image whose pixels are in memory, unless there are too many."""
    if prod(image.shape) > HELD:
        return image
    return Image(image.read(), image.kept_axes, source=image.source)


def require_objects(objects: Image, image: Image) -> None:
    """Refuse label images that are none of an image's objects.

    Raises
    ------
    ShapeError, LabelError
        Saying what does not fit.
    """
    sizes = {a: n for a, n in image.sizes.items() if a != "c"}
    if dict(objects.sizes) != sizes:
        raise ShapeError(
            f"The objects have axes and sizes {dict(objects.sizes)}, their image {sizes}. They "
            "belong to each other pixel by pixel; check that the pair is right."
        )
    if objects.dtype.kind not in "iub":
        raise LabelError(
            f"Objects are whole numbers, one for each, and {objects.source or 'the label image'} "
            f"holds values of type {objects.dtype}. Give the label image, not probabilities."
        )


def object_table(
    keys: Sequence[Key],
    shares: NDArray[np.float64],
    classes: Sequence[Class],
    *,
    framed: bool,
) -> ObjectTable:
    """Return the class of every object as a table.

    Parameters
    ----------
    keys, shares
        From `find_object_classes`.
    classes : sequence of Class
        In the order of the channels.
    framed : bool
        Whether there is a column of times.

    Returns
    -------
    ObjectTable
        "label", "t", "class", "class_name", "class_probability", and "uncertainty": 0 (sure) to 1
        (two classes are as probable).
    """
    best = shares.argmax(1) if len(shares) else np.zeros(0, np.intp)
    ordered = np.sort(shares, axis=1)
    times, numbers = np.array(keys, np.int64).reshape(-1, 2).T
    return ObjectTable(
        {
            LABEL: numbers,
            **({"t": times} if framed else {}),
            "class": np.array([c.label for c in classes], np.int64)[best],
            "class_name": np.array([c.name for c in classes], dtype=np.str_)[best],
            "class_probability": shares.max(axis=1, initial=0.0),
            "uncertainty": 1 - (ordered[:, -1] - ordered[:, -2]),
        }
    )


def class_scores(
    tables: Sequence[ObjectTable], known: Sequence[Mapping[int, str]], classes: Sequence[Class]
) -> dict[str, float]:
    """Return how many objects got their class, of those whose class is known.

    Parameters
    ----------
    tables : sequence of ObjectTable
        From `object_table`, of every image.
    known : sequence of mapping of int to str
        Names of classes by numbers of objects, of every image.
    classes : sequence of Class
        All that there are.
    """
    found: list[int] = []
    truth: list[str] = []
    for table, own in zip(tables, known, strict=True):
        for number, label in zip(table[LABEL].tolist(), table["class"].tolist(), strict=True):
            if number in own:
                found.append(label)
                truth.append(own[number])
    return category_scores(found, numbered(truth, classes), labels=[c.label for c in classes])
