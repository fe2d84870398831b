"""What we recommend where nothing is downloaded: fine texture of the lightness, smooth colours.

Measured on images of twelve kinds with a few strokes each (see the benchmarks): scales above 3.5
pixels cost accuracy, since they tell where a stroke was rather than what it shows; narrow bright
and dark structures and medians add to it; colours help most when smooth and apart from lightness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.blocks.working import block_mean
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.derivatives import core_shape
from stroma.features.filtering.filterbank import FilterBank, grid
from stroma.features.naming import per_channel

Float32 = NDArray[np.float32]

BANK = FilterBank(grid(sigmas=(0.3, 0.7, 1.0, 1.6, 3.5)))
COLORS = FilterBank(grid(["gaussian"], (0.7, 1.6, 3.5)))

HATS = ((2, 1), (5, 1), (10, 2))
"""Radius of the disk of top-hats, in pixels, and the side of the cells they are computed on."""

HAT_SMOOTHING, HAT_SMOOTHING_RADIUS = 0.7, 3

MEDIANS = (1, 2, 3, 5)
"""Radius of the square windows of medians, in pixels."""

STEPS_PER_DEVIATION = 32
"""Medians are of 8-bit values: 32 steps to a standard deviation, up to 4 of them."""


@dataclass(frozen=True)
class Texture:
    """Filters up to a scale of 3.5 pixels, top-hats and medians of every channel: 50 features.

    The filters are those of `FilterBank` at five scales (40 features); white and black top-hats
    find bright and dark structures narrower than 5, 11 and 21 pixels (6); medians of 3, 5, 7 and
    11 pixels a side keep edges (4). Of rgb images, the lightness is looked at alone.
    """

    @property
    def halo(self) -> int:
        """Context of the largest top-hat: two disks, smoothing, and the cells it is computed on."""
        reach = max(2 * radius + step for radius, step in HATS) + HAT_SMOOTHING_RADIUS
        return -(-max(BANK.halo, reach) // self.stride) * self.stride

    @property
    def stride(self) -> int:
        """Cells of the largest top-hat."""
        return max(step for _, step in HATS)

    @property
    def wants(self) -> Wants:
        """Lightness."""
        return Wants("lightness")

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``hessian_max_s1.6``, ``white_hat_r5`` and ``median_r2``."""
        return per_channel(channels, [*BANK.names(["one"]), *self.narrow_names])

    @property
    def narrow_names(self) -> list[str]:
        """Names of the top-hats and medians."""
        hats = [f"{kind}_hat_r{radius}" for radius, _ in HATS for kind in ("white", "black")]
        return [*hats, *(f"median_r{radius}" for radius in MEDIANS)]

    def __call__(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block, channel by channel.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        core_shape(block, self.halo)
        return [m for channel in block for m in self._of(np.array(channel, np.float32))]

    def _of(self, channel: Float32) -> list[FeatureMap]:
        spare = self.halo - BANK.halo
        inner = channel[spare : channel.shape[0] - spare, spare : channel.shape[1] - spare]
        return [*BANK(inner[None]), FeatureMap(self.narrow(channel))]

    def narrow(self, channel: Float32) -> Float32:
        """Return the (10, h, w) top-hats and medians of the core of one channel (y, x)."""
        found = [m for radius, step in HATS for m in _hats(_smooth(channel), radius, step)]
        found += [_median(channel, radius) for radius in MEDIANS]
        core = slice(self.halo, -self.halo)
        return np.stack([m[core, core] for m in found])


@dataclass(frozen=True)
class ColorGaussians:
    """The two opponent colours of rgb images, smoothed at three scales; nothing of others."""

    @property
    def halo(self) -> int:
        """Radius of the widest Gaussian."""
        return COLORS.halo

    @property
    def stride(self) -> int:
        """Any core will do."""
        return 1

    @property
    def wants(self) -> Wants:
        """Opponent colours."""
        return Wants("color")

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``a:gaussian_s1.6``."""
        return COLORS.names(channels) if channels else []

    def __call__(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block, channel by channel."""
        return COLORS(block)


def _smooth(channel: Float32) -> Float32:
    side = 2 * HAT_SMOOTHING_RADIUS + 1
    return np.asarray(cv2.GaussianBlur(channel, (side, side), HAT_SMOOTHING), np.float32)


def _hats(smooth: Float32, radius: int, step: int) -> list[Float32]:
    """Return what is brighter, and what is darker, than around it and narrower than a disk."""
    cells = block_mean(smooth, step)
    side = 2 * (radius // step) + 1
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = cv2.dilate(cv2.erode(cells, disk), disk)
    closed = cv2.erode(cv2.dilate(cells, disk), disk)
    return [_enlarged(cells - opened, step), _enlarged(closed - cells, step)]


def _enlarged(cells: Float32, step: int) -> Float32:
    if step == 1:
        return cells
    size = (cells.shape[1] * step, cells.shape[0] * step)
    return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _median(channel: Float32, radius: int) -> Float32:
    steps = np.clip(channel * STEPS_PER_DEVIATION + 128, 0, 255).astype(np.uint8)
    return np.asarray(cv2.medianBlur(steps, 2 * radius + 1), np.float32)
