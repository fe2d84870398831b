"""Objects measured in the boxes of a few at a time, as if all were looked at at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.objects.blockwise.room import Box, blocks, grown
from stroma.objects.boxes import Located, located
from stroma.objects.entry import Entry
from stroma.objects.intensity import nearest, ring_steps
from stroma.objects.shape import Columns


def located_in_blocks(labels: Image) -> Located:
    """Return where the objects of a frame are; ``labels`` of what is returned holds no values.

    Pixels and sums of coordinates are whole numbers, so what is added up block by block is what
    the whole gives.
    """
    shape = (1,) * (3 - len(labels.shape)) + labels.shape
    names, counts, sums, boxes = [], [], [], []
    for box in blocks(labels.shape):
        found = located(labels.at(**_named(labels, box)).read())
        start = _start(box)
        names.append(found.names)
        counts.append(found.count)
        sums.append(np.rint(found.centre * found.count[:, None]) + found.count[:, None] * start)
        boxes.append(found.box + np.tile(start, 2))
    every, rows = np.unique(np.concatenate(names), return_inverse=True)
    count, total = np.zeros(len(every), np.int64), np.zeros((len(every), 3))
    box_of = np.zeros((len(every), 6), np.int64)
    box_of[:, :3] = np.iinfo(np.int64).max
    np.add.at(count, rows, np.concatenate(counts))
    np.add.at(total, rows, np.concatenate(sums))
    ends = np.concatenate(boxes)
    np.minimum.at(box_of[:, :3], rows, ends[:, :3])
    np.maximum.at(box_of[:, 3:], rows, ends[:, 3:])
    nothing = np.broadcast_to(np.int32(0), shape)
    return Located(nothing, every, every.astype(np.int32), count, total / count[:, None], box_of)


def measured_in_blocks(
    found: Located, given: Entry, inner: Callable[[Located, Entry], Columns], ring: float
) -> Columns:
    """Return what is measured of each object in a box around it, and others near it.

    Parameters
    ----------
    found : Located
        All objects of the frame.
    given : Entry
        Labels and values of the frame; of both, a few boxes are read at a time.
    inner : callable
        Measures the objects in a part of the frame.
    ring : float
        How far around objects that looks.
    """
    steps = ring_steps(found, given.size, ring)
    reach = np.abs(steps).max(axis=0) if len(steps) else np.zeros(3, np.int64)
    order, tables = [], []
    for rows in _shared_out(found, given.labels):
        order.append(rows)
        tables.append(inner(*_part(found, given, rows, reach.tolist())))
    back = np.argsort(np.concatenate(order), kind="stable") if order else np.zeros(0, np.intp)
    if not tables:
        tables = [
            inner(located(np.zeros((1,) * len(given.labels.shape), np.int32)), _corner(given))
        ]
    columns = {n: np.concatenate([t[n] for t in tables])[back] for n in tables[0]}
    return columns | {n: c for n, c in nearest(found, given.size).items() if n in columns}


def _shared_out(found: Located, labels: Image) -> Iterator[NDArray[np.intp]]:
    """Yield rows of objects that begin in one block; one that is much larger comes alone."""
    axes = len(labels.shape)
    starts, ends = found.box[:, 3 - axes : 3], found.box[:, 6 - axes :]
    for box in blocks(labels.shape):
        low, high = (np.array([getattr(s, e) for s in box]) for e in ("start", "stop"))
        here = np.flatnonzero(((starts >= low) & (starts < high)).all(axis=1))
        small = (ends[here] <= 2 * high - low).all(axis=1)
        for rows in (here[small], *here[~small, None]):
            if len(rows):
                yield rows


def _part(
    found: Located, given: Entry, rows: NDArray[np.intp], reach: list[int]
) -> tuple[Located, Entry]:
    """Return some objects, and the part of the frame around them."""
    axes = len(given.labels.shape)
    low, high = found.box[rows, :3].min(axis=0), found.box[rows, 3:].max(axis=0)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))[3 - axes :]
    window = grown(box, reach[3 - axes :], given.labels.shape)
    part, start = _cut(given, window), _start(window)
    values = np.ascontiguousarray(part.labels.read(), np.int32)
    solid = values.reshape((1,) * (3 - axes) + values.shape)
    places = found.centre[rows] - start, found.box[rows] - np.tile(start, 2)
    return Located(solid, found.names[rows], found.codes[rows], found.count[rows], *places), part


def _cut(given: Entry, window: Box) -> Entry:
    at = _named(given.labels, window)
    image, likely = (None if i is None else i.at(**at) for i in (given.image, given.probabilities))
    return replace(given, labels=given.labels.at(**at), image=image, probabilities=likely)


def _corner(given: Entry) -> Entry:
    """Return the first pixel."""
    return _cut(given, (slice(0, 1),) * len(given.labels.shape))


def _named(labels: Image, box: Box) -> dict[str, slice]:
    return dict(zip(labels.kept_axes, box, strict=True))


def _start(box: Box) -> NDArray[np.int64]:
    return np.array([0] * (3 - len(box)) + [s.start for s in box], np.int64)
