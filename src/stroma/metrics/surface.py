"""How far borders are apart, in physical units: surface Dice and Hausdorff distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.errors import ShapeError

Mask = NDArray[np.bool_]


def surface_dice(result: Any, truth: Any, *, spacing: Sequence[float], tolerance: float) -> float:
    """Return the share of both borders that lies within a tolerance of the other.

    Nikolov et al. 2021, doi 10.2196/26151, on border pixels (those with a neighbour outside, along
    an axis), all of which count the same.

    Parameters
    ----------
    result, truth : (*space) bool arrays
        One class.
    spacing : sequence of float
        Size of a pixel along every axis.
    tolerance : float
        In the unit of the spacing.

    Returns
    -------
    float
        NaN where both are empty, 0 where one is.
    """
    return surface_scores(result, truth, spacing=spacing, tolerance=tolerance)[0]


def hausdorff95(result: Any, truth: Any, *, spacing: Sequence[float]) -> float:
    """Return the larger of the 95th percentiles of distances from one border to the other.

    Parameters are those of `surface_dice`. NaN where both are empty, infinite where one is.
    """
    return surface_scores(result, truth, spacing=spacing, tolerance=0.0)[1]


def surface_scores(
    result: Any, truth: Any, *, spacing: Sequence[float], tolerance: float
) -> tuple[float, float]:
    """Return `surface_dice` and `hausdorff95`, which share their work."""
    found, true = np.asarray(result, bool), np.asarray(truth, bool)
    if found.shape != true.shape or len(spacing) != found.ndim:
        raise ShapeError(
            f"Result and truth have one shape, and a spacing per axis; got {found.shape}, "
            f"{true.shape} and {tuple(spacing)}."
        )
    if not found.any() and not true.any():
        return float("nan"), float("nan")
    if not found.any() or not true.any():
        return 0.0, float("inf")
    there, back = distances(found, true, spacing), distances(true, found, spacing)
    near = int((there <= tolerance).sum() + (back <= tolerance).sum())
    farthest = max(float(np.percentile(there, 95)), float(np.percentile(back, 95)))
    return near / (len(there) + len(back)), farthest


def distances(a: Mask, b: Mask, spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return the distance of every border pixel of one mask to the border of another."""
    away = ndimage.distance_transform_edt(~border(b), sampling=tuple(spacing))
    found: NDArray[np.float64] = away[border(a)]
    return found


def border(mask: Mask) -> Mask:
    """Return the pixels of a mask with a neighbour, along an axis, that is outside it.

    Beyond the image is outside.
    """
    found: Mask = mask & ~ndimage.binary_erosion(mask)
    return found
