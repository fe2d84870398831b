"""A feature extractor for Stroma: how much the values around a pixel vary."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from stroma.features.contract import FeatureMap, Wants


@dataclass(frozen=True)
class LocalRange:
    """Largest less smallest value in a square around every pixel, for every channel.

    Parameters
    ----------
    radius : int
        Half the side of the square, in pixels.
    """

    radius: int = 3

    @property
    def halo(self) -> int:
        """How far the filter looks."""
        return self.radius

    @property
    def stride(self) -> int:
        """Every pixel has its own value, so blocks may begin anywhere."""
        return 1

    @property
    def wants(self) -> Wants:
        """Any number of channels, z-scored."""
        return Wants()

    def names(self, channels: Sequence[str]) -> list[str]:
        """One feature per channel."""
        return [f"{channel}:range_r{self.radius}" for channel in channels]

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Compute a block (C, y, x) that has the halo around it; return the core."""
        size = (1, 2 * self.radius + 1, 2 * self.radius + 1)
        spread = ndi.maximum_filter(block, size) - ndi.minimum_filter(block, size)
        height, width = spread.shape[1:]
        core = np.s_[:, self.radius : height - self.radius, self.radius : width - self.radius]
        return [FeatureMap(spread[core])]
