"""Compiled parts of flows in volumes: as `stroma.targets.kernels.arrows`, with one axis more.

Both run on one thread and release the GIL.
"""

from __future__ import annotations

import numpy as np

from stroma.compiled import Array, jit
from stroma.targets.kernels.arrows import FLAT, STILL


@jit
def heat_flows_solid(labels: Array, boxes: Array, out: Array) -> None:
    """Write arrows of length 1 towards the middle of every object.

    Parameters
    ----------
    labels : (D, H, W) int32 array
        Objects from 1 to n.
    boxes : (n, 6) int64 array
        First and last of every object along each axis; the last are outside.
    out : (3, D, H, W) float32 array
        Is filled in within objects.
    """
    for number in range(len(boxes)):
        front, behind, top, bottom, left, right = boxes[number]
        mask = np.zeros((behind - front + 2, bottom - top + 2, right - left + 2))
        for z in range(front, behind):
            for y in range(top, bottom):
                for x in range(left, right):
                    if labels[z, y, x] == number + 1:
                        mask[z - front + 1, y - top + 1, x - left + 1] = 1.0
        heat = _spread(mask, _source(mask))
        _slopes(np.log1p(heat), mask, out[:, front:behind, top:bottom, left:right])


@jit
def _source(mask: Array) -> Array:
    """Return 1 in the voxel of an object nearest its mean place, shared by neighbours as near."""
    depth, height, width = mask.shape
    count, sum_z, sum_y, sum_x = 0.0, 0.0, 0.0, 0.0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                count += mask[z, y, x]
                sum_z += z * mask[z, y, x]
                sum_y += y * mask[z, y, x]
                sum_x += x * mask[z, y, x]
    far = np.full(mask.shape, np.inf)
    least, at_z, at_y, at_x = np.inf, 0, 0, 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if mask[z, y, x] > 0:
                    away = (z - sum_z / count) ** 2 + (y - sum_y / count) ** 2
                    far[z, y, x] = away + (x - sum_x / count) ** 2
                    if far[z, y, x] < least - 1e-6:
                        least, at_z, at_y, at_x = far[z, y, x], z, y, x
    source = np.zeros(mask.shape)
    for z in range(max(0, at_z - 1), min(depth, at_z + 2)):
        for y in range(max(0, at_y - 1), min(height, at_y + 2)):
            for x in range(max(0, at_x - 1), min(width, at_x + 2)):
                if far[z, y, x] <= least + 1e-6:
                    source[z, y, x] = 1.0
    return source / source.sum()


@jit
def _spread(mask: Array, source: Array) -> Array:
    """Return the heat of a source that never cools, after it reached the ends of its object."""
    heat, rows, planes = np.zeros(mask.shape), np.zeros(mask.shape), np.zeros(mask.shape)
    volume = mask.sum()
    before, reached = -1, 0
    while before < reached < volume:
        for _ in range(2 * max(mask.shape)):
            _average(heat, rows, planes, mask, source)
        before, reached = reached, int((heat > 0).sum())
    return heat


@jit
def _average(heat: Array, rows: Array, planes: Array, mask: Array, source: Array) -> None:
    """Add the source, and give every voxel the mean of its 3 x 3 x 3; outside it is cold."""
    depth, height, width = heat.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                heat[z, y, x] += source[z, y, x]
    for z in range(depth):
        for y in range(height):
            for x in range(1, width - 1):
                rows[z, y, x] = heat[z, y, x - 1] + heat[z, y, x] + heat[z, y, x + 1]
    for z in range(depth):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                planes[z, y, x] = rows[z, y - 1, x] + rows[z, y, x] + rows[z, y + 1, x]
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                total = planes[z - 1, y, x] + planes[z, y, x] + planes[z + 1, y, x]
                heat[z, y, x] = mask[z, y, x] * total / 27.0


@jit
def _slopes(heat: Array, mask: Array, out: Array) -> None:
    for z in range(1, heat.shape[0] - 1):
        for y in range(1, heat.shape[1] - 1):
            for x in range(1, heat.shape[2] - 1):
                if mask[z, y, x] > 0:
                    deep = heat[z + 1, y, x] - heat[z - 1, y, x]
                    down = heat[z, y + 1, x] - heat[z, y - 1, x]
                    along = heat[z, y, x + 1] - heat[z, y, x - 1]
                    size = np.sqrt(deep * deep + down * down + along * along)
                    if size > FLAT * heat[z, y, x]:
                        out[0, z - 1, y - 1, x - 1] = deep / size
                        out[1, z - 1, y - 1, x - 1] = down / size
                        out[2, z - 1, y - 1, x - 1] = along / size


@jit
def follow_solid(flows: Array, places: Array, steps: int, ends: Array) -> None:
    """Write the voxel where each of some voxels comes to rest.

    Parameters
    ----------
    flows : (3, D, H, W) float32 array
        A step in voxels at every voxel; between them it is interpolated.
    places : (n, 3) int64 array
        Where voxels start.
    steps : int
        How many steps they take at most.
    ends : (n, 3) int64 array
        Is filled in.
    """
    place, last = np.empty(3), np.empty(3)
    step = np.empty(3)
    for n in range(len(places)):
        for axis in range(3):
            place[axis] = last[axis] = places[n, axis]
        for _ in range(steps):
            _between(flows, place, step)
            moved = 0.0
            for axis in range(3):
                there = min(max(place[axis] + step[axis], 0.0), flows.shape[axis + 1] - 1.0)
                moved += (there - last[axis]) ** 2
                last[axis], place[axis] = place[axis], there
            if moved < STILL:
                break
        # Around its middle a voxel goes to and fro: what counts is halfway.
        for axis in range(3):
            ends[n, axis] = int(np.floor((place[axis] + last[axis]) / 2 + 0.5))


@jit
def _between(flows: Array, place: Array, out: Array) -> None:
    """Write the step at a place between voxels."""
    out[:] = 0.0
    first_z, first_y, first_x = int(place[0]), int(place[1]), int(place[2])
    for k in range(8):
        dz, dy, dx = k // 4, k // 2 % 2, k % 2
        weight = abs(1 - dz - place[0] + first_z) * abs(1 - dy - place[1] + first_y)
        weight *= abs(1 - dx - place[2] + first_x)
        if weight > 0:
            z = min(first_z + dz, flows.shape[1] - 1)
            y = min(first_y + dy, flows.shape[2] - 1)
            x = min(first_x + dx, flows.shape[3] - 1)
            for axis in range(3):
                out[axis] += weight * flows[axis, z, y, x]
