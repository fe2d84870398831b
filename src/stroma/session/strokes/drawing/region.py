"""Regions that grow from one pixel: of what is alike, and of what is enclosed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SMOOTHED = 1.0
"""Width in pixels of the Gaussian before pixels are compared, so that noise stops nothing."""

LEAST_HOLE, HOLES = 16, 0.01
"""Pixels of a hole that is filled: so many, or that share of the region."""

Mask = NDArray[np.bool_]


def alike(values: NDArray[np.floating], seed: tuple[int, int], *, reach: float) -> Mask:
    """Return the pixels around one that look like it, as far as an edge.

    Parameters
    ----------
    values : (C, h, w) array
        The channels. Where they are not numbers there is nothing.
    seed : (int, int)
        Row and column of the pixel.
    reach : float
        How far values may lie from that of the pixel, and how fast they may change from pixel to
        pixel, in standard deviations of all that is there.

    Returns
    -------
    (h, w) array of bool
        One connected region with the pixel in it, without small holes; bridges one pixel wide are
        cut.
    """
    known = np.isfinite(values).all(axis=0)
    smooth = np.stack(
        [ndimage.gaussian_filter(np.where(known, v, 0), SMOOTHED, mode="nearest") for v in values]
    ).astype(np.float32)
    spread = np.array([v[known].std() if known.any() else 0.0 for v in smooth], np.float32)
    smooth /= np.where(spread > 0, spread, 1)[:, None, None]
    off = smooth - smooth[(slice(None), *seed)][:, None, None]
    near = known & (_size(off) <= reach) & (_steepness(smooth) <= reach)
    near[seed] = known[seed]
    found = _around(near, seed)
    opened = ndimage.binary_opening(found, np.ones((3, 3), bool))
    kept = _around(opened, seed) if opened[seed] else found
    return _without_small_holes(kept)


def _size(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the root mean square over the channels."""
    return np.asarray(np.sqrt((values**2).mean(axis=0)), np.float32)


def _steepness(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much values change from a pixel to the next."""
    slopes = [np.gradient(values, axis=axis) for axis in (1, 2) if values.shape[axis] > 1]
    return np.asarray(np.sqrt(sum((_size(s) ** 2 for s in slopes), np.zeros(values.shape[1:]))))


def _without_small_holes(mask: Mask) -> Mask:
    """Return a region with those of its holes filled that are noise, not other things."""
    holes, _ = ndimage.label(~mask)
    sizes = np.bincount(holes.ravel())
    small = sizes <= max(LEAST_HOLE, int(HOLES * mask.sum()))
    border = np.unique(np.concatenate([*holes[[0, -1]], *holes[:, [0, -1]].T]))
    small[border] = False
    return np.asarray(mask | small[holes] & ~mask, bool)


def enclosed(lines: Mask, seed: tuple[int, int]) -> Mask:
    """Return the pixels that are reached from one without crossing lines, also diagonally.

    Parameters
    ----------
    lines : (h, w) array of bool
        What cannot be crossed.
    seed : (int, int)
        Row and column of the pixel.
    """
    return _around(~lines, seed)


def nearest_part(
    labels: NDArray[np.integer], seed: tuple[int, int], *, within: float
) -> Mask | None:
    """Return the connected pixels of one label that lie at a pixel, or nearest to it.

    Parameters
    ----------
    labels : (h, w) int array
        What is painted; 0 is nothing.
    seed : (int, int)
        Row and column of the pixel.
    within : float
        How far from it, in pixels, they may begin.

    Returns
    -------
    (h, w) array of bool, or None
        None where nothing is that near. Pixels that share a corner are connected.
    """
    reach = math.floor(min(within, max(labels.shape)))
    top, left = (max(0, at - reach) for at in seed)
    near = labels[top : seed[0] + reach + 1, left : seed[1] + reach + 1]
    painted = np.argwhere(near) + np.array((top, left))
    if not len(painted):
        return None
    far = np.hypot(*(painted - seed).T)
    first = int(far.argmin())
    if far[first] > within:
        return None
    row, column = (int(v) for v in painted[first])
    return _around(labels == labels[row, column], (row, column), corners=True)


def reaches_border(mask: Mask) -> bool:
    """Tell whether a region reaches the first or last row or column."""
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def _around(mask: Mask, seed: tuple[int, int], *, corners: bool = False) -> Mask:
    """Return the part of a mask that is connected with a pixel; nothing where that is not in it."""
    if not mask[seed]:
        return np.zeros_like(mask)
    parts, _ = ndimage.label(mask, np.ones((3, 3), int) if corners else None)
    return np.asarray(parts == parts[seed], bool)
