"""What an engine for prompts is, and the prompts it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stroma.errors import ParameterError, ShapeError

Embedding = Mapping[str, NDArray[Any]]
"""What an engine knows of an image, as plain arrays."""

Answer = tuple[NDArray[np.bool_], NDArray[np.float32]]
"""Masks (n, *space), the best first, and their scores (n,) from 0 to 1, which do not rise."""

OBJECT, REST = 1, 2
"""Values of strokes: on the object, and beside it."""


@dataclass(frozen=True, eq=False)
class Prompts:
    """What the user said of one object, checked.

    Parameters
    ----------
    points : (n, d) float64
        Places in pixels, in the order of the axes (y, x or z, y, x).
    labels : (n,) bool
        Whether each lies on the object.
    boxes : (k, 2, d) float64
        First and last corner of boxes that each hold a part of the object; it ends within them.
    mask : (*space) bool or None
        What the object was taken for before.
    strokes : (*space) uint8 or None
        1 on the object, 2 beside it, 0 where nothing is said.
    """

    points: NDArray[np.float64]
    labels: NDArray[np.bool_]
    boxes: NDArray[np.float64]
    mask: NDArray[np.bool_] | None = None
    strokes: NDArray[np.uint8] | None = None

    @property
    def clicks_alone(self) -> bool:
        """Whether nothing but points is given."""
        return not len(self.boxes) and self.mask is None and self.strokes is None

    def last(self, before: NDArray[np.bool_]) -> Prompts:
        """Return the last point alone, with what the object was taken for before it."""
        return replace(self, points=self.points[-1:], labels=self.labels[-1:], mask=before)


@runtime_checkable
class PromptedSegmenter(Protocol):
    """Finds the object that is meant. It holds one image, and is used by one thread at a time.

    The same image and prompts give the same masks. A point on the object lies in the first mask,
    and one beside it does not; the same of strokes. An engine that is given an embedding answers
    as the one that made it.
    """

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes of the space it works in: "yx", "zyx" or both."""
        ...

    @property
    def key(self) -> str:
        """What its embeddings depend on beside the image: name, version, parameters, weights."""
        ...

    def set_image(self, image: NDArray[Any], *, rgb: bool = False) -> None:
        """Take an image: what is slow and the same for all prompts is done here.

        Parameters
        ----------
        image : (C, *space) array
            Pixel values.
        rgb : bool
            Whether its three channels are red, green and blue.
        """
        ...

    def predict(
        self,
        *,
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        strokes: ArrayLike | None = None,
    ) -> Answer:
        """Return masks of the object that the prompts mean; as for `checked`.

        One click may mean several things; then there are several masks.

        Raises
        ------
        ParameterError
            If there is no image, or nothing says where the object is.
        """
        ...

    def embedding(self) -> Embedding:
        """Return what was computed of the image."""
        ...

    def set_embedding(self, embedding: Embedding) -> None:
        """Take what `embedding` gave instead of an image."""
        ...


def checked(
    shape: tuple[int, ...],
    *,
    points: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    strokes: ArrayLike | None = None,
) -> Prompts:
    """Return prompts for an image of a shape.

    Parameters
    ----------
    shape : tuple of int
        Sides of the image.
    points : (n, d) array-like
        Clicks, in pixels; one alone may be (d,).
    labels : (n,) array-like
        1 for clicks on the object, 0 beside it; all 1 where left out.
    boxes : (k, 2 * d) or (k, 2, d) array-like
        First and last corner (y0, x0, y1, x1); one alone may be flat.
    mask, strokes : (*space) array-like
        As in `Prompts`.

    Raises
    ------
    ParameterError
        If a value is not allowed, a point lies outside, or nothing says where the object is.
    ShapeError
        If an array does not fit the image.
    """
    axes = len(shape)
    places = _rows(points, axes, "points")
    on = _labels(labels, len(places))
    corners = _rows(boxes, 2 * axes, "boxes").reshape(-1, 2, axes)
    _inside(places, shape, "points")
    given = Prompts(
        places,
        on,
        np.stack([corners.min(1), corners.max(1)], axis=1) if len(corners) else corners,
        None if mask is None else _like(mask, shape, "mask") > 0,
        None if strokes is None else _strokes(_like(strokes, shape, "strokes")),
    )
    if not _says_where(given):
        raise ParameterError(
            "Nothing says where the object is: give at least one point or stroke on it, a box "
            "around it, or a mask of it."
        )
    return given


def _rows(values: ArrayLike | None, width: int, name: str) -> NDArray[np.float64]:
    if values is None:
        return np.zeros((0, width))
    try:
        found = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} are numbers, got {str(values)[:60]}.") from error
    found = found.reshape(-1, width) if found.size and found.size % width == 0 else found
    if found.size and (found.ndim != 2 or found.shape[1] != width):
        raise ShapeError(
            f"{name} have {width} numbers each in this image, got shape {np.shape(values)}."
        )
    if not np.isfinite(found).all():
        raise ParameterError(f"{name} are finite numbers of pixels; some are NaN or infinite.")
    return found.reshape(-1, width)


def _labels(values: ArrayLike | None, count: int) -> NDArray[np.bool_]:
    if values is None:
        return np.ones(count, bool)
    found = np.atleast_1d(np.asarray(values))
    if found.shape != (count,):
        raise ShapeError(f"There are {count} points and {found.size} labels; give one label each.")
    if not np.isin(found, (0, 1)).all():
        raise ParameterError(
            f"Labels of points are 1 on the object and 0 beside it, got {found.tolist()[:8]}."
        )
    return found.astype(bool)


def _inside(places: NDArray[np.float64], shape: tuple[int, ...], name: str) -> None:
    outside = ((places < -0.5) | (places > np.array(shape) - 0.5)).any(axis=1)
    if outside.any():
        raise ParameterError(
            f"{name} lie in the image, which is {' x '.join(map(str, shape))}; "
            f"got {places[outside][0].tolist()}."
        )


def _like(values: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    found = np.asarray(values)
    if found.shape != shape:
        raise ShapeError(f"The {name} and the image differ: {found.shape} and {shape}.")
    return found


def _strokes(values: NDArray[Any]) -> NDArray[np.uint8]:
    if not np.isin(values, (0, OBJECT, REST)).all():
        raise ParameterError(
            f"Strokes are {OBJECT} on the object, {REST} beside it and 0 elsewhere; got values "
            f"up to {values.max()}."
        )
    return values.astype(np.uint8)


def _says_where(given: Prompts) -> bool:
    on_strokes = given.strokes is not None and bool((given.strokes == OBJECT).any())
    masked = given.mask is not None and bool(given.mask.any())
    return bool(given.labels.any()) or len(given.boxes) > 0 or on_strokes or masked


def pixels(places: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """Return the pixels that places lie in, as an index."""
    nearest = np.clip(np.rint(places), 0, np.array(shape) - 1).astype(np.int64)
    return tuple(nearest.T)
