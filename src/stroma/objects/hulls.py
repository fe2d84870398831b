"""Compiled convex hulls of objects of a plane, in whole numbers of half pixels, so exact.

The hull is that of the middles of all sides of an object's pixels, and a pixel belongs to it if
its centre does. Feret's diameters are those of the middles of the sides of these pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stroma.compiled import jit

Array = Any

AREA, FERET, LEAST = 0, 1, 2
"""Columns of the results: pixels of the hull; greatest and least distance of parallel tangents."""


@jit
def hulls(
    first: int, end: int, labels: Array, codes: Array, box: Array, spacing: Array, out: Array
) -> None:
    """Write area, greatest and least Feret diameter of each object of a plane.

    Parameters
    ----------
    spacing : (2,) float64
        Size of a pixel along y and x; the area is in pixels.
    out : (n, 3) float64
        The results.
    """
    for i in range(first, end):
        left, right = _rows(labels[box[i, 0]], codes[i], box[i])
        hull = _hull(left, right)
        out[i, AREA] = _fill(hull, left, right)
        hull = _hull(left, right)
        out[i, FERET], out[i, LEAST] = _widths(hull, spacing)


@jit
def _rows(labels: Array, code: int, box: Array) -> tuple[Array, Array]:
    """Return the first and the last pixel of each row; of empty rows the last comes first."""
    height = box[4] - box[1]
    left, right = np.full(height, 1, np.int64), np.full(height, 0, np.int64)
    for y in range(height):
        found = False
        for x in range(box[2], box[5]):
            if labels[box[1] + y, x] == code:
                if not found:
                    left[y] = x - box[2]
                right[y] = x - box[2]
                found = True
    return left, right


@jit
def _hull(left: Array, right: Array) -> Array:
    """Return the (m, 2) corners y, x in half pixels, in order (Andrew's monotone chain)."""
    points = _middles(left, right)
    n = len(points)
    chain = np.empty((2 * n + 2, 2), np.int64)
    length = 0
    for back in range(2):
        floor = length
        for j in range(n):
            p = points[n - 1 - j] if back else points[j]
            while length >= floor + 2 and _turn(chain[length - 2], chain[length - 1], p) <= 0:
                length -= 1
            chain[length] = p
            length += 1
        length -= 1
    return chain[:length]


@jit
def _middles(left: Array, right: Array) -> Array:
    """Return the outermost middles of sides in each half row, sorted by y, then x."""
    rows = 2 * len(left) + 1
    low, high = np.full(rows, 2**62, np.int64), np.full(rows, -(2**62), np.int64)
    for y in range(len(left)):
        if left[y] > right[y]:
            continue
        for k in range(3):
            out = 1 if k == 1 else 0
            low[2 * y + k] = min(low[2 * y + k], 2 * left[y] - out)
            high[2 * y + k] = max(high[2 * y + k], 2 * right[y] + out)
    points = np.empty((2 * rows, 2), np.int64)
    n = 0
    for k in range(rows):
        if low[k] <= high[k]:
            points[n, 0], points[n, 1] = k - 1, low[k]
            n += 1
            if high[k] > low[k]:
                points[n, 0], points[n, 1] = k - 1, high[k]
                n += 1
    return points[:n]


@jit
def _turn(a: Array, b: Array, c: Array) -> int:
    return int((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


@jit
def _fill(hull: Array, left: Array, right: Array) -> int:
    """Write the first and last pixel of each row within the hull, and return how many there are."""
    left[:] = np.iinfo(np.int64).max
    right[:] = np.iinfo(np.int64).min
    for j in range(len(hull)):
        a, b = hull[j], hull[(j + 1) % len(hull)]
        if a[0] > b[0]:
            a, b = b, a
        rise = b[0] - a[0]
        if rise == 0:
            continue
        for y in range(max(0, (a[0] + 1) // 2), min(len(left) - 1, b[0] // 2) + 1):
            above = a[1] * rise + (2 * y - a[0]) * (b[1] - a[1])
            left[y] = min(left[y], -((-above) // (2 * rise)))
            right[y] = max(right[y], above // (2 * rise))
    total = 0
    for y in range(len(left)):
        total += right[y] - left[y] + 1
    return total


@jit
def _widths(hull: Array, spacing: Array) -> tuple[float, float]:
    """Return the greatest distance of two corners, and the least width across a side."""
    n = len(hull)
    ys, xs = hull[:, 0] * (spacing[0] / 2), hull[:, 1] * (spacing[1] / 2)
    most, least = 0.0, np.inf
    for j in range(n):
        k = (j + 1) % n
        dy, dx = ys[k] - ys[j], xs[k] - xs[j]
        across = 0.0
        for m in range(n):
            most = max(most, (ys[m] - ys[j]) ** 2 + (xs[m] - xs[j]) ** 2)
            across = max(across, abs(dy * (xs[m] - xs[j]) - dx * (ys[m] - ys[j])))
        least = min(least, across / np.sqrt(dy * dy + dx * dx))
    return np.sqrt(most), least
