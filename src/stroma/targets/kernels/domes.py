"""Compiled reconstruction of a landscape: what lies low grows, as far as the land lets it.

Pixels are joined to trees from the highest down (Meijster and Wilkinson 2002, doi
10.1109/34.993556). Runs on one thread and releases the GIL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.compiled import Array, jit
from stroma.targets.kernels.mutex import root

Floats = NDArray[np.float32]


def reconstructed(low: Floats, land: Floats, front: NDArray[np.bool_]) -> Floats:
    """Return the low landscape, dilated within the land until nothing changes.

    Parameters
    ----------
    low, land : (*space) float32 array
        From 0 up; the low one is nowhere above the land. Pixels that share a corner are neighbours.
    front : (*space) bool array
        Where the land is above 0; what is outside is 0 in the result.
    """
    order = np.argsort(-land[front])
    wide = np.pad(front, 1)
    places = np.flatnonzero(wide)[order]
    ranks = np.full(wide.size, -1, np.int32)
    ranks[places] = np.arange(len(places), dtype=np.int32)
    around = np.indices((3,) * land.ndim).reshape(land.ndim, -1)
    flat = np.asarray(np.ravel_multi_index(tuple(around), wide.shape))
    steps = np.delete(flat - flat[len(flat) // 2], len(flat) // 2)
    found = np.zeros_like(land)
    level = np.empty(len(places), np.float32)
    level[order] = _levels(places, ranks, steps, land[front][order], low[front][order])
    found[front] = level
    return found


@jit
def _levels(places: Array, ranks: Array, steps: Array, land: Array, level: Array) -> Array:
    """Return how high every pixel comes; pixels are in their order, the highest first.

    The pixels of a tree come as high as its root. A pixel that a neighbour's tree exceeds is
    reached by it, and comes as high as the land is: that tree ends there.
    """
    parents = np.arange(len(places)).astype(np.int32)
    for node in range(len(places)):
        for step in steps:
            other = ranks[places[node] + step]
            if not 0 <= other < node:
                continue
            top = root(parents, other)
            if top == node:
                continue
            if level[top] <= land[node]:
                parents[top] = node
                level[node] = max(level[node], level[top])
            else:
                level[node] = np.inf
    for node in range(len(places)):
        top = root(parents, node)
        level[node] = min(level[top], land[top])
    return level
