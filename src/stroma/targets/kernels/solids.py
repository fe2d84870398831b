"""Compiled choice of solids: the best are painted, those that lie over them go.

A solid has a corner at the end of every ray and a triangle between every three that are next to
each other. All runs on one thread and releases the GIL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.compiled import Array, jit
from stroma.targets.kernels.sphere import CELLS, Sphere

SAMPLED = 512
"""Solids of more voxels than this are compared at every second voxel along each axis."""

STEPS, SAMPLES, ACROSS = 4, 256, 8
"""Up to every fourth voxel, as long as so many of the solid and so many across are looked at."""

NEAR = 40
"""The triangles that places so near are seen in are looked up, in voxels along each axis."""

SAFE = 1 - 1e-6
"""Balls that are so much smaller than what fits into a solid lie within it, rounded or not."""


def keep_solids(
    values: NDArray[np.float32],
    places: NDArray[np.int64],
    waiting: NDArray[np.bool_],
    ball: Sphere,
    overlap: float,
) -> NDArray[np.uint32]:
    """Return solids by number that do not lie over better ones.

    A solid that is kept drops those at once that lie over it and have their middle in it, which
    are nearly all: their rays and its voxels are at hand then.

    Parameters
    ----------
    values : (1 + K, D, H, W) float32 array
        Depth, which is not looked at, and how far rays reach.
    places : (n, 3) int64 array
        Middles of solids, the best first.
    waiting : (D, H, W) bool array
        Where middles are; none are, in the end.
    ball : Sphere
        Where rays lead.
    overlap : float
        A solid goes if it shares more than this part of the smaller of it and a better one.
    """
    out = np.zeros(waiting.shape, np.uint32)
    corners = ball.ways[ball.triangles]
    sizes = np.abs(np.linalg.det(corners))
    near = _near(min(NEAR, max(waiting.shape)), ball.cells)
    _keep(
        values,
        places,
        waiting,
        ball.ways,
        ball.triangles,
        ball.parts,
        sizes,
        ball.cells,
        near,
        overlap,
        out,
    )
    return out


@jit
def _keep(
    values: Array,
    places: Array,
    waiting: Array,
    ways: Array,
    triangles: Array,
    parts: Array,
    sizes: Array,
    cells: Array,
    near: Array,
    overlap: float,
    out: Array,
) -> None:
    volumes = np.zeros(len(places) + 1)
    hits = np.zeros(len(places) + 1, np.int32)
    touched = np.empty(len(places) + 1, np.int32)
    planes = np.empty((len(triangles), 3))
    box = np.empty((2, 3), np.int64)
    own = np.empty((2, 3), np.int64)
    kept = 0
    for n in range(len(places)):
        place = places[n]
        if not waiting[place[0], place[1], place[2]]:
            continue
        waiting[place[0], place[1], place[2]] = False
        volume, inner = _solid(values, place, ways, triangles, parts, sizes, planes, own)
        if _covered(place, planes, own, cells, near, overlap, volume, volumes, hits, touched, out):
            continue
        kept += 1
        volumes[kept] = volume
        _paint(place, planes, own, cells, near, kept, out)
        sums = _sums(own, kept, out)
        other = np.empty(3, np.int64)
        for z in range(own[0, 0], own[1, 0]):
            for y in range(own[0, 1], own[1, 1]):
                for x in range(own[0, 2], own[1, 2]):
                    if not waiting[z, y, x] or out[z, y, x] != kept:
                        continue
                    other[0], other[1], other[2] = z, y, x
                    size, inner = _solid(values, other, ways, triangles, parts, sizes, planes, box)
                    step = _step(size, box)
                    most = overlap / step**3 * min(size, volume)
                    waiting[z, y, x] = not _shares(
                        other, planes, inner, box, own, step, cells, near, sums, kept, most, out
                    )


@jit
def _solid(
    values: Array,
    place: Array,
    ways: Array,
    triangles: Array,
    parts: Array,
    sizes: Array,
    planes: Array,
    box: Array,
) -> tuple[float, float]:
    """Write a solid's planes and box; return its volume, and the radius of a ball within it.

    Places seen from the middle are on this side of a plane where the scalar product is 1 at most.
    """
    reaches, shares = np.empty(len(ways)), np.empty(len(ways))
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for k in range(len(ways)):
        reaches[k] = max(values[k + 1, place[0], place[1], place[2]], 0.5)
        shares[k] = 1 / reaches[k]
        for axis in range(3):
            end = place[axis] + reaches[k] * ways[k, axis]
            low[axis], high[axis] = min(low[axis], end), max(high[axis], end)
    for axis in range(3):
        box[0, axis] = max(0, int(np.ceil(low[axis])))
        box[1, axis] = min(values.shape[axis + 1], int(np.floor(high[axis])) + 1)
    volume, steepest = 0.0, 0.0
    for t in range(len(triangles)):
        i, j, k = triangles[t]
        volume += sizes[t] * reaches[i] * reaches[j] * reaches[k] / 6
        steep = 0.0
        for axis in range(3):
            plane = parts[t, 0, axis] * shares[i] + parts[t, 1, axis] * shares[j]
            plane += parts[t, 2, axis] * shares[k]
            planes[t, axis] = plane
            steep += plane * plane
        steepest = max(steepest, steep)
    return volume, SAFE / np.sqrt(steepest)


@jit
def _step(volume: float, box: Array) -> int:
    """Return at every how many voxels along each axis a solid is compared."""
    step = 2 if volume > SAMPLED else 1
    least = (box[1] - box[0]).min() // ACROSS
    while 1 < step < min(STEPS, least) and volume > SAMPLES * (step + 1) ** 3:
        step += 1
    return step


@jit
def _paint(
    place: Array, planes: Array, box: Array, cells: Array, near: Array, own: int, out: Array
) -> None:
    """Give what is free within a solid its number."""
    for z in range(box[0, 0], box[1, 0]):
        for y in range(box[0, 1], box[1, 1]):
            for x in range(box[0, 2], box[1, 2]):
                if out[z, y, x] == 0 and _within(
                    z - place[0], y - place[1], x - place[2], planes, cells, near
                ):
                    out[z, y, x] = own


@jit
def _sums(box: Array, own: int, out: Array) -> Array:
    """Return how many voxels before each place in a row have a number: of all, every second ..."""
    depth, height, width = box[1] - box[0]
    sums = np.zeros((STEPS, depth, height, width + STEPS), np.int32)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if out[box[0, 0] + z, box[0, 1] + y, box[0, 2] + x] == own:
                    sums[0, z, y, x + 1] = 1
    for step in range(STEPS, 0, -1):
        for z in range(depth):
            for y in range(height):
                for x in range(width):
                    here = sums[0, z, y, x + 1]
                    sums[step - 1, z, y, x + step] = sums[step - 1, z, y, x] + here
    return sums


@jit
def _first(low: int, least: int, step: int) -> int:
    """Return the first of the places low, low + step ... that is not before another."""
    return low if least <= low else low + (least - low + step - 1) // step * step


@jit
def _half(inner: float, z: float, y: float) -> float:
    """Return how far a ball reaches along a row; negative where it does not."""
    rest = inner * inner - z * z - y * y
    return np.sqrt(rest) if rest >= 0 else -1.0


@jit
def _in_ball(
    place: Array, inner: float, box: Array, own: Array, step: int, sums: Array, most: float
) -> int:
    """Return how many samples a ball within a solid shares with a better one; enough do."""
    count = 0
    for z in range(_first(box[0, 0], own[0, 0], step), min(box[1, 0], own[1, 0]), step):
        for y in range(_first(box[0, 1], own[0, 1], step), min(box[1, 1], own[1, 1]), step):
            half = _half(inner, z - place[0], y - place[1])
            if half < 0:
                continue
            least = max(own[0, 2], int(np.ceil(place[2] - half)))
            start = _first(box[0, 2], least, step) - own[0, 2]
            stop = _first(box[0, 2], min(own[1, 2], int(place[2] + half) + 1), step) - own[0, 2]
            if stop > start:
                i, j = z - own[0, 0], y - own[0, 1]
                count += sums[step - 1, i, j, stop] - sums[step - 1, i, j, start]
        if count > most:
            break
    return count


@jit
def _shares(
    place: Array,
    planes: Array,
    inner: float,
    box: Array,
    own: Array,
    step: int,
    cells: Array,
    near: Array,
    sums: Array,
    number: int,
    most: float,
    out: Array,
) -> bool:
    """Say whether a solid shares more than so many samples with a better one.

    Planes are looked at from the middle outwards: most of what is shared is there.
    """
    count = _in_ball(place, inner, box, own, step, sums, most)
    first = _first(box[0, 0], own[0, 0], step)
    planes_seen = (min(box[1, 0], own[1, 0]) - first + step - 1) // step
    middle = (place[0] - first) // step
    for turn in range(2 * max(middle, planes_seen - middle) + 1):
        if count > most:
            break
        at = middle + (turn + 1) // 2 * (1 if turn % 2 else -1)
        if not 0 <= at < planes_seen:
            continue
        z = first + step * at
        for y in range(_first(box[0, 1], own[0, 1], step), min(box[1, 1], own[1, 1]), step):
            half = _half(inner, z - place[0], y - place[1])
            for x in range(_first(box[0, 2], own[0, 2], step), min(box[1, 2], own[1, 2]), step):
                if out[z, y, x] == number and abs(x - place[2]) > half:
                    count += _within(z - place[0], y - place[1], x - place[2], planes, cells, near)
    return count > most


@jit
def _covered(
    place: Array,
    planes: Array,
    box: Array,
    cells: Array,
    near: Array,
    overlap: float,
    volume: float,
    volumes: Array,
    hits: Array,
    touched: Array,
    out: Array,
) -> bool:
    """Say whether too much of a solid is painted as one and the same better one."""
    found, count, step = False, 0, _step(volume, box)
    share = overlap / step**3
    for z in range(box[0, 0], box[1, 0], step):
        for y in range(box[0, 1], box[1, 1], step):
            for x in range(box[0, 2], box[1, 2], step):
                other = out[z, y, x]
                if other > 0 and _within(
                    z - place[0], y - place[1], x - place[2], planes, cells, near
                ):
                    if hits[other] == 0:
                        touched[count] = other
                        count += 1
                    hits[other] += 1
                    found = found or hits[other] > share * min(volume, volumes[other])
        if found:
            break
    for i in range(count):
        hits[touched[i]] = 0
    return found


@jit
def _within(z: int, y: int, x: int, planes: Array, cells: Array, near: Array) -> bool:
    """Say whether a place, seen from the middle, lies within a solid; the middle does."""
    reach = len(near) // 2
    if abs(z) <= reach and abs(y) <= reach and abs(x) <= reach:
        t = int(near[z + reach, y + reach, x + reach])
    else:
        t = _cell(z, y, x, cells)
    return bool(planes[t, 0] * z + planes[t, 1] * y + planes[t, 2] * x <= 1)


@jit
def _near(reach: int, cells: Array) -> Array:
    """Return the triangle in the direction of every place that is so near."""
    side = 2 * reach + 1
    near = np.zeros((side, side, side), np.int16)
    for z in range(-reach, reach + 1):
        for y in range(-reach, reach + 1):
            for x in range(-reach, reach + 1):
                if z != 0 or y != 0 or x != 0:
                    near[z + reach, y + reach, x + reach] = _cell(z, y, x, cells)
    return near


@jit
def _cell(z: float, y: float, x: float, cells: Array) -> int:
    """Return the triangle in the direction of a place, by the face of a cube that it is on."""
    if abs(z) >= abs(y) and abs(z) >= abs(x):
        axis, along, b, c = 0, z, y, x
    elif abs(y) >= abs(x):
        axis, along, b, c = 1, y, x, z
    else:
        axis, along, b, c = 2, x, z, y
    face = 2 * axis + (1 if along < 0 else 0)
    size = abs(along)
    row = min(CELLS - 1, int((b / size + 1) * CELLS / 2))
    column = min(CELLS - 1, int((c / size + 1) * CELLS / 2))
    return int(cells[face, row, column])
