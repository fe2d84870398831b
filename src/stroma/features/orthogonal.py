"""Any extractor of planes, shown a volume from three sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import PerAxis
from stroma.errors import ParameterError
from stroma.features.contract import FeatureMap, axes_of, computed
from stroma.features.wrapper import Wrapper

DIRECTIONS = ("xy", "xz", "yz")
"""The planes across z, y and x."""


@dataclass(frozen=True)
class OrthogonalPlanes(Wrapper):
    """The features of the three planes through every voxel, one after the other.

    Planes are shown as they are: of a volume whose planes lie far apart, reduce y and x first
    (``image_downsample``), so that what is round is round in all of them.

    Parameters
    ----------
    extractor : Extractor
        Of planes.
    """

    axes = "zyx"

    def __post_init__(self) -> None:
        """Check what is wrapped."""
        if axes_of(self.extractor) != "yx":
            kind = type(self.extractor).__name__
            raise ParameterError(
                f"Orthogonal planes are shown to an extractor of planes; {kind} looks at volumes "
                f"itself. Leave out 'orthogonal:'."
            )

    @property
    def halo(self) -> PerAxis | None:
        """Context of the extractor, along all axes."""
        halo = self.extractor.halo
        return halo if halo is None else _same(halo)

    @property
    def stride(self) -> PerAxis:
        """Stride of the extractor, along all axes."""
        return _same(self.extractor.stride)

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return the names of the extractor with the plane, like ``gaussian_s3.0|xz``."""
        names = self.extractor.names(channels)
        return [f"{name}|{direction}" for direction in DIRECTIONS for name in names]

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Compute the features of one block, plane by plane."""
        return [m for across in (1, 2, 3) for m in self._across(block, across)]

    def _across(self, block: NDArray[np.float32], axis: int) -> list[FeatureMap]:
        """Return the features of the planes across an axis of (C, z, y, x)."""
        halo = self.halo[0] if self.halo else 0
        inner = np.moveaxis(block, axis, 0)[halo : block.shape[axis] - halo]
        found = computed(self.extractor, list(inner))
        return [_stacked(same, axis) for same in zip(*found, strict=True)]


def _stacked(maps: Sequence[FeatureMap], axis: int) -> FeatureMap:
    """Return the maps of the planes across an axis as one of their volume."""
    step = maps[0].step
    assert isinstance(step, int)
    if maps[0].mixes:
        raise ParameterError(
            "Features that attention brings to pixels are those of planes as they lie in the "
            "image. Leave out 'orthogonal:'."
        )
    steps = [step] * 3
    steps[axis - 1] = 1
    values = np.stack([m.values for m in maps], axis=axis)
    z, y, x = steps
    return replace(maps[0], values=values, step=(z, y, x), origin=(0, 0, 0))


def _same(value: int | PerAxis) -> PerAxis:
    assert isinstance(value, int)
    return value, value, value
