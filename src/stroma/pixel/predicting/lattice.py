"""Gaussian filtering in many dimensions, on the permutohedral lattice.

Adams, Baek and Davis, Fast high-dimensional filtering using the permutohedral lattice, Computer
Graphics Forum 29(2), 2010, doi:10.1111/j.1467-8659.2009.01645.x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.compiled import jit

EMPTY = -1

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Lattice:
    """The corners that points fall between, made once and used for any values at these points.

    Parameters
    ----------
    corners : (n, d + 1) int32
        Which corners surround each point.
    weights : (n, d + 1) float32
        How near they are; each row adds up to 1.
    neighbours : (d + 1, m, 2) int32
        The corners before and behind each corner along each axis of the lattice; m for none.
    """

    corners: NDArray[np.int32]
    weights: NDArray[np.float32]
    neighbours: NDArray[np.int32]

    @staticmethod
    def of(points: NDArray[np.floating]) -> Lattice:
        """Return the lattice around points.

        Parameters
        ----------
        points : (n, d) float array
            Coordinates in units of the standard deviation of the filter along each dimension.
        """
        corners, weights, keys = _embed(_elevated(points))
        return Lattice(corners, weights, _neighbours(keys))

    def filter(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return, at every point, the sum of all values, weighted by a Gaussian of distance.

        Parameters
        ----------
        values : (k, n) float32
            k values at each of the n points.

        Returns
        -------
        (k, n) float32
            Up to a few per cent of the exact sums; the weight of distance 0 is about 1.
        """
        plain = np.ascontiguousarray(values)
        return np.asarray(_filtered(plain, self.corners, self.weights, self.neighbours))


def _elevated(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return points in the plane of d + 1 coordinates that add up to nothing."""
    count = points.shape[1]
    i = np.arange(count)
    # Blurring by (1, 2, 1) along d + 1 axes, splatting and slicing have this deviation together.
    scale = np.sqrt(2 / 3) * (count + 1) / np.sqrt((i + 1.0) * (i + 2.0))
    scaled = points * scale
    found = np.zeros((len(points), count + 1), np.float32)
    tails = np.cumsum(scaled[:, ::-1], axis=1)[:, ::-1]
    found[:, 0] = tails[:, 0]
    for axis in range(1, count + 1):
        rest = tails[:, axis] if axis < count else 0
        found[:, axis] = rest - axis * scaled[:, axis - 1]
    return found


@jit
def _slot(key: Ints, table: Ints, keys: Ints) -> Any:
    """Return where a corner stands in the table, or the empty place where it would."""
    size = len(table)
    code = np.uint64(0)
    for value in key:
        code = (code + np.uint64(np.int64(value))) * np.uint64(2654435769)
    place = np.int64(code % np.uint64(size))
    while table[place] != EMPTY:
        same = True
        for i in range(len(key)):
            if keys[table[place], i] != key[i]:
                same = False
                break
        if same:
            return place
        place = (place + 1) % size
    return place


@jit
def _find(key: Ints, table: Ints, keys: Ints, used: int) -> tuple[Any, Any]:
    """Return the number of a corner, which gets one if it is new, and how many there are."""
    place = _slot(key, table, keys)
    if table[place] != EMPTY:
        return table[place], used
    table[place] = used
    for i in range(len(key)):
        keys[used, i] = key[i]
    return used, used + 1


@jit
def _embed(elevated: NDArray[np.float32]) -> tuple[Any, Any, Any]:
    """Return the corners around points, their weights, and the keys of all corners."""
    n, sides = elevated.shape
    d = sides - 1
    corners = np.empty((n, sides), np.int32)
    weights = np.empty((n, sides), np.float32)
    table = np.full(2 * n * sides + 1, EMPTY, np.int32)
    keys = np.empty((n * sides, d), np.int32)
    nearest = np.empty(sides, np.int32)
    rank = np.empty(sides, np.int32)
    share = np.empty(sides + 1, np.float32)
    key = np.empty(d, np.int32)
    used = 0
    for p in range(n):
        total = np.int64(0)
        for i in range(sides):
            step = np.int64(np.floor(elevated[p, i] / sides + 0.5))
            nearest[i] = step * sides
            total += step
        rank[:] = 0
        for i in range(d):
            for j in range(i + 1, sides):
                if elevated[p, i] - nearest[i] < elevated[p, j] - nearest[j]:
                    rank[i] += 1
                else:
                    rank[j] += 1
        for i in range(sides):  # back into the plane: the coordinates add up to nothing again
            rank[i] += total
            if rank[i] < 0:
                rank[i] += sides
                nearest[i] += sides
            elif rank[i] > d:
                rank[i] -= sides
                nearest[i] -= sides
        share[:] = 0
        for i in range(sides):
            part = (elevated[p, i] - nearest[i]) / sides
            share[d - rank[i]] += part
            share[sides - rank[i]] -= part
        share[0] += 1 + share[sides]
        for corner in range(sides):
            for i in range(d):
                key[i] = nearest[i] + corner
                if rank[i] > d - corner:
                    key[i] -= sides
            found, used = _find(key, table, keys, used)
            corners[p, corner] = found
            weights[p, corner] = share[corner]
    return corners, weights, keys[:used].copy()


@jit
def _neighbours(keys: Ints) -> Any:
    """Return the corners before and behind each corner along every axis."""
    count, d = keys.shape
    table = np.full(2 * count + 1, EMPTY, np.int32)
    known = np.empty((count + 1, d), np.int32)
    for i in range(count):
        _find(keys[i], table, known, i)
    found = np.full((d + 1, count, 2), count, np.int32)
    key = np.empty(d, np.int32)
    for axis in range(d + 1):
        for i in range(count):
            for way in range(2):
                sign = 1 if way else -1
                for j in range(d):
                    key[j] = keys[i, j] + sign
                if axis < d:
                    key[axis] -= sign * (d + 1)
                known_as = table[_slot(key, table, known)]
                if known_as != EMPTY:
                    found[axis, i, way] = known_as
    return found


@jit
def _filtered(
    values: NDArray[np.float32], corners: Ints, weights: NDArray[np.float32], neighbours: Ints
) -> Any:
    """Splat, blur along all axes, and slice."""
    k, n = values.shape
    axes, count, _ = neighbours.shape
    out = np.empty((k, n), np.float32)
    whole = np.float32(1 / (1 + 2.0 ** -(axes - 1)))
    for row in range(k):
        here = np.zeros(count + 1, np.float32)
        there = np.zeros(count + 1, np.float32)
        for p in range(n):
            for i in range(axes):
                here[corners[p, i]] += weights[p, i] * values[row, p]
        for axis in range(axes):
            for i in range(count):
                before, behind = neighbours[axis, i, 0], neighbours[axis, i, 1]
                there[i] = here[i] + np.float32(0.5) * (here[before] + here[behind])
            here, there = there, here
            here[count] = 0
        for p in range(n):
            total = np.float32(0)
            for i in range(axes):
                total += weights[p, i] * here[corners[p, i]]
            out[row, p] = total * whole
    return out
