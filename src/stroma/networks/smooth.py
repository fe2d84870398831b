"""A U-Net that is shown the image and smoother ones, and begins with a Gaussian as its result.

For images that are restored: a Gaussian is a fair answer to noise, and what is learned in minutes
is where it should smooth less, or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from torch import nn
from torch.nn import functional

from stroma.networks.contract import CONVOLUTIONS
from stroma.networks.unet import UNet

REACH = 3.0
"""Gaussians are cut off at so many deviations."""

Tensor = torch.Tensor


class Smooth(nn.Module):
    """A mixture of the image and of smoother ones, with what a U-Net adds to it.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2, 3}
        Spatial axes.
    features : sequence of int
        Width of every stage of the U-Net, which does not normalise.
    sigmas : sequence of float
        Deviations of the Gaussians, in pixels; the one in the middle is begun with.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: Sequence[int] = (16, 32, 64, 64),
        sigmas: Sequence[float] = (1.0, 2.0, 4.0),
    ) -> None:
        super().__init__()
        self.ndim, self.sigmas = ndim, tuple(float(s) for s in sigmas)
        maps = channels * (1 + len(self.sigmas))
        self.inner = UNet(maps, outputs, ndim=ndim, features=features, norm="none")
        self.mix = CONVOLUTIONS[ndim](maps, outputs, 1)
        begun = channels * (1 + len(self.sigmas) // 2)
        with torch.no_grad():
            for parameter in (*self.mix.parameters(), *self.inner.heads[0].parameters()):
                parameter.zero_()
            for k in range(outputs):
                self.mix.weight[k, begun + k % channels] = 1

    @property
    def stride(self) -> tuple[int, ...]:
        """Per axis, that of the U-Net."""
        return self.inner.stride

    @property
    def halo(self) -> tuple[int, ...]:
        """Per axis, that of the U-Net and of the widest Gaussian."""
        inner = self.inner.halo
        assert inner is not None, "it does not normalise by the instance"
        return tuple(n + ceil(REACH * max(self.sigmas)) for n in inner)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, *space)."""
        maps = torch.cat([images, *(smoothed(images, s) for s in self.sigmas)], 1)
        found: Tensor = self.mix(maps) + self.inner(maps)
        return found


def smoothed(images: Tensor, sigma: float) -> Tensor:
    """Return (B, C, *space) images after a Gaussian; beyond borders the last pixels repeat."""
    radius = ceil(REACH * sigma)
    at = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-((at / sigma) ** 2) / 2)
    kernel = kernel / kernel.sum()
    for axis in range(2, images.ndim):
        moved = images.movedim(axis, -1)
        lines = moved.reshape(-1, 1, moved.shape[-1])
        wide = functional.pad(lines, (radius, radius), mode="replicate")
        images = functional.conv1d(wide, kernel[None, None]).reshape(moved.shape).movedim(-1, axis)
    return images
