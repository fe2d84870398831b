"""The network of Cellpose 1 to 3: residual blocks down and up, and a style of the whole window.

Stringer et al. 2021, doi 10.1038/s41592-020-01018-x. What leaves the deepest block is averaged over
the window and brought to length 1: this style is added, mixed anew, in every block on the way up.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from stroma.backbones.cellpose import WIDTHS, Block
from stroma.errors import ParameterError
from stroma.networks.contract import cropped, padded

Tensor = torch.Tensor


class Styled(nn.Module):
    """A convolution of the sum of what went in and a style, mixed to as many channels.

    Parameters
    ----------
    width, style : int
        Channels, and values of the style.
    """

    def __init__(self, width: int, style: int) -> None:
        super().__init__()
        self.conv = _unit(width, width, 3)
        self.full = nn.Linear(style, width)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return the (N, C, y, x) output."""
        found: Tensor = self.conv(x + self.full(style)[:, :, None, None])
        return found


class Rise(nn.Module):
    """A block on the way up: four convolutions with two residuals around pairs of them.

    Parameters
    ----------
    entering, leaving, style : int
        Channels of what comes from below, of what leaves, and values of the style.
    """

    def __init__(self, entering: int, leaving: int, style: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.BatchNorm2d(entering), nn.Conv2d(entering, leaving, 1))
        self.conv = nn.Sequential()
        self.conv.add_module("conv_0", _unit(entering, leaving, 3))
        for i in range(1, 4):
            self.conv.add_module(f"conv_{i}", Styled(leaving, style))

    def forward(self, x: Tensor, bridge: Tensor, style: Tensor) -> Tensor:
        """Return the (N, C, y, x) output."""
        first, second, third, fourth = self.conv
        y: Tensor = self.proj(x) + second(first(x) + bridge, style)
        y = y + fourth(third(y, style), style)
        return y


class Cellpose(nn.Module):
    """Blocks at four resolutions and back, with a style.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2}
        Planes only.
    features : sequence of int
        Width of every stage, finest first.
    """

    step = 0.75
    """Tiles overlap by a quarter: every one has a style of its own, which changes slowly."""

    ndim = 2
    halo = None

    def __init__(
        self, channels: int, outputs: int, *, ndim: int = 2, features: Sequence[int] = WIDTHS
    ) -> None:
        super().__init__()
        if ndim != 2:
            raise ParameterError("The network of Cellpose is one of planes: ndim is 2.")
        entering = [channels, *features[:-1]]
        below = [*features[1:], features[-1]]
        self.down = nn.ModuleList(map(Block, entering, features))
        self.up = nn.ModuleList(
            Rise(one, other, features[-1]) for one, other in zip(below, features, strict=True)
        )
        self.output = _unit(features[0], outputs, 1)

    @property
    def stride(self) -> tuple[int, ...]:
        """The step of the deepest stage."""
        return (2 ** (len(self.down) - 1),) * 2

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, y, x)."""
        x = padded(images, self.stride)
        bridges: list[Tensor] = []
        for i, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if i else x)
            bridges.append(x)
        style = functional.normalize(x.mean((2, 3)), dim=1)
        for i in reversed(range(len(self.up))):
            if i < len(self.up) - 1:
                x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.up[i](x, bridges[i], style)
        return cropped(self.output(x), images.shape[2:])


def _unit(entering: int, leaving: int, side: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(entering), nn.ReLU(), nn.Conv2d(entering, leaving, side, padding=side // 2)
    )
