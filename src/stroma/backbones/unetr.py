"""The decoder of micro-sam's automatic mode, on what the encoder of Segment Anything makes.

After UNETR (Hatamizadeh et al. 2022, arXiv:2103.10504), without bridges from the encoder, as in
torch-em; Archit et al., Nature Methods 2025, doi 10.1038/s41592-024-02580-4. Tensors are called as
in files of micro-sam.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

Tensor = torch.Tensor

OUTPUTS = 3
"""Foreground, and distances from the middle and from the border."""


class Unetr(nn.Module):
    """From maps of cells of 16 pixels to three channels at every pixel.

    Parameters
    ----------
    inputs : int
        Channels of what the encoder makes.
    width : int
        Channels at full resolution; twice as many at half of it, and so on.
    transposed : bool
        Whether maps are enlarged by transposed convolutions; else by interpolation.
    """

    def __init__(self, inputs: int, width: int, *, transposed: bool = False) -> None:
        super().__init__()
        wide = [8 * width, 4 * width, 2 * width, width]
        steps = list(zip([inputs, *wide], wide, strict=False))
        for number, (before, after) in enumerate(steps, 1):
            self.add_module(f"deconv{number}", _Enlarged(before, after, transposed))
        self.base = _Twice(inputs, wide[0])
        self.decoder = nn.Module()
        self.decoder.blocks = nn.ModuleList(_Twice(a, b) for a, b in steps[1:])
        self.decoder.samplers = nn.ModuleList(_doubling(a, b, transposed) for a, b in steps[1:])
        self.deconv_out = _doubling(width, width, transposed)
        self.decoder_head = _Twice(2 * width, width)
        self.out_conv = nn.Conv2d(width, OUTPUTS, 1)

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Unetr:
        """Return a decoder whose tensors have these shapes."""
        widest, inputs = shapes["base.block.1.weight"][:2]
        transposed = "decoder.samplers.0.block.weight" in shapes
        return cls(inputs, widest // 8, transposed=transposed)

    def forward(self, maps: Tensor) -> Tensor:
        """Return logits (N, 3, y, x) of maps (N, F, y / 16, x / 16)."""
        beside = []
        now = maps
        for number in range(1, 5):
            now = self.get_submodule(f"deconv{number}")(now)
            beside.append(now)
        x = self.base(maps)
        stages = zip(self.decoder.blocks, self.decoder.samplers, beside, strict=False)  # type: ignore[arg-type]
        for block, sampler, other in stages:
            x = block(torch.cat([sampler(x), _middle(other)], 1))
        x = torch.cat([self.deconv_out(x), beside[-1]], 1)
        found: Tensor = self.out_conv(self.decoder_head(x))
        return found


def _middle(maps: Tensor) -> Tensor:
    """Return the middle half of the channels: what the networks that are read were trained with."""
    quarter = maps.shape[1] // 4
    return maps[:, quarter : maps.shape[1] - quarter]


class _Interpolated(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        # The convolution of single pixels first: the same, of a quarter of the pixels.
        return F.interpolate(self.conv(x), scale_factor=2, mode="bilinear", align_corners=False)


class _Transposed(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.block = nn.ConvTranspose2d(inputs, width, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.block(x)
        return found


def _doubling(inputs: int, width: int, transposed: bool) -> nn.Module:
    return (_Transposed if transposed else _Interpolated)(inputs, width)


class _Convolved(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.block(x)
        return found


class _Enlarged(nn.Module):
    """Twice the resolution, a convolution, normalised."""

    def __init__(self, inputs: int, width: int, transposed: bool) -> None:
        super().__init__()
        self.block = nn.Sequential(
            _doubling(inputs, width, transposed),
            _Convolved(width),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.block(x)
        return found


class _Twice(nn.Module):
    """Two convolutions, each of what was normalised by the image."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.InstanceNorm2d(inputs),
            nn.Conv2d(inputs, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.InstanceNorm2d(width),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.block(x)
        return found
