"""Classes of objects as what is learned from: what is around each object, with its class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import named_in_order, numbered
from stroma.data.image import Image
from stroma.errors import LabelError, ParameterError
from stroma.targets import TARGETS
from stroma.targets.instances import boxes
from stroma.training.feeding.cases import UNKNOWN
from stroma.training.feeding.open import COLOURS, as_colours, as_image, named, without_channel
from stroma.training.feeding.resample import pixel_size
from stroma.training.feeding.windows import Cube, inside, shape_of
from stroma.training.predicting.each_object import HELD, Key, around_object, require_objects
from stroma.training.predicting.sweep import outer_axes
from stroma.workflow.learning.pairs import Given, paired, said_of
from stroma.workflow.measuring.known_classes import classes_file, kinds_of

if TYPE_CHECKING:
    from stroma.training.learning.learner import Learner
    from stroma.training.model import Network

AROUND = 2.0
"""So many times the extent of a large object is the side of what is seen with it."""

LARGE = 0.9
"""The share of objects that are no larger than a large one."""

SIDES = {"z": (8, 32), "y": (32, 256), "x": (32, 256)}
"""Least and most pixels of a side, which is a multiple of the least."""

MORE = 1.25
"""So many times as wide is what patches are cut from: they are turned, and not always centred."""

MOST = 4000
"""Objects of a class that are learned from; of more, some by chance."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image, its objects, and the names of the classes of some.

    Parameters
    ----------
    image, objects : Image
        On the same pixels.
    kinds : mapping of (int, int) to str
        By time (0 where there is one) and number of the object.
    """

    image: Image
    objects: Image
    kinds: Mapping[Key, str]


def with_object_classes(
    learner: Learner, images: Any, objects: Any, classes: Any, *, base: Network | None = None
) -> tuple[Learner, Given]:
    """Return how to learn, and what is around every object with the class of its pixels.

    Parameters
    ----------
    learner : Learner
        Of the target "classify".
    images, objects : folder, image, path, or list of these
        Label images pair with images as labels do.
    classes : folder, or list, or one of what lists hold
        Of every image a table of labelled objects (see `read_clicks`), marks or a label image of
        classes, of which an object has the most frequent; or names by number of the object.
    base : Network, optional
        What the training begins with.

    Raises
    ------
    ParameterError, ShapeError, LabelError, MissingFileError
        Saying what does not fit, and what to give.
    """
    if TARGETS[learner.target].truth != "category":
        raise ParameterError(
            f"objects= goes with target='classify', which learns classes of objects; "
            f"{learner.target!r} learns to find {TARGETS[learner.target].truth}."
        )
    if classes is None:
        raise ParameterError(
            "Classes of objects are learned from labels: for every image a table with the columns "
            "label and class, or marks of QuPath or ImageJ on some objects."
        )
    many, numbers = paired(images, objects)
    known = said_of(many, classes, "classes of objects", classes_file)
    every = _opened(many, numbers, known, axes=learner.axes, base=base)
    ndim = base.ndim if base is not None else learner.ndim or 2
    found = list(_planes(every, ndim))
    if not found:
        raise LabelError("No object of any image has a class. Label objects of two classes.")
    found = _scaled(found, learner, base)
    patch = _patch(learner, found, base)
    kept = _some(found, learner.seed)
    kinds = base.classes if base is not None else named_in_order(one.kind for one in kept)
    labels = numbered([one.kind for one in kept], kinds)
    pairs = [one.cut(label, patch) for one, label in zip(kept, labels, strict=True)]
    data = Given([image for image, _ in pairs], [own for _, own in pairs], classes=tuple(kinds))
    if base is None:
        options = {**learner.target_options, "objects": True}
        learner = replace(learner, patch=patch, target_options=options)
    return learner, data


@dataclass(frozen=True, eq=False)
class _Seen:
    """An object on a plane or in a volume.

    Parameters
    ----------
    image : Image
        Axes (c), (z), y, x.
    labels : (*space) int array
        All objects there.
    number : int
        Of this one.
    box : Cube
        Around it.
    kind : str
        Its class.
    ratio : tuple of float
        So many pixels of the image are one of those that are learned from, along every axis.
    """

    image: Image
    labels: NDArray[np.integer[Any]]
    number: int
    box: Cube
    kind: str
    ratio: tuple[float, ...]

    @property
    def extents(self) -> list[float]:
        """Sides of its box in pixels that are learned from."""
        return [n / r for n, r in zip(shape_of(self.box), self.ratio, strict=True)]

    def cut(self, label: int, patch: Sequence[int]) -> tuple[Image, NDArray[np.int32]]:
        """Return what is around it, and its class on its own pixels; -1 elsewhere."""
        sides = [ceil(MORE * n * r) for n, r in zip(patch, self.ratio, strict=True)]
        window = inside(around_object(self.box, sides), self.labels.shape)
        axes = "zyx"[-len(window) :]
        own = self.labels[window] == self.number
        if not own.any():  # a ring around more than is seen at once
            own = np.ones_like(own)
        cut = self.image.at(**dict(zip(axes, window, strict=True)))
        return cut, np.where(own, label, UNKNOWN).astype(np.int32)


def _opened(
    images: Sequence[Any],
    objects: Sequence[Any],
    classes: Sequence[Any],
    *,
    axes: str | None,
    base: Network | None,
) -> list[Labelled]:
    """Return images, read, with their objects and classes."""
    several = [as_image(one, axes=axes) for one in images]
    if base is not None:
        several = [base.open(one) for one in several]
    elif {one.sizes.get("c", 1) for one in several} == {1, COLOURS}:
        several = [as_colours(one) for one in several]
    found = []
    for image, own, known in zip(several, objects, classes, strict=True):
        space = image.kept_axes.replace("c", "")
        numbers = without_channel(as_image(own, axes=None if named(own) else space))
        require_objects(numbers, image)
        kinds = kinds_of(known, numbers, () if base is None else base.classes)
        found.append(Labelled(_held(image), numbers, kinds))
    return found


def _held(image: Image) -> Image:
    """Return an image in memory, unless it is large: it is read again in every step."""
    if image.selection or prod(image.shape) > HELD:
        return image
    return replace(image, array=image.read())


def _planes(every: Sequence[Labelled], ndim: int) -> Iterator[_Seen]:
    """Yield the objects with a class, plane by plane (or volume by volume)."""
    for one in every:
        outer = {a: n for a, n in one.image.sizes.items() if a in outer_axes(ndim)}
        for at in np.ndindex(*outer.values()):
            place = dict(zip(outer, at, strict=True))
            labels = one.objects.at(**place).read()
            for number, box in boxes(labels):
                kind = one.kinds.get((place.get("t", 0), number))
                if kind is not None:
                    same = (1.0,) * len(box)
                    yield _Seen(one.image.at(**place), labels, number, box, kind, same)


def _scaled(found: Sequence[_Seen], learner: Learner, base: Network | None) -> list[_Seen]:
    """Return objects that know which pixels are learned from: of a network, or the median."""
    ndim, unit = len(found[0].box), found[0].image.unit
    if base is not None:
        unit = base.about.unit
    own = [pixel_size(one.image, ndim, unit) if unit else None for one in found]
    known = [size for size in own if size is not None]
    to = base.about.spacing if base is not None else np.median(known or [(1.0,) * ndim], axis=0)
    if len(known) < len(found) or not len(to) or not learner.resample:
        return list(found)
    return [
        replace(one, ratio=tuple((np.array(to) / np.array(size)).tolist()))
        for one, size in zip(found, known, strict=True)
    ]


def _patch(learner: Learner, found: Sequence[_Seen], base: Network | None) -> tuple[int, ...]:
    """Return the sides of what is seen of an image with an object in its middle."""
    if base is not None:
        return base.about.patch
    axes = len(found[0].box)
    if learner.patch is not None and len(learner.patch) != axes:
        raise ParameterError(
            f"patch has one side per axis, {axes} here (ndim), got {list(learner.patch)}."
        )
    if learner.patch is not None:
        return tuple(learner.patch)
    extents = np.quantile([one.extents for one in found], LARGE, axis=0)
    wanted = AROUND * np.append(extents[:-2], np.repeat(extents[-2:].max(), 2))
    bounds = [SIDES[a] for a in "zyx"[-axes:]]
    pairs = zip(wanted.tolist(), bounds, strict=True)
    return tuple(int(min(most, max(1, ceil(n / least)) * least)) for n, (least, most) in pairs)


def _some(found: list[_Seen], seed: int) -> list[_Seen]:
    """Return objects, of a class of very many some by chance."""
    rng = np.random.default_rng([seed, 2])
    kept: list[int] = []
    for kind in sorted({one.kind for one in found}):
        own = [i for i, one in enumerate(found) if one.kind == kind]
        kept += rng.permutation(own)[:MOST].tolist() if len(own) > MOST else own
    return [found[i] for i in sorted(kept)]
