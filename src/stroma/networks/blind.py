"""A network that never sees the pixel it is asked about, so that noise alone teaches it.

Noise that is independent from pixel to pixel cannot be foretold from what is around; what is seen
can (Batson and Royer 2019, arXiv:1901.11365). As no pixel sees itself, all of them are learned from
at once, not one in 64 as where pixels are hidden by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import ClassVar

import torch
from torch import nn

from stroma.networks.contract import CONVOLUTIONS
from stroma.networks.smooth import REACH, smoothed

SIDE = {2: 9, 3: 5}
"""Of the kernels that look around, in pixels."""

FILTERS = 32
LEAST = 1e-2
"""Added to variances before their logarithm."""

Tensor = torch.Tensor


class Blind(nn.Module):
    """A mixture of Gaussians without their middle, by what is around: the widths fit the place.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2, 3}
        Spatial axes.
    width : int
        Of the layers that look at a single place.
    sigmas : sequence of float
        Deviations of the Gaussians, in pixels; the one in the middle is begun with.
    """

    blind: ClassVar[bool] = True
    """No pixel of the result depends on the same pixel of the image."""

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        width: int = 64,
        sigmas: Sequence[float] = (1.0, 1.5, 2.2, 3.2, 4.5, 6.5),
    ) -> None:
        super().__init__()
        self.ndim, self.sigmas = ndim, tuple(float(s) for s in sigmas)
        self.channels, self.outputs = channels, outputs
        count, side = len(self.sigmas), SIDE[ndim]
        convolution = CONVOLUTIONS[ndim]
        self.around = convolution(channels, FILTERS, side, padding=side // 2)
        hole = torch.ones((1, 1, *(side,) * ndim))
        hole.view(-1)[hole.numel() // 2] = 0
        self.register_buffer("hole", hole, persistent=False)
        self.look = nn.Sequential(
            convolution(FILTERS + channels * (count + 2), width, 1),
            nn.ReLU(inplace=True),
            convolution(width, width, 1),
            nn.ReLU(inplace=True),
        )
        self.head = convolution(width, outputs * (count + 1), 1)
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.view(outputs, count + 1)[:] = 0
            self.head.bias.view(outputs, count + 1)[:, count // 2] = 2

    @property
    def stride(self) -> tuple[int, ...]:
        """Nothing is reduced."""
        return (1,) * self.ndim

    @property
    def halo(self) -> tuple[int, ...]:
        """Per axis, that of the widest Gaussian."""
        return (max(ceil(REACH * max(self.sigmas)), SIDE[self.ndim] // 2),) * self.ndim

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, *space)."""
        rings = torch.stack([ring(images, s) for s in self.sigmas], 2)
        spreads = [
            spread(images, rings[:, :, i], self.sigmas[i]) for i in (len(self.sigmas) // 2, -1)
        ]
        call = nn.functional.conv2d if self.ndim == 2 else nn.functional.conv3d
        hole: Tensor = self.hole  # type: ignore[assignment]
        near = call(
            images, self.around.weight * hole, self.around.bias, padding=SIDE[self.ndim] // 2
        )
        seen = [near, torch.asinh(rings.flatten(1, 2)), *(torch.log(v + LEAST) for v in spreads)]
        said = self.head(self.look(torch.cat(seen, 1))).unflatten(1, (self.outputs, -1))
        own = rings[:, [k % self.channels for k in range(self.outputs)]]
        mixed: Tensor = (said[:, :, :-1].softmax(2) * own).sum(2) + said[:, :, -1]
        return mixed


def ring(images: Tensor, sigma: float) -> Tensor:
    """Return what a Gaussian makes of every pixel's surroundings, without the pixel itself."""
    radius = ceil(REACH * sigma)
    at = torch.arange(-radius, radius + 1, dtype=images.dtype)
    kernel = torch.exp(-((at / sigma) ** 2) / 2)
    own = float(kernel[radius] / kernel.sum()) ** (images.ndim - 2)
    return (smoothed(images, sigma) - own * images) / (1 - own)


def spread(images: Tensor, mean: Tensor, sigma: float) -> Tensor:
    """Return the variance around every pixel, without the pixel itself, given the mean there."""
    return (ring(images.square(), sigma) - mean.square()).clamp_min(0)
