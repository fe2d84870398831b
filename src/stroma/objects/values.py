"""Compiled statistics of an image inside objects and around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from stroma.compiled import jit

Array = Any

PERCENTS = (5, 25, 50, 75, 95)
"""Percentiles of the values of an object."""

MOST_NEIGHBOURS = 4096
"""Neighbours of one object that are counted."""


@jit
def inside(
    first: int,
    end: int,
    labels: Array,
    codes: Array,
    box: Array,
    count: Array,
    centre: Array,
    image: Array,
    percents: Array,
    out: Array,
) -> None:
    """Write statistics of the values of each object.

    Parameters
    ----------
    image : (z, y, x) array
        The values.
    percents : (P,) float64
        Which percentiles.
    out : (n, 5 + 3 + P) float64
        Mean, spread, least, greatest, sum; the way z, y, x from the centre to that of the values,
        in pixels (NaN where they add up to zero); percentiles.
    """
    for i in range(first, end):
        values, moment, n = np.empty(count[i]), np.zeros(3), 0
        for z in range(box[i, 0], box[i, 3]):
            for y in range(box[i, 1], box[i, 4]):
                for x in range(box[i, 2], box[i, 5]):
                    if labels[z, y, x] == codes[i]:
                        value = float(image[z, y, x])
                        values[n] = value
                        moment[0] += value * (z - centre[i, 0])
                        moment[1] += value * (y - centre[i, 1])
                        moment[2] += value * (x - centre[i, 2])
                        n += 1
        total = values.sum()
        out[i, 0], out[i, 1] = total / n, values.std()
        values.sort()
        out[i, 2], out[i, 3], out[i, 4] = values[0], values[-1], total
        for axis in range(3):
            out[i, 5 + axis] = moment[axis] / total if total != 0 else np.nan
        for k in range(len(percents)):
            at = percents[k] / 100 * (n - 1)
            low = int(at)
            part = at - low
            out[i, 8 + k] = values[low] + part * (values[min(low + 1, n - 1)] - values[low])


@jit
def _ring(
    labels: Array, code: int, box: Array, steps: Array, reach: Array, near: Array
) -> tuple[Array, int]:
    """Return the unlabelled pixels around an object, in a box with a margin, and its neighbours.

    ``near`` is room for labels of neighbours; their number is returned.
    """
    z0, y0, x0 = box[0] - reach[0], box[1] - reach[1], box[2] - reach[2]
    shape = (box[3] - z0 + reach[0], box[4] - y0 + reach[1], box[5] - x0 + reach[2])
    ring = np.zeros(shape, np.uint8)
    others = 0
    for z in range(box[0], box[3]):
        for y in range(box[1], box[4]):
            for x in range(box[2], box[5]):
                if labels[z, y, x] != code or not _at_border(labels, code, z, y, x):
                    continue
                for k in range(len(steps)):
                    a, b, c = z + steps[k, 0], y + steps[k, 1], x + steps[k, 2]
                    if not _within(labels, a, b, c):
                        continue
                    other = labels[a, b, c]
                    if other == 0:
                        ring[a - z0, b - y0, c - x0] = 1
                    elif other != code:
                        others = _noted(near, others, other)
    return ring, others


@jit
def _within(labels: Array, z: int, y: int, x: int) -> bool:
    depth, height, width = labels.shape
    inside = 0 <= z < depth and 0 <= y < height and 0 <= x < width
    return bool(inside)


@jit
def _at_border(labels: Array, code: int, z: int, y: int, x: int) -> bool:
    """Tell whether a pixel shares a side with one that is not of the object."""
    for axis in range(3):
        for step in (-1, 1):
            a, b, c = z, y, x
            if axis == 0:
                a += step
            elif axis == 1:
                b += step
            else:
                c += step
            if _within(labels, a, b, c) and labels[a, b, c] != code:
                return True
    return False


@jit
def _noted(near: Array, n: int, label: int) -> int:
    """Add a label to the first n of a list unless it is there; return how many there are."""
    for k in range(n):
        if near[k] == label:
            return n
    if n < len(near):
        near[n] = label
        return n + 1
    return n


@jit
def around(
    first: int,
    end: int,
    labels: Array,
    codes: Array,
    box: Array,
    steps: Array,
    image: Array,
    neighbours: Array,
    out: Array,
) -> None:
    """Write mean and spread of the values around each object, and how many others are near.

    Parameters
    ----------
    steps : (k, 3) int64
        From a pixel to all that are near enough to it.
    image : (z, y, x) array, or one of size 0
        The values.
    neighbours : (n,) int64
        Objects that are that near.
    out : (n, 2) float64
        Mean and spread of pixels that are near and of no object; NaN where there are none.
    """
    reach = np.array([np.abs(steps[:, a]).max() if len(steps) else 0 for a in range(3)])
    near = np.empty(MOST_NEIGHBOURS, labels.dtype)
    for i in range(first, end):
        ring, neighbours[i] = _ring(labels, codes[i], box[i], steps, reach, near)
        if not image.size:
            continue
        total, squares, n = 0.0, 0.0, 0
        shift = 0.0
        for z in range(ring.shape[0]):
            for y in range(ring.shape[1]):
                for x in range(ring.shape[2]):
                    if ring[z, y, x]:
                        at = z + box[i, 0] - reach[0], y + box[i, 1] - reach[1]
                        value = float(image[at[0], at[1], x + box[i, 2] - reach[2]])
                        if n == 0:
                            shift = value
                        total += value - shift
                        squares += (value - shift) ** 2
                        n += 1
        if n:
            mean = total / n
            out[i, 0] = mean + shift
            out[i, 1] = np.sqrt(max(0.0, squares / n - mean * mean))
