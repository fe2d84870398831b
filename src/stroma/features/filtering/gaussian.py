"""The plainest extractor: the image, smoothed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.derivatives import core_shape, in_planes, smooth
from stroma.features.naming import per_channel, scale_suffix

TRUNCATE = 4
"""Where the kernel ends, in sigmas."""


@dataclass(frozen=True)
class GaussianFeatures:
    """Every channel smoothed with a Gaussian: one feature per channel.

    Parameters
    ----------
    sigma : float
        Width of the Gaussian, in pixels; its kernel ends at 4 sigma.
    """

    sigma: float = 3.0

    def __post_init__(self) -> None:
        """Check the width."""
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise ParameterError(f"sigma is a number of pixels above 0, got {self.sigma!r}.")

    @property
    def halo(self) -> int:
        """Radius of the kernel."""
        return max(1, round(TRUNCATE * self.sigma))

    @property
    def stride(self) -> int:
        """Any core will do."""
        return 1

    @property
    def wants(self) -> Wants:
        """Any number of channels."""
        return Wants()

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return one name per channel, like ``gaussian_s3.0`` (``DAPI:gaussian_s3.0``)."""
        return per_channel(channels, ["gaussian" + scale_suffix(self.sigma)])

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Smooth the core of one block.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        core_shape(block, self.halo)
        smoothed = [smooth(in_planes(channel), self.sigma, self.halo) for channel in block]
        return [FeatureMap(np.stack(smoothed))]
