"""Convex hulls of objects of a volume, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from stroma.objects.boxes import Located
from stroma.objects.kernels import cut

NEAR = 1e-9
"""How far outside of a face, in pixels, a centre still counts as on it."""


def solid_hulls(
    found: Located, scales: Sequence[tuple[str, NDArray[np.float64]]]
) -> dict[str, NDArray[Any]]:
    """Return solidity and the greatest Feret diameter of every solid."""
    voxels = np.zeros(len(found))
    widest = {unit: np.zeros(len(found)) for unit, _ in scales}
    for i in range(len(found)):
        mask = cut(found.labels, found.codes[i], found.box[i])
        filled = _filled(mask.astype(bool))
        voxels[i] = filled.sum()
        corners = _corners(filled)
        for unit, scale in scales:
            widest[unit][i] = _widest(corners * scale)
    columns: dict[str, NDArray[Any]] = {"solidity": found.count / np.maximum(voxels, 1)}
    return columns | {f"feret_max_{unit}": column for unit, column in widest.items()}


def _corners(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the corners of the hull of the middles of all faces of voxels."""
    points = np.argwhere(mask).astype(np.float64)
    rim = [points + way for way in np.concatenate([np.eye(3), -np.eye(3)]) / 2]
    every = np.unique(np.concatenate(rim), axis=0)
    return np.asarray(every[ConvexHull(every).vertices])


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the voxels whose centre lies in the hull."""
    faces = ConvexHull(_corners(mask)).equations
    grid = np.indices(mask.shape).reshape(3, -1)
    inside = np.ones(grid.shape[1], bool)
    for *normal, offset in faces:
        inside &= np.asarray(normal) @ grid + offset <= NEAR
    return np.asarray(inside.reshape(mask.shape))


def _widest(points: NDArray[np.float64]) -> float:
    from scipy.spatial.distance import pdist

    return float(pdist(points).max())
