"""The encoder of Cellpose-SAM: Segment Anything's ViT-L with patches of 8 pixels, on tiles of 256.

Pachitariu et al., Cellpose-SAM: superhuman generalization for cellular segmentation, 2025,
doi 10.1101/2025.04.28.651001.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from transformers import SamVisionConfig
from transformers.models.sam.modeling_sam import SamVisionEncoder

from stroma.backbones.loading import Describe, Shapes
from stroma.backbones.sam import ENCODER, count
from stroma.errors import FormatError

PATCH = 8
TILE = 256
FEATURES = 256

LAYERS = 24
SPREAD = 0.02
"""Of weights that a training begins with; ``transformers`` has next to nothing for them."""

WIDE, NARROW = 127, 27
"""Distances known along an axis in layers that once saw all, and in others; both are stretched to
the 63 of a tile."""


@dataclass(frozen=True)
class Size:
    """How large an encoder is.

    Parameters
    ----------
    features, inner : int
        Of a token, between layers and inside them.
    layers, heads : int
        How many.
    reach : tuple of int
        Distances known along an axis, in each layer.
    """

    features: int
    layers: int
    heads: int
    inner: int
    reach: tuple[int, ...]

    def config(self, channels: int = 3) -> SamVisionConfig:
        """Return it as ``transformers`` is told; every layer sees the whole tile."""
        return SamVisionConfig(
            hidden_size=self.features,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            mlp_dim=self.inner,
            num_channels=channels,
            image_size=TILE,
            patch_size=PATCH,
            global_attn_indexes=list(range(self.layers)),
            output_channels=FEATURES,
            initializer_range=SPREAD,
        )


USUAL = Size(1024, LAYERS, 16, 4096, tuple(NARROW if (i + 1) % 6 else WIDE for i in range(LAYERS)))


def size_of(shapes: Shapes) -> Size:
    """Return the size of an encoder whose tensors have these shapes, by our names.

    Raises
    ------
    FormatError
        If there is none among them.
    """
    try:
        features = shapes[f"{ENCODER}patch_embed.projection.weight"][0]
        layers = count(shapes, rf"{ENCODER}layers\.(\d+)\.layer_norm1\.weight")
        known = [shapes[f"{ENCODER}layers.{i}.attn.rel_pos_h"] for i in range(layers)]
        inner = shapes[f"{ENCODER}layers.0.mlp.lin1.weight"][0]
        return Size(features, layers, features // known[0][1], inner, tuple(n for n, _ in known))
    except (ArithmeticError, LookupError, ValueError) as error:
        raise FormatError(
            f"The file holds no Cellpose-SAM: it lacks {error}. Models of Cellpose 1 to 3 are "
            "read by 'cellpose_backbone'."
        ) from error


class Encoder(nn.Module):
    """The encoder alone, without what makes flows of its output.

    Parameters
    ----------
    size : Size
        How large it is.
    channels : int
        Of images.
    """

    def __init__(self, size: Size, channels: int = 3) -> None:
        super().__init__()
        self.vision_encoder = SamVisionEncoder(size.config(channels))
        head = size.features // size.heads
        for layer, known in zip(self.vision_encoder.layers, size.reach, strict=True):
            layer.attn.rel_pos_h = nn.Parameter(torch.zeros(known, head))
            layer.attn.rel_pos_w = nn.Parameter(torch.zeros(known, head))


class _Build:
    def __call__(self, channels: int = 3) -> nn.Module:
        """Return the encoder, its parameters on the meta device."""
        return _made(USUAL, channels)

    def like(self, shapes: Shapes, describe: Describe, channels: int = 3) -> nn.Module:
        """Return an encoder for tensors of the given shapes."""
        return _made(size_of(shapes), channels)


cellpose_sam = _Build()


def _made(size: Size, channels: int) -> nn.Module:
    with torch.device("meta"):
        return Encoder(size, channels).eval()
