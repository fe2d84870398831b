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
def keep_polygons(
    values: Array, places: Array, waiting: Array, ways: Array, overlap: float, out: Array
) -> int:
    """Paint polygons that do not lie over better ones, and return how many.

    A polygon that is kept drops those at once that lie over it and have their centre in it, which
    are nearly all: their rays and its pixels are at hand then.

    Parameters
    ----------
    values : (1 + K, H, W) float32 array
        Depth, which is not looked at, and how far rays reach.
    places : (n, 2) integer array
        Centres of polygons, the best first.
    waiting : (H, W) bool array
        Where centres are; none are, in the end.
    ways : (K, 2) float64 array
        Where to, going round.
    overlap : float
        A polygon goes if it shares more than this part of the smaller of it and a better one.
    out : (H, W) uint32 array
        Is filled in; where polygons overlap the better one stays.
    """
    height, count = len(out), len(ways)
    areas = np.zeros(len(places) + 1)
    hits = np.zeros(len(places) + 1, np.int32)
    touched = np.empty(len(places) + 1, np.int32)
    corners, cuts, numbers = (
        np.empty((2, count)),
        np.empty((height, count)),
        np.zeros(height, np.int64),
    )
    kept = 0
    for n in range(len(places)):
        row, column = places[n]
        if not waiting[row, column]:
            continue
        waiting[row, column] = False
        top, bottom, area = _polygon(values, row, column, ways, corners, cuts, numbers)
        if _covered(row, top, bottom, cuts, numbers, area, overlap, areas, hits, touched, out):
            continue
        kept += 1
        areas[kept] = area
        left, right = _paint(top, bottom, cuts, numbers, kept, out)
        sums = _sums(top, bottom, left, right, kept, out)
        for y in range(top, bottom):
            for x in range(left, right):
                if waiting[y, x] and out[y, x] == kept:
                    first, last, other = _polygon(values, y, x, ways, corners, cuts, numbers)
                    shared = _shared(first, last, cuts, numbers, sums, top, left)
                    waiting[y, x] = shared <= overlap * min(area, other)
    return kept


@jit
def _polygon(
    values: Array, row: int, column: int, ways: Array, corners: Array, cuts: Array, numbers: Array
) -> tuple[int, int, float]:
    """Write where rows of a polygon begin and end; return the first, one after the last, area."""
    ys, xs = corners
    for k in range(len(ways)):
        length = max(values[k + 1, row, column], 0.5)
        ys[k] = row + length * ways[k, 0]
        xs[k] = column + length * ways[k, 1]
    top, bottom = max(0, int(np.ceil(ys.min()))), min(len(cuts), int(ys.max()) + 1)
    _cross(ys, xs, top, bottom, cuts, numbers)
    return top, bottom, _area(ys, xs)


@jit
def _paint(
    top: int, bottom: int, cuts: Array, numbers: Array, own: int, out: Array
) -> tuple[int, int]:
    """Give what is free in a polygon its number; return its first column, one after the last."""
    width = out.shape[1]
    left, right = width, 0
    for y in range(top, bottom):
        for i in range(0, numbers[y - top] - 1, 2):
            first, last = _between(cuts[y - top, i], cuts[y - top, i + 1], width)
            left, right = min(left, first), max(right, last)
            for x in range(first, last):
                if out[y, x] == 0:
                    out[y, x] = own
    return left, right


@jit
def _sums(top: int, bottom: int, left: int, right: int, own: int, out: Array) -> Array:
    """Return how many pixels before each place in a row of a box have a number."""
    sums = np.zeros((bottom - top, max(0, right - left) + 1), np.int32)
    for y in range(top, bottom):
        for x in range(left, right):
            sums[y - top, x - left + 1] = sums[y - top, x - left] + (out[y, x] == own)
    return sums


@jit
def _shared(
    first: int, last: int, cuts: Array, numbers: Array, sums: Array, top: int, left: int
) -> int:
    """Return how many pixels of a polygon, from one row to another, are counted in sums."""
    count, width = 0, sums.shape[1] - 1
    for y in range(max(first, top), min(last, top + len(sums))):
        for i in range(0, numbers[y - first] - 1, 2):
            begin, end = _between(cuts[y - first, i], cuts[y - first, i + 1], left + width)
            begin = max(begin, left)
            if end > begin:
                count += sums[y - top, end - left] - sums[y - top, begin - left]
    return count


@jit
def _cross(ys: Array, xs: Array, top: int, bottom: int, cuts: Array, numbers: Array) -> None:
    """Write where the edges of a polygon cross rows, ascending, and how many do."""
    numbers[: max(0, bottom - top)] = 0
    from_y, from_x = ys[-1], xs[-1]
    for k in range(len(ys)):
        to_y, to_x = ys[k], xs[k]
        low, high = min(from_y, to_y), max(from_y, to_y)
        for row in range(max(0, int(np.ceil(low)) - top), min(bottom, int(np.ceil(high))) - top):
            share = (row + top - from_y) / (to_y - from_y)
            value = from_x + share * (to_x - from_x)
            at = numbers[row]
            numbers[row] = at + 1
            while at > 0 and cuts[row, at - 1] > value:
                cuts[row, at] = cuts[row, at - 1]
                at -= 1
            cuts[row, at] = value
        from_y, from_x = to_y, to_x


@jit
def _between(begin: float, end: float, width: int) -> tuple[int, int]:
    """Return the first pixel between two crossings, and the one after the last."""
    return max(0, int(np.ceil(begin))), min(width, int(np.floor(end)) + 1)


@jit
def _covered(
    middle: int,
    top: int,
    bottom: int,
    cuts: Array,
    numbers: Array,
    area: float,
    overlap: float,
    areas: Array,
    hits: Array,
    touched: Array,
    out: Array,
) -> bool:
    """Say whether too much of a polygon is painted as one and the same better one.

    Rows are looked at from the middle outwards: what is covered is so near its middle.
    """
    found, count, rows, width = False, 0, bottom - top, out.shape[1]
    for turn in range(2 * max(middle - top, bottom - middle) + 1):
        at = middle - top + (turn + 1) // 2 * (1 if turn % 2 else -1)
        if not 0 <= at < rows:
            continue
        for i in range(0, numbers[at] - 1, 2):
            first, last = _between(cuts[at, i], cuts[at, i + 1], width)
            x = first
            while x < last:
                other, start = out[top + at, x], x
                while x < last and out[top + at, x] == other:
                    x += 1
                if other == 0:
                    continue
                if hits[other] == 0:
                    touched[count] = other
                    count += 1
                hits[other] += x - start
                found = found or hits[other] > overlap * min(area, areas[other])
        if found:
            break
    for i in range(count):
        hits[touched[i]] = 0
    return found


@jit
def _area(ys: Array, xs: Array) -> float:
    total, before = 0.0, len(ys) - 1
    for k in range(len(ys)):
        total += ys[before] * xs[k] - ys[k] * xs[before]
        before = k
    return abs(total) / 2
