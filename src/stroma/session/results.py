"""Results block by block: what is known of each plane, how fine, and for which revision."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session.places import Places

Layer = Literal["labels", "probability", "uncertainty"]
LAYERS = ("labels", "probability", "uncertainty")
BYTE = np.float32(255)
STALE, CURRENT = 1, 2

PlaneKey = tuple[str, int]
"""Image and number of the plane."""


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


class Results:
    """All blocks of all planes, bounded in bytes; what was not used for longest goes first.

    Parameters
    ----------
    max_bytes : int
        Bound.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._planes: dict[PlaneKey, Places[Block]] = {}
        self._used: OrderedDict[tuple[PlaneKey, Box], int] = OrderedDict()
        self._bytes = 0
        self._serial = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self._bytes

    def put(self, plane: PlaneKey, block: Block) -> None:
        """Add a block in place of those that lie inside it."""
        with self._lock:
            blocks = self._planes.setdefault(plane, Places())
            for old in blocks.touching(block.box):
                if old.box.clipped(block.box) == old.box:
                    self._remove(plane, old.box)
            self._serial += 1
            object.__setattr__(block, "serial", self._serial)
            blocks.put(block.box, block)
            self._used[plane, block.box] = block.nbytes
            self._bytes += block.nbytes
            while self._bytes > self.max_bytes and len(self._used) > 1:
                self._remove(*next(iter(self._used)))

    def blocks(self, plane: PlaneKey, box: Box | None = None) -> list[Block]:
        """Return the blocks of a plane that touch a box, those of the latest revision last."""
        with self._lock:
            known = self._planes.get(plane, Places())
            found = known.all() if box is None else known.touching(box)
            for block in found:
                self._used.move_to_end((plane, block.box))
        return sorted(found, key=lambda b: (b.revision, b.serial))

    def steps(self, plane: PlaneKey, revision: int) -> dict[Box, int]:
        """Return how fine the blocks are that answer a revision."""
        with self._lock:
            blocks = self._planes.get(plane, Places()).all()
            return {b.box: b.step for b in blocks if b.revision == revision}

    def planes(self, image: str) -> int:
        """Return of how many planes of an image there is any result."""
        with self._lock:
            return sum(1 for (key, _), known in self._planes.items() if key == image and len(known))

    def drop(self, *, image: str | None = None) -> None:
        """Forget the results of an image, or all."""
        with self._lock:
            for plane in [p for p in self._planes if image in (None, p[0])]:
                for block in self._planes[plane].all():
                    self._remove(plane, block.box)
                del self._planes[plane]

    def drop_older(self, plane: PlaneKey, revision: int) -> None:
        """Forget blocks of a plane that answer an earlier revision."""
        with self._lock:
            for block in self._planes.get(plane, Places()).all():
                if block.revision < revision:
                    self._remove(plane, block.box)

    def _remove(self, plane: PlaneKey, box: Box) -> None:
        self._planes[plane].remove(box)
        self._bytes -= self._used.pop((plane, box))


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
    """Return 1 minus the margin between the two largest of (K, ...) probabilities."""
    if len(probabilities) < 2:
        return np.zeros(probabilities.shape[1:], probabilities.dtype)
    best, second = probabilities[0], np.zeros_like(probabilities[0])
    for one in probabilities[1:]:
        second = np.maximum(second, np.minimum(best, one))
        best = np.maximum(best, one)
    margin: NDArray[np.floating] = best - second
    return 1 - margin


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
