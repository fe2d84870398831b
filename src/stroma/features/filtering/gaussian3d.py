"""The plainest extractor of volumes: the image, smoothed along all axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import PerAxis
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.filterbank3d import CUBE, VolumeFilterBank, Voxel


@dataclass(frozen=True)
class VolumeGaussian:
    """Every channel smoothed with a Gaussian in three dimensions: one feature per channel.

    Parameters
    ----------
    sigma : float
        Width of the Gaussian, in pixels along x; where planes lie further apart than pixels, it
        reaches over fewer of them. The kernel ends at 3 sigma.
    voxel : (float, float, float)
        Size of a voxel along z, y and x; only ratios matter. A model takes it from the image.
    """

    sigma: float = 3.0
    voxel: Voxel = CUBE

    axes = "zyx"

    def __post_init__(self) -> None:
        """Check the width and the voxel."""
        object.__setattr__(self, "voxel", self.bank.voxel)

    def sized(self, voxel: Voxel | None) -> VolumeGaussian:
        """Return the extractor for images with voxels of that size; None where it is unknown."""
        return replace(self, voxel=voxel or CUBE)

    @property
    def bank(self) -> VolumeFilterBank:
        """The filter bank with this filter alone."""
        return VolumeFilterBank((("gaussian", self.sigma, 3),), voxel=self.voxel)

    @property
    def halo(self) -> PerAxis:
        """Radius of the kernel along every axis."""
        return self.bank.halo

    @property
    def stride(self) -> int:
        """Any core will do."""
        return 1

    @property
    def wants(self) -> Wants:
        """Any number of channels."""
        return Wants()

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return one name per channel, like ``gaussian_s3.0``."""
        return self.bank.names(channels)

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Smooth the core of one block.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        return self.bank(block)

    def halved(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Smooth the core of one block, in half precision.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        ImageError
            If a feature is not finite.
        """
        return self.bank.halved(block)
