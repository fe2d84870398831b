"""Where to paint next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.blocks.box import Box


@dataclass(frozen=True)
class Suggestion:
    """Where to paint next.

    Parameters
    ----------
    box : Box
        A square around the place, in pixels.
    y, x : float
        Its middle.
    score : float
        0 to 1: how uncertain the model is there, less where strokes are near.
    uncertainty : float
        0 to 1: how uncertain it is there, on the mean of the square.
    distance : float
        Pixels from its middle to the nearest stroke of the plane; NaN where there is none.
    """

    box: Box
    y: float
    x: float
    score: float
    uncertainty: float = float("nan")
    distance: float = float("nan")


def suggest(
    uncertainty: NDArray[np.floating],
    painted: NDArray[np.bool_],
    *,
    step: int = 1,
    side: int = 64,
) -> Suggestion | None:
    """Return the most uncertain place away from existing strokes; None if all is certain.

    Parameters
    ----------
    uncertainty : (h, w) float array
        1 minus the margin of the two best classes, NaN where unknown.
    painted : (h, w) bool array
        Where there are strokes.
    step : int
        Pixels per value.
    side : int
        Side of the square to return, in pixels; also the scale on which places are compared, and
        the distance from strokes at which they stop to matter much.
    """
    known = np.isfinite(uncertainty)
    scale = max(side / step / 4, 0.5)
    weight = ndimage.gaussian_filter(known.astype(np.float32), scale)
    filled = np.where(known, uncertainty, 0).astype(np.float32)
    smooth = ndimage.gaussian_filter(filled, scale) / np.maximum(weight, 1e-6)
    distance = np.full(known.shape, np.nan)
    if painted.any():
        distance = ndimage.distance_transform_edt(~painted)
        smooth = smooth * (distance / (distance + side / step))
    score = np.where(known & ~painted, smooth, 0)
    row, column = np.unravel_index(int(score.argmax()), score.shape)
    if score[row, column] <= 0:
        return None
    y, x = (int(row) + 0.5) * step, (int(column) + 0.5) * step
    whole = Box(0, 0, uncertainty.shape[0] * step, uncertainty.shape[1] * step)
    top, left = int(y - side / 2), int(x - side / 2)
    box = Box(top, left, top + side, left + side).clipped(whole)
    near = uncertainty[box.coarse(step).slices]
    mean, away = float(np.nanmean(near)), float(distance[row, column]) * step
    return Suggestion(box, y, x, float(score[row, column]), mean, away)
