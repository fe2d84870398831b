"""The encoder of Cellpose-SAM: Segment Anything's ViT-L with patches of 8 pixels, on tiles of 256.

Pachitariu et al., Cellpose-SAM: superhuman generalization for cellular segmentation, 2025,
doi 10.1101/2025.04.28.651001.
"""

from __future__ import annotations

from collections.abc import Sequence

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
WIDE, NARROW = 127, 27
"""Distances known along an axis in layers that once saw all, and in others; both are stretched to
the 63 of a tile."""


class Encoder(nn.Module):
    """The encoder alone, without what makes flows of its output.

    Parameters
    ----------
    config : SamVisionConfig
        Its size; every layer sees the whole tile.
    reach : sequence of int
        Distances known in each layer.
    """

    def __init__(self, config: SamVisionConfig, reach: Sequence[int]) -> None:
        super().__init__()
        self.vision_encoder = SamVisionEncoder(config)
        head = config.hidden_size // config.num_attention_heads
        for layer, known in zip(self.vision_encoder.layers, reach, strict=True):
            layer.attn.rel_pos_h = nn.Parameter(torch.zeros(known, head))
            layer.attn.rel_pos_w = nn.Parameter(torch.zeros(known, head))


class _Build:
    def __call__(self, channels: int = 3) -> nn.Module:
        """Return the encoder, its parameters on the meta device."""
        config = _config(1024, LAYERS, 16, 4096, channels)
        return _made(config, [NARROW if (i + 1) % 6 else WIDE for i in range(LAYERS)])

    def like(self, shapes: Shapes, describe: Describe, channels: int = 3) -> nn.Module:
        """Return an encoder for tensors of the given shapes."""
        try:
            features = shapes[f"{ENCODER}patch_embed.projection.weight"][0]
            layers = count(shapes, rf"{ENCODER}layers\.(\d+)\.layer_norm1\.weight")
            known = [shapes[f"{ENCODER}layers.{i}.attn.rel_pos_h"] for i in range(layers)]
            inner = shapes[f"{ENCODER}layers.0.mlp.lin1.weight"][0]
            heads = features // known[0][1]
        except (KeyError, IndexError) as error:
            raise FormatError(
                f"The file holds no Cellpose-SAM: it lacks {error}. Models of Cellpose 1 to 3 are "
                "read by 'cellpose_backbone'."
            ) from error
        return _made(_config(features, layers, heads, inner, channels), [n for n, _ in known])


cellpose_sam = _Build()


def _config(features: int, layers: int, heads: int, inner: int, channels: int) -> SamVisionConfig:
    return SamVisionConfig(
        hidden_size=features,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        mlp_dim=inner,
        num_channels=channels,
        image_size=TILE,
        patch_size=PATCH,
        global_attn_indexes=list(range(layers)),
        output_channels=FEATURES,
    )


def _made(config: SamVisionConfig, reach: Sequence[int]) -> nn.Module:
    with torch.device("meta"):
        return Encoder(config, reach).eval()
