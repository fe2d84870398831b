"""Detections from label images, one frame after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Detections, Floats, Ints
from stroma.errors import LabelError, ShapeError
from stroma.tracking.drift import common_shift, drift_of

AREA = "area"
INTENSITY = "intensity"

Frame = tuple[NDArray[np.integer], NDArray[np.generic] | None]
"""Labels of a frame, and its image where there is one."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What was found in a movie of label images.

    Parameters
    ----------
    detections : Detections
        The objects, with their "area" in pixels, and "intensity" where there are images.
    pairs : (p, 2) int64
        Objects of consecutive frames that share pixels.
    shared : (p,) int64
        How many, once the view is put back by its drift.
    drift : (frames - 1, d) float64, optional
        How far the view moved after each frame, in pixels; unknown unless given.
    """

    detections: Detections
    pairs: Ints
    shared: Ints
    drift: Floats | None = None

    def only(self, kept: NDArray[np.bool_]) -> Seen:
        """Return some of the detections, with the overlaps among them."""
        new = np.cumsum(kept) - 1
        inside = kept[self.pairs].all(axis=1)
        return Seen(
            self.detections.only(kept), new[self.pairs[inside]], self.shared[inside], self.drift
        )

    @cached_property
    def still(self) -> Seen:
        """The same, with places as they were if the view had stayed."""
        found = self.detections
        drift = drift_of(found) if self.drift is None else self.drift
        if not drift.any():
            return replace(self, drift=drift)
        moved = np.concatenate([np.zeros((1, drift.shape[1])), np.cumsum(drift, axis=0)])
        placed = replace(found, position=found.position - moved[found.frame])
        return Seen(placed, self.pairs, self.shared, np.zeros_like(drift))


def detect(
    frames: Iterable[Frame],
    *,
    spacing: tuple[float, ...] = (),
    unit: str = "px",
    interval: float | None = None,
) -> Seen:
    """Return the objects of label images, and which of them overlap in the next frame.

    No more than two frames are held at once.

    Parameters
    ----------
    frames : iterable of (labels, image or None)
        (y, x) or (z, y, x) integers, 0 for none; images of the same shape.
    spacing, unit, interval
        As for `Detections`.

    Raises
    ------
    ShapeError
        If frames differ in shape.
    LabelError
        If labels are no integers, or negative.
    """
    parts, pairs, shared, drift, count = [], [], [], [], 0
    before: tuple[NDArray[np.integer], _Part, int] | None = None
    for number, (labels, image) in enumerate(frames):
        part = _measured(number, _checked(labels, before and before[0]), image)
        if before is not None:
            drift.append(common_shift(before[1].position, part.position))
            ours, how_many = _overlaps(before[0], before[1], labels, part, drift[-1])
            pairs.append(ours + np.array([before[2], count]))
            shared.append(how_many)
        before = (labels, part, count)
        parts.append(part)
        count += len(part.label)
    dimensions = parts[0].position.shape[1] if parts else 2
    found = Detections(
        np.concatenate([np.full(len(p.label), t) for t, p in enumerate(parts)] or [_NONE]),
        np.concatenate([p.label for p in parts] or [_NONE]),
        np.concatenate([p.position for p in parts] or [np.zeros((0, dimensions))]),
        measures=_columns(parts),
        spacing=spacing,
        unit=unit,
        interval=interval,
        frames=len(parts),
    )
    return Seen(
        found,
        np.concatenate([np.zeros((0, 2), np.int64), *pairs]),
        np.concatenate([_NONE, *shared]),
        np.array(drift, np.float64).reshape(-1, dimensions),
    )


_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class _Part:
    label: Ints
    position: Floats
    area: Floats
    intensity: Floats | None


def _checked(
    labels: NDArray[np.integer], before: NDArray[np.integer] | None
) -> NDArray[np.integer]:
    if labels.dtype.kind not in "iu":
        raise LabelError(f"Labels of objects are integers, got {labels.dtype}.")
    if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
        raise LabelError("Labels of objects are 0 or above; some are negative.")
    if before is not None and before.shape != labels.shape:
        raise ShapeError(f"Frames of a movie are of one shape, got {before.shape}, {labels.shape}.")
    return labels


def _measured(number: int, labels: NDArray[np.integer], image: NDArray[np.generic] | None) -> _Part:
    """Return the objects of one frame."""
    flat = np.flatnonzero(labels)
    names, code = np.unique(labels.ravel()[flat], return_inverse=True)
    area = np.bincount(code, minlength=len(names)).astype(np.float64)
    axes = np.unravel_index(flat, labels.shape)
    sums = [np.bincount(code, weights=axis, minlength=len(names)) for axis in axes]
    position = np.stack(sums, axis=1) / area[:, None] if len(names) else np.zeros((0, labels.ndim))
    intensity = None
    if image is not None:
        if image.shape != labels.shape:
            raise ShapeError(
                f"Frame {number} has labels of shape {labels.shape}, its image {image.shape}."
            )
        values = image.ravel()[flat].astype(np.float64)
        intensity = np.bincount(code, weights=values, minlength=len(names)) / np.maximum(area, 1)
    return _Part(names.astype(np.int64), position, area, intensity)


def _overlaps(
    earlier: NDArray[np.integer],
    a: _Part,
    later: NDArray[np.integer],
    b: _Part,
    shift: Floats,
) -> tuple[Ints, Ints]:
    """Return the objects (positions in their frames) that share pixels, and how many.

    The later frame is put back by the displacement of the view, in whole pixels.
    """
    earlier, later = _upon_each_other(earlier, later, np.rint(shift).astype(int).tolist())
    both = np.flatnonzero((earlier != 0) & (later != 0))
    i = np.searchsorted(a.label, earlier.ravel()[both].astype(np.int64))
    j = np.searchsorted(b.label, later.ravel()[both].astype(np.int64))
    code, count = np.unique(i * max(1, len(b.label)) + j, return_counts=True)
    pairs = np.stack(np.divmod(code, max(1, len(b.label))), axis=1)
    return pairs.astype(np.int64), count.astype(np.int64)


def _upon_each_other(
    earlier: NDArray[np.integer], later: NDArray[np.integer], shift: list[int]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return what of both frames shows the same place."""
    first = tuple(
        slice(max(0, -by), max(0, n - max(0, by)))
        for by, n in zip(shift, earlier.shape, strict=True)
    )
    second = tuple(
        slice(max(0, by), max(0, n - max(0, -by))) for by, n in zip(shift, later.shape, strict=True)
    )
    return earlier[first], later[second]


def _columns(parts: list[_Part]) -> dict[str, Floats]:
    if not parts:
        return {AREA: np.zeros(0)}
    found = {AREA: np.concatenate([p.area for p in parts])}
    if all(p.intensity is not None for p in parts):
        found[INTENSITY] = np.concatenate([p.intensity for p in parts if p.intensity is not None])
    return found
