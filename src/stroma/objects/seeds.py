"""Seeds of an object to carve: strokes or points, checked to fit an image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stroma.errors import LabelError, ParameterError, ShapeError

Places = NDArray[np.int64]
Shape = tuple[int, ...]

BACKGROUND, OBJECT = 1, 2
"""Labels of strokes."""


@dataclass(frozen=True, eq=False)
class Seeds:
    """Pixels of strokes: (n,) places in the flat image, and their labels 1 or 2."""

    places: Places
    labels: NDArray[np.uint8]

    def of(self, label: int) -> Places:
        """Return the places of one label."""
        found: Places = self.places[self.labels == label]
        return found


def read_seeds(seeds: Any, shape: Shape) -> Seeds:
    """Return strokes (an array) or points (a mapping) as seeds.

    Raises
    ------
    ShapeError, LabelError, ParameterError
        If they do not fit an image of that shape, or one of both labels is missing.
    """
    if isinstance(seeds, Mapping):
        found = _of_points(seeds, shape)
    else:
        found = _of_strokes(np.asarray(seeds), shape)
    for label, what in ((BACKGROUND, "background"), (OBJECT, "the object")):
        if not len(found.of(label)):
            raise LabelError(
                f"There is no stroke on {what}. Draw one with label {label}; 1 is background, "
                "2 the object."
            )
    return found


def _of_strokes(strokes: NDArray[Any], shape: Shape) -> Seeds:
    if strokes.shape != shape:
        raise ShapeError(
            f"Strokes have the shape of the image without channels, {shape}; got {strokes.shape}."
        )
    places = np.flatnonzero(strokes)
    labels = strokes.ravel()[places]
    _check_labels(np.unique(labels).tolist())
    return Seeds(places, labels.astype(np.uint8))


def _of_points(points: Mapping[int, ArrayLike], shape: Shape) -> Seeds:
    _check_labels(points)
    known = [(label, _places(given, shape)) for label, given in sorted(points.items())]
    places = np.concatenate([p for _, p in known] or [np.empty(0, np.int64)])
    labels = np.repeat([label for label, _ in known], [len(p) for _, p in known])
    return Seeds(places, labels.astype(np.uint8))


def _places(given: ArrayLike, shape: Shape) -> Places:
    points = np.asarray(given, np.float64)
    points = points[None] if points.ndim == 1 and points.size else points
    if not points.size:
        return np.empty(0, np.int64)
    if points.ndim != 2 or points.shape[1] != len(shape):
        raise ShapeError(
            f"Points of this image are (n, {len(shape)}), got shape {np.shape(given)}."
        )
    pixels = np.rint(points)
    inside = ((pixels >= 0) & (pixels < shape)).all(axis=1)
    if not inside.all():
        told = ", ".join(f"{v:g}" for v in points[~inside][0])
        raise ParameterError(f"The point ({told}) lies outside the image of {shape}.")
    return np.asarray(np.ravel_multi_index(tuple(pixels.astype(np.int64).T), shape), np.int64)


def _check_labels(labels: Iterable[Any]) -> None:
    wrong = [label for label in labels if label not in (BACKGROUND, OBJECT)]
    if wrong:
        raise LabelError(
            f"Strokes to carve with are 1 (background) and 2 (the object), got {wrong[0]!r}."
        )
