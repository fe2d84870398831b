"""From what users give to cases: images with labels, checked before anything is learned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stroma.data.image import Image
from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.io.pictures.png import read_indices
from stroma.io.points import read_points
from stroma.targets.contract import Facts, Truth
from stroma.training.feeding.cases import UNKNOWN, Case, label_array, require_same_space
from stroma.training.feeding.numbered import require_objects
from stroma.training.feeding.open import COLOURS, as_colours, as_image
from stroma.training.feeding.shares import Shares


def cases_of(
    images: Any,
    labels: Any,
    *,
    truth: Truth = "classes",
    ndim: int | None = None,
    ignore: int | Sequence[int] = (),
    regions: Any = None,
    axes: str | None = None,
) -> list[Case]:
    """Return one case per plane (or volume) of every image.

    Of grey and colour images together, the grey ones are given equal colours.

    Parameters
    ----------
    images : image, or list of images
        Arrays, paths or `Image`.
    labels : the same number of labels
        For "classes" and "instances" label images of the same size, or None for an image without;
        several for one image, as a tuple, are laid over one another, 0 covering nothing; `Shares`
        of classes where they are not sure. For
        "points" arrays (n, ndim) of pixels, or CSV files of them with columns y, x (z). For
        "image" images, for "category" the number of a class, or an array that has it where it
        counts and -1 elsewhere.
    truth : {"classes", "instances", "points", "image", "category"}
        What labels are.
    ndim : {2, 3}, optional
        Whether planes or volumes are learned from; planes, unless given.
    ignore : int or sequence of int
        Labels of pixels that nobody knows.
    regions : list of images, optional
        Not 0 where an image is annotated; everything else is ignored.
    axes : str, optional
        Axes of images, where files and arrays do not name them.

    Raises
    ------
    ParameterError, ShapeError, LabelError
        Saying what does not fit, and what to do.
    """
    pairs = _paired(images, labels, "labels")
    masks = [None] * len(pairs) if regions is None else _listed(regions)
    if len(masks) != len(pairs):
        raise ParameterError(
            f"There are {len(pairs)} images and {len(masks)} regions; give one for each image."
        )
    ignored = [ignore] if isinstance(ignore, int | np.integer) else list(ignore)

    def made(*, colours: bool) -> list[Case]:
        found: list[Case] = []
        for number, ((image, known), mask) in enumerate(zip(pairs, masks, strict=True), start=1):
            maker = _Maker(_name(image, number), truth, ndim or 2, ignored, axes, colours)
            found += maker.cases(image, known, mask)
        return found

    found = made(colours=False)
    if {case.channels for case in found} == {1, COLOURS}:
        found = made(colours=True)
    _require_alike(found)
    return found


class _Maker:
    """Cases of one image."""

    def __init__(
        self,
        name: str,
        truth: Truth,
        ndim: int,
        ignore: Sequence[int],
        axes: str | None,
        colours: bool,
    ) -> None:
        self.name, self.truth, self.ndim, self.ignore, self.axes = name, truth, ndim, ignore, axes
        self.colours = colours

    def cases(self, image: Any, known: Any, mask: Any) -> list[Case]:
        opened = self._image(image, known)
        if self.colours:
            opened = as_colours(opened)
        if self.ndim == 3 and "z" not in opened.sizes:
            raise ShapeError(f"{self.name} has axes {opened.kept_axes!r}; a volume has z, y and x.")
        outer = {a: n for a, n in opened.sizes.items() if a in ("tz" if self.ndim == 2 else "t")}
        space = tuple(n for a, n in opened.sizes.items() if a != "c")
        whole = self._known(known, space, opened)
        if mask is not None:
            whole = self._within(whole, mask, space)
        shares = known if isinstance(known, Shares) else None
        positions = list(product(*map(range, outer.values())))
        many = len(positions) > 1
        return [
            self._case(opened, dict(zip(outer, at, strict=True)), whole, shares, many=many)
            for at in positions
        ]

    def _image(self, image: Any, known: Any) -> Image:
        """Open an image; the number of axes of its labels says whether it has channels."""
        first = known[0] if isinstance(known, tuple) else known
        shape = getattr(first, "shape", None)
        plain = hasattr(image, "shape") and not isinstance(image, Image)
        if (
            plain
            and self.axes is None
            and shape is not None
            and self.truth in ("classes", "instances")
        ):
            space = tuple(shape)
            letters = {2: "yx", 3: "zyx", 4: "tzyx"}.get(len(space), "")
            if tuple(image.shape) == space:
                return as_image(image, axes=letters)
            if letters and tuple(image.shape[1:]) == space:
                order = "tczyx" if letters == "tzyx" else f"c{letters}"
                if order == f"c{letters}":
                    return as_image(image, axes=order)
            if letters and tuple(image.shape[:-1]) == space:
                return as_image(image, axes=f"{letters}c")
        return as_image(image, axes=self.axes)

    def _known(self, known: Any, space: tuple[int, ...], image: Image) -> Any:
        if self.truth == "points":
            return _points(known, self.name)
        if self.truth == "image":
            other = as_image(known)
            sides = tuple(n for a, n in other.sizes.items() if a != "c")
            require_same_space(sides, space, "the image to learn has", self.name)
            return other
        if known is None:
            return np.full(space, UNKNOWN, np.int32)
        if isinstance(known, Shares):
            require_same_space(known.shape, space, "its labels have", self.name)
            likely = known.likely(unknown=UNKNOWN)
            return np.where(np.isin(likely, self.ignore), np.int32(UNKNOWN), likely)
        if self.truth == "category":
            return np.broadcast_to(np.asarray(known, np.int32), space)
        several = known if isinstance(known, tuple) else (known,)
        layers = [self._labels(one, space) for one in several]
        result = layers[0]
        for layer in layers[1:]:
            result = np.where(layer != 0, layer, result)
        return result

    def _labels(self, known: Any, space: tuple[int, ...]) -> NDArray[np.int32]:
        values, source = label_values(known, self.name)
        if values.ndim > len(space):
            values = values.reshape([n for n in values.shape if n != 1] or [1])
        if values.ndim == len(space) - 1 and values.shape == space[1:] and space[0] == 1:
            values = values[None]
        require_same_space(values.shape, space, "its labels have", self.name)
        return label_array(values, self.ignore, source)

    def _within(self, known: Any, mask: Any, space: tuple[int, ...]) -> Any:
        if self.truth not in ("classes", "instances"):
            raise ParameterError(
                "regions go with labels of pixels; for points and images, cut out the annotated "
                "part of each image."
            )
        values, _ = label_values(mask, f"the region of {self.name}")
        require_same_space(values.shape, space, "its region has", self.name)
        return np.where(values != 0, known, UNKNOWN)

    def _case(
        self, image: Image, at: dict[str, int], known: Any, shares: Any, *, many: bool
    ) -> Case:
        plane = image.at(**at)
        where = " ".join(f"{a}={i}" for a, i in at.items())
        case = Case(f"{self.name} {where}" if many else self.name, plane, self.ndim)
        position = tuple(at.values())
        if self.truth == "image":
            return replace(case, other=known.at(**at))
        if self.truth == "points":
            return replace(case, points=_points_at(known, position, self.ndim, self.name))
        if shares is not None:
            shares = shares[position].within(known[position] != UNKNOWN)
        return replace(case, labels=np.ascontiguousarray(known[position]), shares=shares)


def label_values(known: Any, name: str) -> tuple[NDArray[Any], str]:
    """Return the values of a label image, and what messages call it."""
    if isinstance(known, str | Path):
        path = Path(known)
        if path.suffix.lower() == ".png":
            indices = read_indices(path)
            if indices is not None:
                return indices, str(path)
        return _without_colours(as_image(path), str(path)), str(path)
    if isinstance(known, Image):
        return _without_colours(known, known.source or name), known.source or name
    return np.asarray(known), f"The label image of {name}"


def _without_colours(image: Image, source: str) -> NDArray[Any]:
    """Return the values of a label image; grey ones that were saved as colours are taken."""
    values = image.read()
    if image.sizes.get("c", 1) == 1:
        return values[image.kept_axes.index("c")] if "c" in image.sizes else values
    axis = image.kept_axes.index("c")
    first: NDArray[Any] = values.take(0, axis=axis)
    if (values == np.expand_dims(first, axis)).all():
        return first
    raise LabelError(
        f"{source} has {image.sizes['c']} channels or colours; a label image has one. Save the "
        "labels themselves, not a picture of them."
    )


def _points(known: Any, name: str) -> NDArray[np.float64]:
    if isinstance(known, str | Path):
        return read_points(Path(known))
    found = np.asarray(known, float)
    if found.ndim != 2 or found.shape[1] not in (2, 3):
        raise ShapeError(
            f"The points of {name} are an array (n, 2) of y, x or (n, 3) of z, y, x in pixels; "
            f"got shape {found.shape}."
        )
    return found


def _points_at(
    points: NDArray[np.float64], position: tuple[int, ...], ndim: int, name: str
) -> NDArray[np.float64]:
    """Return the points of one plane: by z, where they have it and planes are learned from."""
    if points.shape[1] == ndim:
        if position and max(position) > 0:
            raise ShapeError(f"The points of {name} need z, as the image has several planes.")
        return points
    if ndim == 2 and points.shape[1] == 3:
        z = position[-1] if position else 0
        return points[np.rint(points[:, 0]) == z, 1:]
    raise ShapeError(f"The points of {name} have {points.shape[1]} axes; {ndim} are needed.")


def facts_of(cases: Sequence[Case], truth: Truth) -> Facts:
    """Return what is known of all labels together.

    Raises
    ------
    LabelError
        If nothing is labelled, or objects have no numbers of their own.
    """
    first = cases[0]
    axes = first.image.kept_axes[-first.ndim :]
    spacing = tuple(float(first.image.spacing.get(a, 1.0)) for a in axes)
    if truth == "points":
        if not any(len(c.points) for c in cases if c.points is not None):
            raise LabelError("No image has a point. Give positions of some, or other files.")
        return Facts(first.ndim, spacing=spacing, diameters=_apart(cases))
    if truth == "image":
        assert first.other is not None
        return Facts(first.ndim, spacing=spacing, channels=first.other.sizes.get("c", 1))
    counts: dict[int, int] = {}
    diameters: list[float] = []
    for case in cases:
        assert case.labels is not None
        values, numbers = np.unique(case.labels, return_counts=True)
        for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
            if value != UNKNOWN:
                counts[value] = counts.get(value, 0) + number
                if value > 0 and truth == "instances":
                    diameters.append(_diameter(number, case.ndim))
    if not counts or (truth == "instances" and not diameters):
        raise LabelError(
            "The labels are empty: nothing is labelled in any image. Check that the label files "
            "are the right ones, and what is ignored."
        )
    if truth == "instances":
        require_objects(cases, {value for value in counts if value > 0})
    return Facts(first.ndim, counts, spacing, tuple(sorted(diameters)))


def _apart(cases: Sequence[Case]) -> tuple[float, ...]:
    """Return the distance of every point to the nearest other one of its image, ascending."""
    found: list[float] = []
    for case in cases:
        if case.points is not None and len(case.points) > 1:
            found += cKDTree(case.points).query(case.points, 2)[0][:, 1].tolist()
    return tuple(sorted(found))


def foreground_of(cases: Sequence[Case], *, most: int = 1_000_000) -> list[NDArray[np.float64]]:
    """Return, per channel, a sample of the intensities of labelled pixels (above 0).

    Where no pixels are labelled (points, images), of all pixels.
    """
    rng = np.random.default_rng(1234)
    found = []
    for case in cases:
        values = case.read(case.area).reshape(case.channels, -1).astype(np.float64)
        inside = None if case.labels is None else np.flatnonzero(case.labels[case.area] > 0)
        places = np.arange(values.shape[1]) if inside is None or not len(inside) else inside
        count = max(1, most // len(cases))
        chosen = places if len(places) <= count else rng.choice(places, count, replace=False)
        found.append(values[:, chosen])
    return list(np.concatenate(found, axis=1))


def _diameter(pixels: int, ndim: int) -> float:
    """Return the diameter of a disk or ball of that many pixels."""
    if ndim == 2:
        return float(2 * np.sqrt(pixels / np.pi))
    return float(2 * np.cbrt(pixels * 3 / (4 * np.pi)))


def is_bare(case: Case) -> bool:
    """Tell whether nothing is known of a case."""
    return case.labels is not None and bool((case.labels[case.area] == UNKNOWN).all())


def fingerprint(cases: Iterable[Case]) -> str:
    """Return a hash of names, sizes and labels of cases, and of a sample of their pixels."""
    digest = hashlib.sha256()
    for case in cases:
        digest.update(f"{case.name} {case.shape} {case.channels}".encode())
        if case.labels is not None:
            digest.update(np.ascontiguousarray(case.labels).tobytes())
        if case.shares is not None:
            digest.update(np.ascontiguousarray(case.shares.values).tobytes())
        if case.points is not None:
            digest.update(case.points.tobytes())
        digest.update(repr(case.statistics.mean).encode())
    return digest.hexdigest()


def _paired(images: Any, labels: Any, what: str) -> list[tuple[Any, Any]]:
    many, known = _listed(images), _listed(labels)
    if not many:
        raise ParameterError("There are no images to learn from. Give at least one.")
    if len(many) != len(known):
        raise ParameterError(
            f"There are {len(many)} images and {len(known)} {what}; give one for each image, in "
            "the same order."
        )
    return list(zip(many, known, strict=True))


def _listed(data: Any) -> list[Any]:
    return list(data) if isinstance(data, list) else [data]


def _name(image: Any, number: int) -> str:
    if isinstance(image, str | Path):
        return Path(image).name
    if isinstance(image, Image) and image.source:
        return Path(image.source).name
    return f"image {number}"


def _require_alike(cases: Sequence[Case]) -> None:
    counts = {case.channels for case in cases}
    if len(counts) > 1:
        first = next(c for c in cases if c.channels != cases[0].channels)
        raise ShapeError(
            f"All images have the same channels: {cases[0].name} has {cases[0].channels}, "
            f"{first.name} has {first.channels}. Convert some, or choose channels of each."
        )
