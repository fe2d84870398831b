"""Every object of an image, without being told where: an engine is asked at a grid of points.

After the automatic mode of Kirillov et al., Segment anything, ICCV 2023, arXiv:2304.02643: masks
that the engine is not sure of, or that change where the question hardly does, are dropped, and of
those that overlap the better one stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.errors import Cancelled, ParameterError
from stroma.prompts.contract import PromptedSegmenter

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

DERIVED = 0.9
"""Overlap that masks of clicks in known objects may have at least."""

LEAST_SCORE, LEAST_STABILITY = 0.5, 0.8
"""What is asked of masks of engines that say nothing else."""


@dataclass(frozen=True, eq=False)
class Found:
    """A mask that may be an object.

    Parameters
    ----------
    low : (int, int)
        Its first row and column.
    mask : (h, w) bool
        Its pixels, in the box around them.
    score : float
        How sure the engine is, from 0 to 1.
    stability : float or None
        How much of it stays where the question changes a little, from 0 to 1; None where nobody
        looked yet.
    """

    low: tuple[int, int]
    mask: Bools
    score: float
    stability: float | None = None

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where it lies."""
        rows, columns = (slice(a, a + n) for a, n in zip(self.low, self.mask.shape, strict=True))
        return rows, columns

    @property
    def worth(self) -> float:
        """Which of two that overlap is better: score times stability, where that is known."""
        return self.score if self.stability is None else self.score * self.stability

    @classmethod
    def of(cls, mask: Bools, score: float, stability: float | None = None) -> Found | None:
        """Return a mask of the whole image, cut to its box; None for an empty one."""
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return None
        top, left = int(rows[0]), int(columns[0])
        part = mask[top : rows[-1] + 1, left : columns[-1] + 1].copy()
        return cls((top, left), part, score, stability)


