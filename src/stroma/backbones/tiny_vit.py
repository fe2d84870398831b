"""TinyViT as the image encoder of Segment Anything: convolutions first, attention in windows later.

Wu et al., TinyViT, ECCV 2022, arXiv:2207.10666; as an encoder of Segment Anything: Zhang et al.,
Faster segment anything (MobileSAM), 2023, arXiv:2306.14289.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers.models.sam.modeling_sam import SamLayerNorm

Tensor = torch.Tensor


@dataclass(frozen=True)
class Stages:
    """How large a TinyViT is.

    Parameters
    ----------
    features, blocks : tuple of int
        Of each stage. The first is of convolutions; every next one has half the resolution, but
        the last, which keeps it.
    heads, windows : tuple of int
        Heads of attention and sides of windows of the stages after the first.
    out : int
        Channels of what comes out.
    """

    features: tuple[int, ...] = (64, 128, 160, 320)
    blocks: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (4, 5, 10)
    windows: tuple[int, ...] = (7, 14, 7)
    out: int = 256

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]], start: str = "") -> Stages:
        """Return the size of a network whose tensors have these shapes, from a prefix on."""
        layers = _count(shapes, f"{start}layers", "blocks.0.")
        blocks = tuple(_count(shapes, f"{start}layers.{i}.blocks", "") for i in range(layers))
        ends = [f"{start}layers.{i}.downsample.conv1.c.weight" for i in range(layers - 1)]
        biases = [
            shapes[f"{start}layers.{i}.blocks.0.attn.attention_biases"] for i in range(1, layers)
        ]
        return cls(
            (shapes[f"{start}patch_embed.seq.2.c.weight"][0], *(shapes[end][0] for end in ends)),
            blocks,
            tuple(heads for heads, _ in biases),
            tuple(math.isqrt(places) for _, places in biases),
            shapes[f"{start}neck.conv1.weight"][0],
        )


def _count(shapes: Mapping[str, tuple[int, ...]], start: str, inside: str) -> int:
    """Return how many numbers follow a start of names."""
    number = 0
    while any(key.startswith(f"{start}.{number}.{inside}") for key in shapes):
        number += 1
    return number


class TinyViT(nn.Module):
    """The encoder; cells of what it returns are 16 pixels for four stages.

    Parameters
    ----------
    stages : Stages
        How large it is.
    channels : int
        Of images.
    """

    def __init__(self, stages: Stages, channels: int = 3) -> None:
        super().__init__()
        first, last = stages.features[0], len(stages.features) - 1
        self.patch_embed = nn.Module()
        self.patch_embed.seq = nn.Sequential(
            _Normed(channels, first // 2, 3, stride=2),
            nn.GELU(),
            _Normed(first // 2, first, 3, stride=2),
        )
        self.layers = nn.ModuleList()
        for i, (width, count) in enumerate(zip(stages.features, stages.blocks, strict=True)):
            stage = nn.Module()
            stage.blocks = nn.ModuleList(_block(stages, i) for _ in range(count))
            if i < last:
                stride = 1 if i == last - 1 else 2
                stage.downsample = _Merging(width, stages.features[i + 1], stride)
            self.layers.append(stage)
        self.neck = _Neck(stages.features[-1], stages.out)

    def forward(self, images: Tensor) -> SimpleNamespace:
        """Return ``last_hidden_state``, (N, F, y / 16, x / 16) of (N, C, y, x)."""
        return SimpleNamespace(last_hidden_state=self.neck(self.staged(images)[-1]))

    def staged(self, images: Tensor) -> list[Tensor]:
        """Return what every stage makes of images: of cells of 4, 8, 16 and 16 pixels."""
        x: Any = self.patch_embed.seq(images)  # type: ignore[operator]
        found = []
        stage: Any
        for stage in self.layers:
            for block in stage.blocks:
                x = block(x)
            found.append(x)
            x = stage.downsample(x) if hasattr(stage, "downsample") else x
        return found


def _block(stages: Stages, stage: int) -> nn.Module:
    width = stages.features[stage]
    if stage == 0:
        return _Inverted(width)
    return _Block(width, stages.heads[stage - 1], stages.windows[stage - 1])


class _Normed(nn.Module):
    """A convolution and a normalisation by the batch."""

    def __init__(
        self, inputs: int, width: int, side: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.c = nn.Conv2d(inputs, width, side, stride, side // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.bn(self.c(x))
        return found


class _Inverted(nn.Module):
    """Wide inside, narrow outside, each channel convolved on its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = _Normed(width, 4 * width, 1)
        self.conv2 = _Normed(4 * width, 4 * width, 3, groups=4 * width)
        self.conv3 = _Normed(4 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        inside = F.gelu(self.conv2(F.gelu(self.conv1(x))))
        return F.gelu(x + self.conv3(inside))


class _Merging(nn.Module):
    """From one stage to the next."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _Normed(inputs, width, 1)
        self.conv2 = _Normed(width, width, 3, stride=stride, groups=width)
        self.conv3 = _Normed(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        return found


class _Block(nn.Module):
    """Attention in windows, a convolution of each channel, and a perceptron."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = _Attention(width, heads, window)
        self.local_conv = _Normed(width, width, 3, groups=width)
        self.mlp = _Perceptron(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.local_conv(x + self._attended(x))
        found: Tensor = x + self.mlp(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return found

    def _attended(self, x: Tensor) -> Tensor:
        count, width, rows, columns = x.shape
        side = self.window
        padded = F.pad(x, (0, -columns % side, 0, -rows % side))
        high, wide = padded.shape[2] // side, padded.shape[3] // side
        parts = padded.reshape(count, width, high, side, wide, side).permute(0, 2, 4, 3, 5, 1)
        seen = self.attn(parts.reshape(-1, side * side, width))
        back = seen.reshape(count, high, wide, side, side, width).permute(0, 5, 1, 3, 2, 4)
        found: Tensor = back.reshape(padded.shape)[:, :, :rows, :columns]
        return found


class _Attention(nn.Module):
    """Attention that knows how far apart places are, along each axis."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))

    def forward(self, x: Tensor) -> Tensor:
        count, places, width = x.shape
        parts = self.qkv(self.norm(x)).reshape(count, places, self.heads, 3, -1)
        query, key, value = parts.permute(3, 0, 2, 1, 4)
        line = torch.arange(self.window, device=x.device)
        apart = (line[:, None] - line).abs()
        far = (apart[:, None, :, None] * self.window + apart[None, :, None]).reshape(places, places)
        bias = self.attention_biases[:, far].to(query.dtype)
        # Written out: what torch has for it is many times slower backwards on processors.
        weights = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1) + bias
        seen = weights.softmax(-1) @ value
        found: Tensor = self.proj(seen.transpose(1, 2).reshape(count, places, width))
        return found


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.fc2(F.gelu(self.fc1(self.norm(x))))
        return found


class _Neck(nn.Module):
    """From the width of the encoder to that of the decoder."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.layer_norm1 = SamLayerNorm(width, data_format="channels_first")
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.layer_norm2 = SamLayerNorm(width, data_format="channels_first")

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.layer_norm2(self.conv2(self.layer_norm1(self.conv1(x))))
        return found
