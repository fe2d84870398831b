"""Compiled parts of flows: heat that spreads within objects, and pixels that follow arrows.

Both run on one thread and release the GIL.
"""

from __future__ import annotations

import numpy as np

from stroma.compiled import Array, jit

STILL = 1e-4
"""Squared pixels: a place that is so near to that of two steps before has arrived."""

FLAT = 1e-6
"""Slopes of less than this share of the heat are rounding: there is no arrow."""


@jit
def heat_flows(labels: Array, boxes: Array, out: Array) -> None:
    """Write arrows of length 1 towards the middle of every object.

    Parameters
    ----------
    labels : (H, W) int32 array
        Objects from 1 to n.
    boxes : (n, 4) int64 array
        Top, bottom, left and right of every object; bottom and right are outside.
    out : (2, H, W) float32 array
        Is filled in within objects: down, right.
    """
    for number in range(len(boxes)):
        top, bottom, left, right = boxes[number]
        mask = np.zeros((bottom - top + 2, right - left + 2))
        for y in range(top, bottom):
            for x in range(left, right):
                if labels[y, x] == number + 1:
                    mask[y - top + 1, x - left + 1] = 1.0
        heat = _spread(mask, _source(mask))
        _slopes(np.log1p(heat), mask, out[:, top:bottom, left:right])


@jit
def _source(mask: Array) -> Array:
    """Return 1 in the pixel of an object nearest its mean place, shared by neighbours as near."""
    height, width = mask.shape
    count, sum_y, sum_x = 0.0, 0.0, 0.0
    for y in range(height):
        for x in range(width):
            count += mask[y, x]
            sum_y += y * mask[y, x]
            sum_x += x * mask[y, x]
    far = np.full(mask.shape, np.inf)
    least, at_y, at_x = np.inf, 0, 0
    for y in range(height):
        for x in range(width):
            if mask[y, x] > 0:
                far[y, x] = (y - sum_y / count) ** 2 + (x - sum_x / count) ** 2
                if far[y, x] < least - 1e-6:
                    least, at_y, at_x = far[y, x], y, x
    source = np.zeros(mask.shape)
    for y in range(max(0, at_y - 1), min(height, at_y + 2)):
        for x in range(max(0, at_x - 1), min(width, at_x + 2)):
            if far[y, x] <= least + 1e-6:
                source[y, x] = 1.0
    return source / source.sum()


@jit
def _spread(mask: Array, source: Array) -> Array:
    """Return the heat of a source that never cools, after it reached the ends of its object."""
    heat, rows = np.zeros(mask.shape), np.zeros(mask.shape)
    area = mask.sum()
    before, reached = -1, 0
    while before < reached < area:
        for _ in range(2 * max(mask.shape)):
            _average(heat, rows, mask, source)
        before, reached = reached, int((heat > 0).sum())
    return heat


@jit
def _average(heat: Array, rows: Array, mask: Array, source: Array) -> None:
    """Add the source, and give every pixel the mean of its 3 x 3; outside it is cold."""
    height, width = heat.shape
    for y in range(height):
        for x in range(width):
            heat[y, x] += source[y, x]
    for y in range(height):
        for x in range(1, width - 1):
            rows[y, x] = heat[y, x - 1] + heat[y, x] + heat[y, x + 1]
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            total = rows[y - 1, x] + rows[y, x] + rows[y + 1, x]
            heat[y, x] = mask[y, x] * total / 9.0


@jit
def _slopes(heat: Array, mask: Array, out: Array) -> None:
    for y in range(1, heat.shape[0] - 1):
        for x in range(1, heat.shape[1] - 1):
            if mask[y, x] > 0:
                down = heat[y + 1, x] - heat[y - 1, x]
                along = heat[y, x + 1] - heat[y, x - 1]
                size = np.sqrt(down * down + along * along)
                if size > FLAT * heat[y, x]:
                    out[0, y - 1, x - 1] = down / size
                    out[1, y - 1, x - 1] = along / size


@jit
def follow(flows: Array, places: Array, steps: int, ends: Array) -> None:
    """Write the pixel where each of some pixels comes to rest.

    Parameters
    ----------
    flows : (2, H, W) float32 array
        A step in pixels at every pixel; between them it is interpolated.
    places : (n, 2) int64 array
        Where pixels start.
    steps : int
        How many steps they take at most.
    ends : (n, 2) int64 array
        Is filled in.
    """
    bottom, right = flows.shape[1] - 1.0, flows.shape[2] - 1.0
    for n in range(len(places)):
        y, x = float(places[n, 0]), float(places[n, 1])
        last_y, last_x = y, x
        for _ in range(steps):
            down, along = _between(flows, y, x)
            next_y = min(max(y + down, 0.0), bottom)
            next_x = min(max(x + along, 0.0), right)
            moved = (next_y - last_y) ** 2 + (next_x - last_x) ** 2
            last_y, last_x, y, x = y, x, next_y, next_x
            if moved < STILL:
                break
        # Around its middle a pixel goes to and fro: what counts is halfway.
        ends[n, 0] = int(np.floor((y + last_y) / 2 + 0.5))
        ends[n, 1] = int(np.floor((x + last_x) / 2 + 0.5))


@jit
def _between(flows: Array, y: float, x: float) -> tuple[float, float]:
    top, left = int(y), int(x)
    low, right = min(top + 1, flows.shape[1] - 1), min(left + 1, flows.shape[2] - 1)
    b, r = y - top, x - left
    p, q, s, t = (1 - b) * (1 - r), (1 - b) * r, b * (1 - r), b * r
    down = p * flows[0, top, left] + q * flows[0, top, right]
    down += s * flows[0, low, left] + t * flows[0, low, right]
    along = p * flows[1, top, left] + q * flows[1, top, right]
    along += s * flows[1, low, left] + t * flows[1, low, right]
    return down, along