@runtime_checkable
class Proposes(Protocol):
    """An engine that answers many clicks at once, and says what is to be asked of the answers."""

    least: tuple[float, float]
    """Score and stability of objects at least."""

    def proposals(self, points: Floats) -> Iterator[Found]:
        """Yield masks, with their stability, for clicks (n, 2) each on an object of its own."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """An engine that finds all objects by itself, with a decoder beside its prompts."""

    def decoded(self) -> NDArray[np.int32]:
        """Return the objects (y, x) of the image, from 1."""
        ...


By = Literal["grid", "decoder", "prompts"]
"""Clicks at a grid; a decoder alone; or a click in the middle of what the decoder found."""


@dataclass(frozen=True)
class Everything:
    """What counts as an object.

    Parameters
    ----------
    points : int
        Points of the grid along the longer side.
    by : {"grid", "decoder", "prompts"}
        How objects are looked for; see `By`.
    score, stability : float or None
        Least ones; None for those that suit the engine.
    overlap : float
        Of two masks that share more (intersection over union), the better one stays.
    own : float
        Part of an object's pixels, at least, that no better one has.
    smallest : int
        Pixels.
    largest : float
        Part of the image that an object covers at most.
    """

    points: int = 48
    by: By = "grid"
    score: float | None = None
    stability: float | None = None
    overlap: float = 0.7
    own: float = 0.5
    smallest: int = 25
    largest: float = 0.4

    def __post_init__(self) -> None:
        """Check the values."""
        if not 1 <= self.points <= 256:
            raise ParameterError(f"A grid has 1 to 256 points a side, got {self.points}.")
        for name in ("score", "stability", "overlap", "own", "largest"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ParameterError(f"{name} is a number from 0 to 1, got {value}.")
        if self.by not in get_args(By):
            raise ParameterError(f"by is one of {', '.join(get_args(By))}, got {self.by!r}.")
        if self.smallest < 1:
            raise ParameterError(f"smallest is at least 1 pixel, got {self.smallest}.")


def grid(shape: tuple[int, int], points: int) -> Floats:
    """Return the points (n, 2) of a grid that is as fine along both sides.

    Parameters
    ----------
    shape : (int, int)
        Of the image.
    points : int
        Along the longer side.
    """
    step = max(shape) / points
    counts = [max(1, round(n / step)) for n in shape]
    lines = [(np.arange(c) + 0.5) * n / c - 0.5 for c, n in zip(counts, shape, strict=True)]
    return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)


def everything(
    engine: PromptedSegmenter,
    shape: tuple[int, int],
    *,
    how: Everything | None = None,
    points: Floats | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> NDArray[np.int32]:
    """Return the objects (y, x) of the image that an engine was given, from 1; 0 is none.

    Parameters
    ----------
    engine : PromptedSegmenter
        With the image.
    shape : (int, int)
        Of the image.
    how : Everything, optional
        What counts.
    points : (n, 2) array, optional
        Where it is asked, instead of at a grid.
    cancelled : callable
        Asked on the way.

    Raises
    ------
    Cancelled
        If it was.
    """
    how = how or Everything()
    if how.by != "grid":
        if not isinstance(engine, Decodes):
            raise ParameterError(
                "This engine has no decoder that finds objects by itself; look for them at a grid."
            )
        found = engine.decoded()
        if how.by == "decoder":
            return found
        points = middles(found)
        how = replace(how, by="grid", score=how.score or 0.0, stability=how.stability or 0.0)
        how = replace(how, overlap=max(how.overlap, DERIVED))
    where = grid(shape, how.points) if points is None else points
    given = engine.least if isinstance(engine, Proposes) else (LEAST_SCORE, LEAST_STABILITY)
    score = given[0] if how.score is None else how.score
    least = given[1] if how.stability is None else how.stability
    fair = (
        one
        for one in _asked(engine, where, shape, score)
        if one.score >= score and _is_fair(one, shape, how)
    )
    kept = apart(_until(fair, cancelled), how.overlap)
    steady = (_looked_at(engine, one) for one in _until(kept, cancelled))
    return painted([one for one in steady if (one.stability or 0) >= least], shape, how)


def _until(found: Iterable[Found], cancelled: Callable[[], bool]) -> Iterator[Found]:
    for one in found:
        if cancelled():
            raise Cancelled("Looking for all objects was cancelled.")
        yield one


def _is_fair(one: Found, shape: tuple[int, int], how: Everything) -> bool:
    area = int(one.mask.sum())
    return how.smallest <= area <= how.largest * shape[0] * shape[1]


def _asked(
    engine: PromptedSegmenter, points: Floats, shape: tuple[int, int], score: float
) -> Iterator[Found]:
    """Yield answers; an engine that takes one click at a time is not asked within sure ones."""
    if isinstance(engine, Proposes):
        yield from engine.proposals(points)
        return
    covered = np.zeros(shape, bool)
    for point in points:
        y, x = np.clip(np.rint(point), 0, np.array(shape) - 1).astype(int)
        if covered[y, x]:
            continue
        masks, scores = engine.predict(points=[point])
        if scores[0] >= score:
            covered |= masks[0]
        for mask, own in zip(masks, scores, strict=True):
            if (found := Found.of(mask, float(own))) is not None:
                yield found


def _looked_at(engine: PromptedSegmenter, one: Found) -> Found:
    """Return a mask with its stability: how much is found again from its innermost pixel."""
    if one.stability is not None:
        return one
    inner = np.array(_innermost(one.mask)) + np.array(one.low)
    masks, scores = engine.predict(points=[inner])
    again = [Found.of(mask, float(s)) for mask, s in zip(masks, scores, strict=True)]
    shared = max((overlap(one, other) for other in again if other is not None), default=0.0)
    return Found(one.low, one.mask, one.score, shared)


def middles(labels: NDArray[np.int32]) -> Floats:
    """Return the innermost pixel (n, 2) of every object."""
    places = []
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is not None:
            y, x = _innermost(labels[box] == number)
            places.append((y + box[0].start, x + box[1].start))
    return np.array(places, np.float64).reshape(-1, 2)


def _innermost(mask: Bools) -> tuple[int, int]:
    padded = np.pad(mask, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(y), int(x)


def overlap(one: Found, other: Found) -> float:
    """Return the intersection over union of two masks."""
    shared = _shared(one, other)
    return shared / (int(one.mask.sum()) + int(other.mask.sum()) - shared)


def _shared(one: Found, other: Found) -> int:
    starts = [max(a, b) for a, b in zip(one.low, other.low, strict=True)]
    ends = [
        min(a + n, b + m)
        for a, n, b, m in zip(one.low, one.mask.shape, other.low, other.mask.shape, strict=True)
    ]
    if any(a >= b for a, b in zip(starts, ends, strict=True)):
        return 0
    parts = [
        f.mask[tuple(slice(a - k, b - k) for a, b, k in zip(starts, ends, f.low, strict=True))]
        for f in (one, other)
    ]
    return int(np.count_nonzero(parts[0] & parts[1]))


def apart(found: Iterable[Found], most: float) -> list[Found]:
    """Return the best masks of which no two share more than a part (intersection over union)."""
    kept: list[Found] = []
    boxes = np.zeros((0, 4))
    ordered = sorted(found, key=lambda one: -one.worth)
    for one in ordered:
        box = np.array([*one.low, *(a + n for a, n in zip(one.low, one.mask.shape, strict=True))])
        near = np.flatnonzero((boxes[:, :2] < box[2:]).all(1) & (boxes[:, 2:] > box[:2]).all(1))
        if all(overlap(one, kept[i]) <= most for i in near):
            kept.append(one)
            boxes = np.vstack([boxes, box])
    return kept


def painted(found: Iterable[Found], shape: tuple[int, int], how: Everything) -> NDArray[np.int32]:
    """Return a label image in which better masks take their pixels first."""
    labels = np.zeros(shape, np.int32)
    count = 0
    for one in sorted(found, key=lambda one: -one.worth):
        part = labels[one.slices]
        free = one.mask & (part == 0)
        area = np.count_nonzero(free)
        if area >= max(how.smallest, how.own * np.count_nonzero(one.mask)):
            count += 1
            part[free] = count
    return labels
