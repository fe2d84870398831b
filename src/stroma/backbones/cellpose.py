"""The encoder of Cellpose 1 to 3, without its style: every output is local.

Stringer et al., Cellpose: a generalist algorithm for cellular segmentation, Nature Methods 2021,
doi 10.1038/s41592-020-01018-x.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from stroma.backbones.taps import Tap

CHANNELS = 2
WIDTHS = (32, 64, 128, 256)


class Block(nn.Module):
    """Four convolutions with two residuals around pairs of them."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.BatchNorm2d(entering), nn.Conv2d(entering, leaving, 1))
        widths = (entering, leaving, leaving, leaving)
        units = {f"conv_{i}": _unit(width, leaving) for i, width in enumerate(widths)}
        self.conv = nn.Sequential(OrderedDict[str, nn.Module](units))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (N, C, y, x) output."""
        y: torch.Tensor = self.proj(x) + self.conv[1](self.conv[0](x))
        y = y + self.conv[3](self.conv[2](y))
        return y


class Encoder(nn.Sequential):
    """Blocks with pooling between them, and a place after each where its output may be taken."""

    channels = CHANNELS


def _unit(entering: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(entering), nn.ReLU(), nn.Conv2d(entering, leaving, 3, padding=1)
    )


def cellpose_encoder(channels: int = CHANNELS) -> nn.Module:
    """Return the encoder, for two channels: cytoplasm and nuclei."""
    parts, entering = OrderedDict[str, nn.Module](), channels
    with torch.device("meta"):
        for i, width in enumerate(WIDTHS):
            if i:
                parts[f"pool{i}"] = nn.MaxPool2d(2, 2)
            parts[f"down{i}"] = Block(entering, width)
            parts[f"stage{i + 1}"] = Tap(width)
            entering = width
        return Encoder(parts).eval()
