"""Rays in volumes: directions over a sphere, and how far objects reach.

Compiled parts run on one thread and release the GIL.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from stroma.compiled import Array, jit

UNKNOWN = -1
CELLS = 48
"""Cells along the sides of a cube around the sphere, by which the triangle of a way is found."""


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
