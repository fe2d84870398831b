"""The filters that are usual beside features of transformers: 58 of every channel.

They are those of Trainable Weka Segmentation (Arganda-Carreras et al., Bioinformatics
2017), as Docherty et al., arXiv:2410.19836, combine them with features of transformers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.derivatives import core_shape
from stroma.features.naming import per_channel

Float32 = NDArray[np.float32]

SIGMAS = (1, 2, 4, 8, 16)
DEVIATION = 0.4
"""Pixels of standard deviation of a blur in one of sigma, which is Weka's radius."""

CUT = 4
"""Deviations at which a blur ends."""

HESSIAN = ("module", "trace", "determinant", "eigenvalue_max", "eigenvalue_min")

LENGTH = 19
"""Pixels of the line that membranes are compared with."""

ANGLES = range(0, 180, 6)
"""Degrees by which it is turned."""

MEMBRANE = ("mean", "max", "min", "sum", "std", "median")

ROWS = 32
"""Rows of which all turned lines are in memory at once."""


@dataclass(frozen=True)
class Weka:
    """Blurs, edges and curvature at five scales, their differences, and lines: 58 features.

    Of the channel itself and of its blurs with deviations of 0.4 to 6.4 pixels: the length of the
    gradient (Sobel), and of the Hessian its norm, trace, determinant and eigenvalues; differences
    of every two blurs; over 30 directions the mean, largest, least, sum, deviation and median of
    the sum along a line of 19 pixels. Of rgb images, the lightness is looked at alone.
    """

    @property
    def halo(self) -> int:
        """Context of the Hessian of the widest blur."""
        return _radius(SIGMAS[-1]) + 2

    @property
    def stride(self) -> int:
        """Any core will do."""
        return 1

    @property
    def wants(self) -> Wants:
        """Lightness."""
        return Wants("lightness")

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``gaussian_s4``, ``hessian_trace_s0`` and ``membrane_std``."""
        found = []
        for sigma in (0, *SIGMAS):
            first = f"gaussian_s{sigma}" if sigma else "raw"
            found += [first, f"sobel_s{sigma}", *(f"hessian_{kind}_s{sigma}" for kind in HESSIAN)]
        found += [f"difference_s{i}_s{j}" for i, j in combinations(SIGMAS, 2)]
        return per_channel(channels, [*found, *(f"membrane_{kind}" for kind in MEMBRANE)])

    def __call__(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block, channel by channel.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        core_shape(block, self.halo)
        return [FeatureMap(self._of(np.array(channel, np.float32))) for channel in block]

    def _of(self, channel: Float32) -> Float32:
        blurs = [_cut(_blurred(channel, sigma), self.halo - 2) for sigma in SIGMAS]
        found = []
        for blur in (_cut(channel, self.halo - 2), *blurs):
            found += [_cut(blur, 2), _sobel(blur), *_hessian(blur)]
        found += [_cut(small - large, 2) for small, large in combinations(blurs, 2)]
        lines = membrane(_cut(channel, self.halo - LENGTH // 2))
        return np.concatenate([np.stack(found), lines])


def _radius(sigma: int) -> int:
    return math.ceil(CUT * DEVIATION * sigma)


def _cut(image: Float32, border: int) -> Float32:
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


def _blurred(channel: Float32, sigma: int) -> Float32:
    """Return a channel smoothed; its deviation is no whole number, and is not rounded to one."""
    side = 2 * _radius(sigma) + 1
    return np.asarray(cv2.GaussianBlur(channel, (side, side), DEVIATION * sigma), np.float32)


def _sobel(image: Float32) -> Float32:
    """Return the length of the gradient, in values per pixel, two pixels inside an image."""
    along = (cv2.Sobel(image, cv2.CV_32F, x, 1 - x, ksize=3, scale=1 / 8) for x in (0, 1))
    return _cut(np.hypot(*along), 2)


def _hessian(image: Float32) -> list[Float32]:
    """Return what is told of second derivatives, by central differences taken twice."""
    half = np.float32(0.5)

    def along_y(values: Float32) -> Float32:
        return half * (values[2:] - values[:-2])

    def along_x(values: Float32) -> Float32:
        return half * (values[:, 2:] - values[:, :-2])

    yy, xx = along_y(along_y(image))[:, 2:-2], along_x(along_x(image))[2:-2]
    yx = along_x(along_y(image))[1:-1, 1:-1]
    trace, root = yy + xx, np.hypot(2 * yx, yy - xx)
    module = np.sqrt(yy * yy + yx * yx + xx * xx)
    return [module, trace, yy * xx - yx * yx, half * (trace + root), half * (trace - root)]


def turned_line(degrees: float) -> list[tuple[int, int]]:
    """Return the pixels (y, x), from the middle, of an upright line that is turned."""
    reach, angle = LENGTH // 2, math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    places = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    # A pixel belongs to it where, turned back, it is nearest to the middle column.
    return [
        (y, x)
        for y, x in places
        if abs(x * cosine - y * sine) <= 0.5 and abs(y * cosine + x * sine) <= reach + 0.5
    ]


LINES = [turned_line(degrees) for degrees in ANGLES]


def membrane(channel: Float32) -> Float32:
    """Return (6, y, x) statistics, over all directions, of sums along lines.

    Parameters
    ----------
    channel : (y, x) float32
        With half a line around what is returned.
    """
    reach = LENGTH // 2
    height, width = (side - 2 * reach for side in channel.shape)
    found = np.empty((len(MEMBRANE), height, width), np.float32)
    for top in range(0, height, ROWS):
        part = channel[top : min(top + ROWS, height) + 2 * reach]
        sums = np.stack([_summed(part, line) for line in LINES])
        total = sums.sum(axis=0)
        found[:, top : top + ROWS] = (
            total / len(LINES),
            sums.max(axis=0),
            sums.min(axis=0),
            total,
            sums.std(axis=0),
            np.median(sums, axis=0),
        )
    return found


def _summed(part: Float32, line: list[tuple[int, int]]) -> Float32:
    """Return sums over the pixels of a line, always in the same order."""
    reach = LENGTH // 2
    height, width = (side - 2 * reach for side in part.shape)
    total = np.zeros((height, width), np.float32)
    for y, x in line:
        total += part[reach + y : reach + y + height, reach + x : reach + x + width]
    return total
