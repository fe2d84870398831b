"""Images without the part all around that holds nothing, as nnU-Net crops them.

A pixel holds nothing where all channels are 0. What is left is the smallest box around all others;
in a stack, or a series in time, one box for all of its planes, or volumes.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from stroma.data.cut import CutArray
from stroma.data.image import Image
from stroma.training.feeding.cases import Case
from stroma.training.feeding.windows import Cube, shape_of

READ = 4_000_000
"""Pixels that are read at once."""

_known: weakref.WeakKeyDictionary[Image, dict[str, Cube]] = weakref.WeakKeyDictionary()


def filled_box(image: Image, ndim: int) -> Cube:
    """Return the smallest box with all pixels of the whole image in which some channel is not 0.

    Everything, where no pixel is filled, or where the image was cut along y or x (z) before. Read
    once, and remembered as long as the image is.

    Parameters
    ----------
    image : Image
        Planes or volumes, or a stack or series of them.
    ndim : {2, 3}
        Last axes that the box is of.
    """
    axes = image.kept_axes[-ndim:]
    cut = any(not isinstance(i, int) for a, i in image.selection.items() if a in axes)
    if cut or len(axes) < ndim:
        return tuple(slice(0, n) for n in image.shape[-ndim:])
    chosen = {a: i for a, i in image.selection.items() if a == "c"}
    known = _known.setdefault(image.whole, {})
    key = f"{axes} {chosen}"
    if key not in known:
        known[key] = _box(image.whole.at(**chosen), axes)
    return known[key]


def is_whole(box: Cube, shape: Sequence[int]) -> bool:
    """Tell whether a box is all of an image."""
    return shape_of(box) == tuple(shape)


def cropped(image: Image, box: Cube) -> Image:
    """Return what of an image lies in a box of its last axes, as an image of its own.

    Reads nothing. Statistics of it are those of the part that is left.
    """
    axes = image.kept_axes[-len(box) :]
    cut = image.whole.at(**dict(zip(axes, box, strict=True)))
    made = replace(image.whole, array=CutArray(cut), levels=(), read_with=None)
    return made.at(**{a: i for a, i in image.selection.items() if a not in axes})


def has_background(cases: Sequence[Case]) -> bool:
    """Tell whether 0 is a class, which is that of what holds nothing."""
    return any(case.labels is not None and bool((case.labels == 0).any()) for case in cases)


def cropped_cases(cases: Sequence[Case]) -> tuple[list[Case], float]:
    """Return cases with classes, cropped, and the median share of their pixels that is left.

    A case with a class above 0 in its empty part keeps that part.
    """
    boxes = [_kept(case) for case in cases]
    pairs = list(zip(cases, boxes, strict=True))
    share = float(np.median([prod(shape_of(b)) / prod(c.shape) for c, b in pairs]))
    return [_cropped(case, box) for case, box in pairs], share


def _kept(case: Case) -> Cube:
    box = filled_box(case.image, case.ndim)
    assert case.labels is not None, "classes are cropped"
    outside = case.labels > 0
    outside[box] = False
    whole = tuple(slice(0, n) for n in case.shape)
    return whole if outside.any() else box


def _cropped(case: Case, box: Cube) -> Case:
    if is_whole(box, case.shape):
        return case
    assert case.labels is not None, "classes are cropped"
    labels = np.ascontiguousarray(case.labels[box])
    shares = None if case.shares is None else case.shares[box]
    return replace(case, image=cropped(case.image, box), labels=labels, shares=shares)


def _box(image: Image, axes: str) -> Cube:
    """Return the smallest box; reads everything, some rows at a time."""
    found = {a: np.zeros(image.sizes[a], bool) for a in axes}
    for part in _parts(image):
        values = image.read(part)
        mask: NDArray[np.bool_] = np.asarray(values != 0)
        if "c" in image.kept_axes:
            mask = np.asarray(mask.any(axis=image.kept_axes.index("c")))
        kept = image.kept_axes.replace("c", "")
        for axis, seen in found.items():
            others = tuple(i for i, a in enumerate(kept) if a != axis)
            seen[part.get(axis, slice(None))] |= mask.any(axis=others)
    return tuple(_range(seen) for seen in found.values())


def _parts(image: Image) -> Iterator[dict[str, slice]]:
    outer = [a for a in image.kept_axes if a in "tz"]
    rows = max(1, READ // image.sizes["x"])
    for position in product(*(range(image.sizes[a]) for a in outer)):
        plane = {a: slice(i, i + 1) for a, i in zip(outer, position, strict=True)}
        for top in range(0, image.sizes["y"], rows):
            yield {**plane, "y": slice(top, top + rows)}


def _range(seen: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(seen)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, len(seen))
