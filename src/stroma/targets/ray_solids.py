"""Rays in volumes: directions over a sphere, how far objects reach, and which solids are kept.

A solid has a corner at the end of every ray and a triangle between every three that are next to
each other. Compiled parts run on one thread and release the GIL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from stroma.compiled import Array, jit

UNKNOWN = -1
CELLS = 48
"""Cells along the sides of a cube around the sphere, by which the triangle of a way is found."""

SAMPLED = 512
"""Solids of more voxels than this are compared at every second voxel along each axis, so that
no more than eight times as many are looked at; larger ones at every fourth, and so on."""


@dataclass(frozen=True, eq=False)
class Sphere:
    """Ways from a middle, and the triangles between them.

    Parameters
    ----------
    ways : (K, 3) float64 array
        Of length 1, in voxels.
    triangles : (T, 3) int64 array
        Ways that are next to each other.
    parts : (T, 3, 3) float64 array
        Times a place: what of each way of a triangle leads there.
    cells : (6, CELLS, CELLS) int64 array
        The triangle that is seen in each direction.
    """

    ways: NDArray[np.float64]
    triangles: NDArray[np.int64]
    parts: NDArray[np.float64]
    cells: NDArray[np.int64]

    def between(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weight of every way in values at places, (n, K): those of a triangle."""
        weights = np.zeros((len(places), len(self.ways)))
        for n, place in enumerate(places):
            triangle = _triangle_of(self.parts, place)
            part = np.maximum(self.parts[triangle] @ place, 0)
            weights[n, self.triangles[triangle]] = part / part.sum()
        return weights


@lru_cache(maxsize=8)
def sphere(count: int, spacing: tuple[float, ...] = ()) -> Sphere:
    """Return ways along a golden spiral, which is as even in space as the voxels are not.

    Parameters
    ----------
    count : int
        Ways.
    spacing : tuple of float
        Size of voxels; equal, unless given.
    """
    height = np.linspace(-1, 1, count)
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    wide = np.sqrt(1 - height**2)
    ways = np.stack([height, wide * np.sin(turn), wide * np.cos(turn)], 1)
    sizes = np.array(spacing or (1.0, 1.0, 1.0))
    ways = ways * (sizes.min() / sizes)
    triangles = ConvexHull(ways).simplices.astype(np.int64)
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    parts = np.linalg.inv(ways[triangles].transpose(0, 2, 1))
    return Sphere(ways, triangles, np.ascontiguousarray(parts), _cells(parts))


def _triangle_of(parts: NDArray[np.float64], place: NDArray[np.float64]) -> int:
    """Return the triangle that a way from the middle to a place goes through."""
    return int((parts @ place).min(1).argmax())


