"""What we recommend for volumes: the texture of planes, with filters that look along z too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import PerAxis
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.filterbank import grid
from stroma.features.filtering.filterbank3d import CUBE, VolumeFilterBank, Voxel, core_sides, solid
from stroma.features.filtering.texture import Texture
from stroma.features.naming import per_channel

Float32 = NDArray[np.float32]
Filters = Callable[[Float32], list[FeatureMap]]

SIGMAS = (0.3, 0.7, 1.0, 1.6, 3.5)
FLAT = Texture()


@dataclass(frozen=True)
class VolumeTexture:
    """Filters in three dimensions up to a scale of 3.5 pixels, and the others of `Texture`.

    The filters are those of `VolumeFilterBank` at five scales (50 features), in lengths of the
    sample; top-hats and medians are those of every plane (10).

    Parameters
    ----------
    voxel : (float, float, float)
        Size of a voxel along z, y and x; only ratios matter. A model takes it from the image.
    """

    voxel: Voxel = CUBE

    axes = "zyx"

    def sized(self, voxel: Voxel | None) -> VolumeTexture:
        """Return the extractor for images with voxels of that size; None where it is unknown."""
        return replace(self, voxel=voxel or CUBE)

    @property
    def bank(self) -> VolumeFilterBank:
        """The filters."""
        return VolumeFilterBank(solid(grid(sigmas=SIGMAS))).sized(self.voxel)

    @property
    def halo(self) -> PerAxis:
        """Context of the filters along z, and of the largest top-hat within planes."""
        depth, rows, columns = self.bank.halo
        stride = self.stride[1]
        rows, columns = (-(-max(n, FLAT.halo) // stride) * stride for n in (rows, columns))
        return depth, rows, columns

    @property
    def stride(self) -> PerAxis:
        """Cells of the largest top-hat."""
        return 1, FLAT.stride, FLAT.stride

    @property
    def wants(self) -> Wants:
        """Lightness."""
        return Wants("lightness")

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``hessian_mid_s1.6`` and ``median_r2``."""
        return per_channel(channels, [*self.bank.names(["one"]), *FLAT.narrow_names])

    def __call__(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block, channel by channel.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        core_sides(block, self.halo)
        return [m for channel in block for m in self._of(channel, self.bank)]

    def halved(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block, those of the filters in half precision.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        ImageError
            If a feature is not finite.
        """
        core_sides(block, self.halo)
        return [m for channel in block for m in self._of(channel, self.bank.halved)]

    def _of(self, channel: Float32, filters: Filters) -> list[FeatureMap]:
        spare = [a - b for a, b in zip(self.halo, self.bank.halo, strict=True)]
        inner = channel[tuple(slice(s, n - s) for s, n in zip(spare, channel.shape, strict=True))]
        depth, rows, columns = self.halo
        top, left = rows - FLAT.halo, columns - FLAT.halo
        planes = channel[depth : len(channel) - depth]
        planes = planes[:, top : planes.shape[1] - top, left : planes.shape[2] - left]
        narrow = [FLAT.narrow(np.array(plane, np.float32)) for plane in planes]
        return [*filters(inner[None]), FeatureMap(np.stack(narrow, axis=1))]
