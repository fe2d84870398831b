"""The U-Net with residual encoder as nnU-Net saves it: a stem, and strides within blocks.

Isensee et al. 2024, arXiv:2404.09556. It differs from `stroma.networks.unet.resenc`, which pools
before its blocks, so that weights of one do not fit the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from stroma.networks.contract import AVERAGE_POOL, CONVOLUTIONS, INSTANCE
from stroma.networks.unet import Per, UNet

Tensor = torch.Tensor


class Strided(nn.Module):
    """Two convolutions, the first with a step, that are added to what went in.

    Parameters
    ----------
    entering, leaving : int
        Channels.
    kernel, step : sequence of int
        Per axis.
    """

    def __init__(
        self, entering: int, leaving: int, kernel: Sequence[int], step: Sequence[int]
    ) -> None:
        super().__init__()
        ndim, one = len(kernel), (1,) * len(kernel)
        self.first = _unit(entering, leaving, kernel, step)
        self.second = _unit(leaving, leaving, kernel, one)
        self.pool = AVERAGE_POOL[ndim](tuple(step)) if max(step) > 1 else nn.Identity()
        self.around: nn.Module = nn.Identity()
        if entering != leaving:
            self.around = _unit(entering, leaving, one, one, bias=False)
        self.last = nn.LeakyReLU(0.01, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum, after the activation."""
        y = self.second(self.last(self.first(x)))
        found: Tensor = self.last(y + self.around(self.pool(x)))
        return found


class ResidualUNet(UNet):
    """A stem and residual blocks with steps in them, and the decoder of `UNet`.

    Parameters
    ----------
    channels, outputs, ndim, features, strides, kernels
        As for `UNet`.
    convolutions : int or sequence of int
        Blocks per stage of the encoder.
    decoder_convolutions : int
        Per stage of the decoder.
    deep : bool
        While training, predict at every resolution of the decoder but the coarsest.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: Sequence[int] = (16, 32, 64, 128),
        strides: Sequence[Per] | None = None,
        kernels: Sequence[Per] | None = None,
        convolutions: int | Sequence[int] = 2,
        decoder_convolutions: int = 1,
        deep: bool = True,
    ) -> None:
        super().__init__(
            channels,
            outputs,
            ndim=ndim,
            features=features,
            strides=strides,
            kernels=kernels,
            convolutions=1,
            decoder_convolutions=decoder_convolutions,
            norm="instance",
            deep=deep,
        )
        count = len(features)
        blocks = [convolutions] * count if isinstance(convolutions, int) else list(convolutions)
        one = (1,) * ndim
        self.encoder = nn.ModuleList()
        entering = features[0]
        for i, (leaving, many) in enumerate(zip(features, blocks, strict=True)):
            stage: list[nn.Module] = []
            if i == 0:
                stem = _unit(channels, features[0], self.kernels[0], one)
                stage += [nn.Sequential(stem, nn.LeakyReLU(0.01, inplace=True))]
            for n in range(many):
                step = self.strides[i] if n == 0 else one
                stage.append(Strided(entering, leaving, self.kernels[i], step))
                entering = leaving
            self.encoder.append(nn.Sequential(*stage))


def _unit(
    entering: int,
    leaving: int,
    kernel: Sequence[int],
    step: Sequence[int],
    *,
    bias: bool = True,
) -> nn.Sequential:
    ndim = len(kernel)
    sides = tuple(k // 2 for k in kernel)
    made: Any = CONVOLUTIONS[ndim](entering, leaving, tuple(kernel), tuple(step), sides, bias=bias)
    return nn.Sequential(made, INSTANCE[ndim](leaving, eps=1e-5, affine=True))