def _cells(parts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the triangle in the middle of every cell of a cube; see `_cell`."""
    middle = (np.arange(CELLS) + 0.5) * 2 / CELLS - 1
    b, c = (g.ravel() for g in np.meshgrid(middle, middle, indexing="ij"))
    found = np.empty((6, CELLS, CELLS), np.int64)
    for face in range(6):
        axis, sign = face // 2, 1 - 2 * (face % 2)
        place = np.empty((3, b.size))
        place[axis], place[(axis + 1) % 3], place[(axis + 2) % 3] = sign, b, c
        found[face] = (parts @ place).min(1).argmax(0).reshape(CELLS, CELLS)
    return found


@jit
def reach_solid(labels: Array, ways: Array, out: Array, seen: Array) -> None:
    """Write how far it is from every voxel of an object to its border.

    Parameters
    ----------
    labels : (D, H, W) integer array
        Objects above 0, -1 where nobody knows.
    ways : (K, 3) float64 array
        Steps of length 1.
    out : (K, D, H, W) float32 array
        Is filled in within objects.
    seen : (K, D, H, W) float32 array
        Is set to 0 where a ray ends in what nobody knows.
    """
    depth, height, width = labels.shape
    for k in range(len(ways)):
        a, b, c = ways[k]
        back = 1 - 0.5 / max(abs(a), abs(b), abs(c))
        for z in range(depth):
            for y in range(height):
                for x in range(width):
                    own = labels[z, y, x]
                    if own <= 0:
                        continue
                    steps, other = 0, own
                    while other == own:
                        steps += 1
                        to_z = z + int(np.floor(steps * a + 0.5))
                        to_y = y + int(np.floor(steps * b + 0.5))
                        to_x = x + int(np.floor(steps * c + 0.5))
                        inside = 0 <= to_z < depth and 0 <= to_y < height and 0 <= to_x < width
                        other = labels[to_z, to_y, to_x] if inside else 0
                    out[k, z, y, x] = steps - back
                    if other == UNKNOWN:
                        seen[k, z, y, x] = 0


def keep_solids(
    places: NDArray[np.int64],
    rays: NDArray[np.float32],
    ball: Sphere,
    overlap: float,
    shape: Sequence[int],
) -> NDArray[np.uint32]:
    """Return solids by number that do not lie over better ones.

    Parameters
    ----------
    places : (n, 3) int64 array
        Their middles, the best first.
    rays : (n, K) float32 array
        How far they reach.
    ball : Sphere
        Where to.
    overlap : float
        A solid goes if it shares more than this part of the smaller of it and a better one.
    shape : sequence of int
        Sides of the volume.
    """
    out = np.zeros(tuple(shape), np.uint32)
    _keep(places, rays, ball.ways, ball.triangles, ball.parts, ball.cells, overlap, out)
    return out


@jit
def _keep(
    places: Array,
    rays: Array,
    ways: Array,
    triangles: Array,
    parts: Array,
    cells: Array,
    overlap: float,
    out: Array,
) -> int:
    volumes = np.zeros(len(places) + 1)
    hits = np.zeros(len(places) + 1, np.int64)
    sides = np.array(out.shape)
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    kept = 0
    for n in range(len(places)):
        reaches = np.maximum(rays[n], 0.5)
        place = places[n]
        for axis in range(3):
            ends = place[axis] + reaches * ways[:, axis]
            low[axis] = max(0, int(np.ceil(ends.min())))
            high[axis] = min(sides[axis], int(np.floor(ends.max())) + 1)
        volume = _volume(reaches, ways, triangles)
        step = 2 if volume > SAMPLED else 1
        while volume > 8 * SAMPLED * step**3:
            step *= 2
        share = overlap / step**3
        if _covered(
            place,
            reaches,
            low,
            high,
            step,
            triangles,
            parts,
            cells,
            share,
            volume,
            volumes,
            hits,
            out,
        ):
            continue
        kept += 1
        volumes[kept] = volume
        for z in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                for x in range(low[2], high[2]):
                    if out[z, y, x] == 0 and _within(
                        z - place[0], y - place[1], x - place[2], reaches, triangles, parts, cells
                    ):
                        out[z, y, x] = kept
    return kept


@jit
def _covered(
    place: Array,
    reaches: Array,
    low: Array,
    high: Array,
    step: int,
    triangles: Array,
    parts: Array,
    cells: Array,
    share: float,
    volume: float,
    volumes: Array,
    hits: Array,
    out: Array,
) -> bool:
    """Say whether too much of a solid is painted as one and the same better one."""
    found = False
    for z in range(low[0], high[0], step):
        if found:
            break
        for y in range(low[1], high[1], step):
            for x in range(low[2], high[2], step):
                other = out[z, y, x]
                if other > 0 and _within(
                    z - place[0], y - place[1], x - place[2], reaches, triangles, parts, cells
                ):
                    hits[other] += 1
                    if hits[other] > share * min(volume, volumes[other]):
                        found = True
    for z in range(low[0], high[0], step):
        for y in range(low[1], high[1], step):
            for x in range(low[2], high[2], step):
                hits[out[z, y, x]] = 0
    return found


@jit
def _within(
    z: float, y: float, x: float, reaches: Array, triangles: Array, parts: Array, cells: Array
) -> bool:
    """Say whether a place, seen from the middle, lies within a solid."""
    if z == 0 and y == 0 and x == 0:
        return True
    triangle = _cell(z, y, x, cells)
    total = 0.0
    for i in range(3):
        part = parts[triangle, i, 0] * z + parts[triangle, i, 1] * y + parts[triangle, i, 2] * x
        total += part / reaches[triangles[triangle, i]]
    return total <= 1


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


@jit
def _volume(reaches: Array, ways: Array, triangles: Array) -> float:
    total = 0.0
    for t in range(len(triangles)):
        i, j, k = triangles[t]
        a, b, c = ways[i], ways[j], ways[k]
        turned = (
            a[0] * (b[1] * c[2] - b[2] * c[1])
            - a[1] * (b[0] * c[2] - b[2] * c[0])
            + a[2] * (b[0] * c[1] - b[1] * c[0])
        )
        total += abs(turned) * reaches[i] * reaches[j] * reaches[k] / 6
    return total
