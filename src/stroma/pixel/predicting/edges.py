"""Smoothing probabilities, but not across the edges of the image.

The guided filter (He, Sun and Tang 2013, doi 10.1109/TPAMI.2012.213): within every window the
result is a linear function of the guide, here the lightness, so that it changes where the image
does and averages where the image is flat. What counts as flat follows from the noise of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.data.statistics import Statistics
from stroma.features.normalise import normalise

GUIDE_SIGMA = 0.7
GUIDE_REACH = 3
"""The guide is smoothed by a Gaussian of that sigma, cut off at that radius, in pixels."""

NOISE_SHARE = 3.0
LEAST_SOFTNESS = 1e-4
"""Variance of the guide that counts as flat: that many deviations of the noise, squared."""

FLOOR = 1e-3
"""Added to probabilities before they are squared, so that no class is ruled out."""


@dataclass(frozen=True)
class Guide:
    """How the guide is made of an image.

    Parameters
    ----------
    statistics : Statistics
        Of the whole image.
    softness : float
        Variance of the guide below which the image counts as flat.
    """

    statistics: Statistics
    softness: float

    def values(self, raw: NDArray[Any], *, rgb: bool) -> NDArray[np.float32]:
        """Return the (d, h, w) guide of (C, d, h, w) pixels: lightness, or the channels' mean."""
        light = normalise(raw, self.statistics, "lightness", rgb=rgb).mean(axis=0)
        side = 2 * GUIDE_REACH + 1
        planes = [
            cv2.GaussianBlur(plane, (side, side), GUIDE_SIGMA, borderType=cv2.BORDER_REFLECT)
            for plane in light
        ]
        return np.stack(planes).astype(np.float32, copy=False)


def guide_of(statistics: Statistics, factor: float, *, rgb: bool) -> Guide:
    """Return the guide for images with these statistics, reduced by a factor."""
    known = statistics.lab if rgb and statistics.lab else statistics
    channels = 1 if known is statistics.lab else len(known.std)
    relative = np.divide(known.noise[:channels], np.maximum(known.std[:channels], 1e-6))
    noise = float(np.sqrt(np.square(relative).mean() / channels)) / factor
    return Guide(statistics, max((NOISE_SHARE * noise) ** 2, LEAST_SOFTNESS))


def guided_reach(radius: int) -> int:
    """Return how far, in pixels, smoothed probabilities look at probabilities and at the guide."""
    return 2 * radius


def guided(
    probabilities: NDArray[np.float32],
    guide: NDArray[np.float32],
    *,
    radius: int,
    softness: float,
) -> NDArray[np.float32]:
    """Return (K, h, w) probabilities, made more decided and then smoothed along a guide.

    Parameters
    ----------
    probabilities : (K, h, w) float32 array
        Adding up to 1.
    guide : (h, w) float32 array
        Image whose edges are kept.
    radius : int
        Half the side of the windows, in pixels.
    softness : float
        Variance of the guide below which a window counts as flat.
    """

    def box(values: NDArray[np.float32]) -> NDArray[Any]:
        side = 2 * radius + 1
        return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT))

    sharp: NDArray[np.float32] = np.square(probabilities + np.float32(FLOOR))
    sharp /= sharp.sum(axis=0)
    mean_guide = box(guide)
    variance = box(guide * guide) - mean_guide * mean_guide + softness
    smooth = np.empty_like(sharp)
    for plane, out in zip(sharp, smooth, strict=True):
        mean = box(plane)
        slope = (box(guide * plane) - mean_guide * mean) / variance
        np.clip(box(slope) * guide + box(mean - slope * mean_guide), 0, 1, out=out)
    smooth /= smooth.sum(axis=0)
    return smooth
