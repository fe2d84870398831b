"""Steps on the grid of pixels, and what share of all directions each stands for."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray


def directions(*, volume: bool) -> NDArray[np.int64]:
    """Return the (D, 3) steps to half of the neighbours: 4 in a plane, 13 in a volume."""
    steps = [s for s in product((-1, 0, 1), repeat=3) if s > (0, 0, 0)]
    return np.array([s for s in steps if volume or s[0] == 0])


def shares(steps: NDArray[np.int64], spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (D,) share of all directions that is nearest to each step or its opposite.

    Parameters
    ----------
    steps : (D, 3) int64
        As `directions` gives them.
    spacing : (3,) float64
        Size of a pixel.
    """
    way = steps * spacing
    way = way / np.linalg.norm(way, axis=1, keepdims=True)
    if len(steps) > 4:
        from scipy.spatial import SphericalVoronoi

        areas = SphericalVoronoi(np.concatenate([way, -way])).calculate_areas()
        return np.asarray(areas[: len(steps)] / areas[: len(steps)].sum())
    angle = np.mod(np.arctan2(way[:, 1], way[:, 2]), np.pi)
    order = np.argsort(angle)
    gap = np.diff(np.append(angle[order], angle[order][0] + np.pi))
    found = np.empty(len(steps))
    found[order] = (gap + np.roll(gap, 1)) / (2 * np.pi)
    return found


def crofton(
    crossings: NDArray[np.int64], steps: NDArray[np.int64], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the length of borders in a plane, or the area of surfaces in a volume.

    Straight lines cut a border the oftener the longer it is (Crofton's formula); lines through
    pixels in the directions of their neighbours stand for all, each for those nearest to it
    (Lehmann and Legland, "Efficient N-dimensional surface estimation using Crofton formula and
    run-length encoding", Insight Journal, 2012).

    Parameters
    ----------
    crossings : (n, D) int64
        How often lines in each direction enter or leave an object.
    steps, spacing
        As for `shares`.
    """
    volume = len(steps) > 4
    length = np.linalg.norm(steps * spacing, axis=1)
    pixel = np.prod(spacing) if volume else spacing[1] * spacing[2]
    weight = shares(steps, spacing) * pixel / length / 2
    return np.asarray(crossings @ weight * (4 if volume else np.pi))


def ball(radius: float, spacing: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the (k, 3) steps no longer than a radius in pixels of the finest axis."""
    relative = spacing / spacing[spacing > 0].min()
    reach = [int(radius / r) if r > 0 else 0 for r in relative]
    steps = np.array(list(product(*(range(-r, r + 1) for r in reach))))
    near = np.linalg.norm(steps * np.where(relative > 0, relative, 1), axis=1) <= radius
    return np.asarray(steps[near & steps.any(axis=1)], np.int64).reshape(-1, 3)
