"""What a model of strokes says in one rectangle, and rectangles put together as they are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import ParameterError

Layer = Literal["labels", "probability", "uncertainty"]
LAYERS = ("labels", "probability", "uncertainty")
BYTE = np.float32(255)
STALE, CURRENT = 1, 2


@dataclass(frozen=True, eq=False)
class Block:
    """The result in one rectangle of one plane.

    Parameters
    ----------
    box : Box
        Its pixels.
    step : int
        Pixels per value, along each axis.
    revision : int
        What it answers.
    classes : tuple of int
        Labels, in the order of ``probabilities``.
    labels : (h, w) array
        The most probable class.
    probabilities : (K, h, w) uint8 array
        In 255ths.
    uncertainty : (h, w) uint8 array
        1 minus the margin between the two most probable classes, in 255ths.
    serial : int
        Ascending; set by the store.
    """

    box: Box
    step: int
    revision: int
    classes: tuple[int, ...]
    labels: NDArray[np.integer]
    probabilities: NDArray[np.uint8]
    uncertainty: NDArray[np.uint8]
    serial: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.labels.nbytes + self.probabilities.nbytes + self.uncertainty.nbytes

    def layer(self, layer: Layer, label: int | None) -> NDArray[Any]:
        """Return the values of a layer; the probability of an unknown class is 0."""
        if layer == "labels":
            return self.labels
        if layer == "uncertainty":
            return self.uncertainty
        if label is None or label not in self.classes:
            return np.zeros(self.labels.shape, np.uint8)
        found: NDArray[np.uint8] = self.probabilities[self.classes.index(label)]
        return found


@dataclass(frozen=True)
class BlockInfo:
    """Where there is a result, and whether it answers the present strokes.

    Parameters
    ----------
    box : Box
        Its pixels.
    step : int
        Pixels per value.
    revision : int
        What it answers.
    stale : bool
        Whether strokes or settings changed since.
    """

    box: Box
    step: int
    revision: int
    stale: bool


@dataclass(frozen=True, eq=False)
class Shown:
    """A rectangle of a layer of results, as it is now.

    Parameters
    ----------
    values : (h, w) array
        uint16 labels, 0 where there is no result; or float32 from 0 to 1, NaN where there is none.
    stale : bool
        Whether any part answers an earlier revision.
    missing : bool
        Whether any part has no result.
    tag : str
        Equal tags mean equal values.
    """

    values: NDArray[Any]
    stale: bool
    missing: bool
    tag: str


def show(
    blocks: Sequence[Block],
    box: Box,
    *,
    layer: Layer = "labels",
    label: int | None = None,
    step: int = 1,
    revision: int = 0,
    region: Box | None = None,
) -> Shown:
    """Return a rectangle of a layer, one value per ``step`` x ``step`` pixels.

    Parameters
    ----------
    blocks : sequence of Block
        Later ones cover earlier ones.
    box : Box
        Pixels of the plane.
    layer : {"labels", "probability", "uncertainty"}
        What to show.
    label : int, optional
        The class, for "probability".
    step : int
        Pixels per value; the value is that of the middle pixel.
    revision : int
        The present one, by which results are called stale.
    region : Box, optional
        Leave out what lies outside.
    """
    if layer not in LAYERS:
        raise ParameterError(f"A layer is one of {', '.join(LAYERS)}, got {layer!r}.")
    rows, columns = Samples(box.top, box.bottom, step), Samples(box.left, box.right, step)
    values = np.zeros((rows.count, columns.count), np.uint16)
    known = np.zeros(values.shape, np.uint8)
    for block in blocks:
        inside = block.box if region is None else block.box.clipped(region)
        r, c = rows.within(inside.top, inside.bottom), columns.within(inside.left, inside.right)
        y = rows.indices(r, block.box.top, block.step)
        x = columns.indices(c, block.box.left, block.step)
        taken = block.layer(layer, label)[y]
        values[r, c] = taken[:, x]
        known[r, c] = STALE if block.revision < revision else CURRENT
    wanted = known if region is None else _within(known, rows, columns, region)
    missing, stale = not wanted.all(), bool((wanted == STALE).any())
    facts = (layer, label, step, box, region, [b.serial for b in blocks])
    tag = hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()
    return Shown(values if layer == "labels" else _share(values, known), stale, missing, tag)


def uncertainty(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return 1 minus the margin between the two largest of (K, ...) probabilities.

    Where all are 0, which is so where the image has no data, nothing is uncertain.
    """
    if len(probabilities) < 2:
        return np.zeros(probabilities.shape[1:], probabilities.dtype)
    best, second = probabilities[0], np.zeros_like(probabilities[0])
    for one in probabilities[1:]:
        second = np.maximum(second, np.minimum(best, one))
        best = np.maximum(best, one)
    margin: NDArray[np.floating] = best - second
    return np.where(best > 0, 1 - margin, np.zeros((), margin.dtype))


def _share(values: NDArray[np.uint16], known: NDArray[np.uint8]) -> NDArray[np.float32]:
    shares = values.astype(np.float32) / BYTE
    shares[known == 0] = np.nan
    return shares


class Samples:
    """Pixels along one axis of which values are shown: the middle one of every ``step``.

    The last one lies at ``stop - 1`` where its middle would lie beyond. Arithmetic on whole
    numbers, since a plane may have thousands of blocks.

    Parameters
    ----------
    start, stop : int
        The pixels that are shown.
    step : int
        Pixels per value.
    """

    def __init__(self, start: int, stop: int, step: int) -> None:
        self.first, self.last, self.step = start + step // 2, stop - 1, step
        self.count = -((start - stop) // step)
        self.is_cut = self.first + (self.count - 1) * step > self.last

    def within(self, low: int, high: int) -> slice:
        """Return which samples lie at ``low`` or beyond, and below ``high``."""
        whole = self.count - self.is_cut
        begin = min(max(0, -((self.first - low) // self.step)), whole)
        end = min(max(0, -((self.first - high) // self.step)), whole)
        if self.is_cut and low <= self.last < high:
            end = self.count
        return slice(begin, max(begin, end))

    def indices(self, chosen: slice, low: int, step: int) -> slice | NDArray[np.intp]:
        """Return where some samples are in a block that begins at ``low``; a slice if possible."""
        count = chosen.stop - chosen.start
        if self.step % step or (self.is_cut and chosen.stop == self.count) or not count:
            at = np.minimum(
                self.first + self.step * np.arange(chosen.start, chosen.stop), self.last
            )
            found: NDArray[np.intp] = (at - low) // step
            return found
        begin, stride = (self.first + self.step * chosen.start - low) // step, self.step // step
        return slice(begin, begin + (count - 1) * stride + 1, stride)


def _within(
    known: NDArray[np.uint8], rows: Samples, columns: Samples, region: Box
) -> NDArray[np.uint8]:
    within = rows.within(region.top, region.bottom), columns.within(region.left, region.right)
    return known[within]
