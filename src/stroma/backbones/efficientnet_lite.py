"""EfficientNet-Lite 0 to 2: EfficientNets without gates, so that every output is local.

Tan and Le, EfficientNet: rethinking model scaling for convolutional neural networks, ICML 2019,
arXiv:1905.11946; the lite variants leave out squeeze-and-excitation and use ReLU6.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn

from stroma.backbones.taps import Tap

STEM = 32
EPSILON = 1e-3


@dataclass(frozen=True)
class Stage:
    """Blocks of equal shape.

    Parameters
    ----------
    repeats : int
        Number of blocks, before the depth is scaled.
    kernel, stride : int
        Of the depthwise convolution; the stride is that of the first block.
    expansion : int
        Channels inside a block for each that enters it.
    channels : int
        Channels that leave, before the width is scaled.
    """

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
FIXED = (0, len(STAGES) - 1)
"""Stages whose depth is not scaled."""


def efficientnet_lite0(channels: int = 3) -> nn.Module:
    """Return the network of width 1.0 and depth 1.0, without its head."""
    return _network(channels, width=1.0, depth=1.0)


def efficientnet_lite1(channels: int = 3) -> nn.Module:
    """Return the network of width 1.0 and depth 1.1, without its head."""
    return _network(channels, width=1.0, depth=1.1)


def efficientnet_lite2(channels: int = 3) -> nn.Module:
    """Return the network of width 1.1 and depth 1.2, without its head."""
    return _network(channels, width=1.1, depth=1.2)


class Block(nn.Module):
    """An inverted residual: wider by 1 x 1, filtered per channel, narrower by 1 x 1."""

    def __init__(self, entering: int, leaving: int, stage: Stage, *, stride: int) -> None:
        super().__init__()
        inside = entering * stage.expansion
        units = OrderedDict[str, nn.Module]()
        if stage.expansion > 1:
            units["expand"] = _unit(entering, inside)
        units["depthwise"] = _unit(inside, inside, stage.kernel, stride, groups=inside)
        units["project"] = _unit(inside, leaving, active=False)
        self.units = nn.Sequential(units)
        self.residual = stride == 1 and entering == leaving

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (N, C, y, x) output."""
        y: torch.Tensor = self.units(x)
        return x + y if self.residual else y


def _network(channels: int, *, width: float, depth: float) -> nn.Module:
    parts = OrderedDict[str, nn.Module]()
    with torch.device("meta"):
        parts["stem"] = _unit(channels, STEM, kernel=3, stride=2)
        parts["stage0"] = Tap(STEM)
        entering, number = STEM, 0
        for i, stage in enumerate(STAGES):
            leaving = _width(stage.channels, width)
            repeats = stage.repeats if i in FIXED else math.ceil(stage.repeats * depth)
            for turn in range(repeats):
                stride = stage.stride if turn == 0 else 1
                parts[f"block{number}"] = Block(entering, leaving, stage, stride=stride)
                entering, number = leaving, number + 1
            parts[f"stage{i + 1}"] = Tap(leaving)
    return nn.Sequential(parts).eval()


def _unit(
    entering: int,
    leaving: int,
    kernel: int = 1,
    stride: int = 1,
    *,
    groups: int = 1,
    active: bool = True,
) -> nn.Sequential:
    """Return padding, convolution, norm and activation.

    Padding is that of TensorFlow for sides that are multiples of the stride: what does not divide
    evenly goes behind.
    """
    before, both = (kernel - stride) // 2, max(kernel - stride, 0)
    parts = OrderedDict[str, nn.Module]()
    if both:
        parts["pad"] = nn.ZeroPad2d((before, both - before, before, both - before))
    parts["conv"] = nn.Conv2d(entering, leaving, kernel, stride, groups=groups, bias=False)
    parts["norm"] = nn.BatchNorm2d(leaving, eps=EPSILON)
    if active:
        parts["act"] = nn.ReLU6()
    return nn.Sequential(parts)


def _width(channels: int, factor: float) -> int:
    """Return scaled channels: the nearest multiple of 8 that loses no more than a tenth."""
    wanted = channels * factor
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded
