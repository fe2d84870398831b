"""Compiled parts of rays: how far objects reach, and which of many polygons are kept.

All run on one thread and release the GIL.
"""

from __future__ import annotations

import numpy as np

from stroma.compiled import Array, jit

UNKNOWN = -1


@jit
def _nearest(value: float) -> int:
    """Return the nearest whole number; halves go away from 0, so that mirrors agree."""
    return int(np.floor(value + 0.5)) if value >= 0 else -int(np.floor(0.5 - value))


@jit
def reach(labels: Array, ways: Array, out: Array, seen: Array) -> None:
    """Write how far it is from every pixel of an object to its border.

    Parameters
    ----------
    labels : (H, W) integer array
        Objects above 0, -1 where nobody knows.
    ways : (K, 2) float64 array
        Steps of length 1.
    out : (K, H, W) float32 array
        Is filled in within objects.
    seen : (K, H, W) float32 array
        Is set to 0 where a ray ends in what nobody knows.
    """
    height, width = labels.shape
    for k in range(len(ways)):
        down, along = ways[k]
        # The border lies half a pixel before the first place outside, measured across it.
        back = 1 - 0.5 / max(abs(down), abs(along))
        for y in range(height):
            for x in range(width):
                own = labels[y, x]
                if own <= 0:
                    continue
                steps, other = 0, own
                while other == own:
                    steps += 1
                    to_y, to_x = y + _nearest(steps * down), x + _nearest(steps * along)
                    inside = 0 <= to_y < height and 0 <= to_x < width
                    other = labels[to_y, to_x] if inside else 0
                out[k, y, x] = steps - back
                if other == UNKNOWN:
                    seen[k, y, x] = 0


@jit
def keep_polygons(places: Array, rays: Array, ways: Array, overlap: float, out: Array) -> int:
    """Paint polygons that do not lie over better ones, and return how many.

    Parameters
    ----------
    places : (n, 2) int64 array
        Their centres, the best first.
    rays : (n, K) float32 array
        How far they reach.
    ways : (K, 2) float64 array
        Where to, going round.
    overlap : float
        A polygon goes if it shares more than this part of the smaller of it and a better one.
    out : (H, W) uint32 array
        Is filled in; where polygons overlap the better one stays.
    """
    height, width = out.shape
    count = len(ways)
    areas = np.zeros(len(places) + 1)
    hits = np.zeros(len(places) + 1, np.int64)
    ys, xs = np.empty(count), np.empty(count)
    cuts = np.empty(count)
    kept = 0
    for n in range(len(places)):
        for k in range(count):
            length = max(rays[n, k], 0.5)
            ys[k] = places[n, 0] + length * ways[k, 0]
            xs[k] = places[n, 1] + length * ways[k, 1]
        area = _area(ys, xs)
        if _covered(ys, xs, cuts, area, overlap, areas, hits, out):
            continue
        kept += 1
        areas[kept] = area
        for y in range(max(0, int(np.ceil(ys.min()))), min(height, int(ys.max()) + 1)):
            for i in range(0, _crossings(ys, xs, float(y), cuts) - 1, 2):
                first, last = max(0, int(np.ceil(cuts[i]))), min(width - 1, int(cuts[i + 1]))
                for x in range(first, last + 1):
                    if out[y, x] == 0:
                        out[y, x] = kept
    return kept


@jit
def _covered(
    ys: Array,
    xs: Array,
    cuts: Array,
    area: float,
    overlap: float,
    areas: Array,
    hits: Array,
    out: Array,
) -> bool:
    """Say whether too much of a polygon is painted as one and the same better one."""
    height, width = out.shape
    top, bottom = max(0, int(np.ceil(ys.min()))), min(height, int(ys.max()) + 1)
    found = False
    for y in range(top, bottom):
        if found:
            break
        for i in range(0, _crossings(ys, xs, float(y), cuts) - 1, 2):
            first, last = max(0, int(np.ceil(cuts[i]))), min(width - 1, int(cuts[i + 1]))
            for x in range(first, last + 1):
                other = out[y, x]
                if other > 0:
                    hits[other] += 1
                    if hits[other] > overlap * min(area, areas[other]):
                        found = True
    _forget(ys, xs, hits, out)
    return found


@jit
def _forget(ys: Array, xs: Array, hits: Array, out: Array) -> None:
    """Set the counts of all polygons within a box to 0."""
    height, width = out.shape
    for y in range(max(0, int(np.ceil(ys.min()))), min(height, int(ys.max()) + 1)):
        for x in range(max(0, int(np.ceil(xs.min()))), min(width, int(xs.max()) + 1)):
            hits[out[y, x]] = 0


@jit
def _crossings(ys: Array, xs: Array, y: float, cuts: Array) -> int:
    """Write where the edges of a polygon cross a row, ascending, and return how many do."""
    found = 0
    before = len(ys) - 1
    for k in range(len(ys)):
        if (ys[before] <= y) != (ys[k] <= y):
            share = (y - ys[before]) / (ys[k] - ys[before])
            value = xs[before] + share * (xs[k] - xs[before])
            at = found
            while at > 0 and cuts[at - 1] > value:
                cuts[at] = cuts[at - 1]
                at -= 1
            cuts[at] = value
            found += 1
        before = k
    return found


@jit
def _area(ys: Array, xs: Array) -> float:
    total, before = 0.0, len(ys) - 1
    for k in range(len(ys)):
        total += ys[before] * xs[k] - ys[k] * xs[before]
        before = k
    return abs(total) / 2
