"""SAM 2, as ``transformers`` has it, without and with its memory of other frames.

Ravi et al., SAM 2: segment anything in images and videos, ICLR 2025, arXiv:2408.00714.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import Sam2Config, Sam2Model, Sam2VideoConfig, Sam2VideoModel

from stroma.backbones.loading import Describe, Shapes
from stroma.errors import FormatError, short

ENCODER = "vision_encoder."
FEATURES = 256
STEPS = (4, 8, 16)
"""Pixels of a cell of the maps that leave the encoder."""

STRIDE = 32
"""Sides of images are multiples of it."""


@dataclass(frozen=True)
class Size:
    """How large a network is; called with a number of channels, it builds it.

    Parameters
    ----------
    features : int
        Of a token in the first stage; each later one has twice as many.
    heads : int
        In the first stage, likewise.
    blocks : tuple of int
        Of each stage.
    everywhere : tuple of int
        Blocks in which all tokens see each other, and not just those of a window.
    windows : tuple of int
        Sides of the windows of each stage.
    places : int
        Side of the map of places.
    """

    features: int
    heads: int
    blocks: tuple[int, ...]
    everywhere: tuple[int, ...]
    windows: tuple[int, ...] = (8, 4, 14, 7)
    places: int = 7

    def __call__(self, channels: int = 3) -> nn.Module:
        """Return the network, its parameters on the meta device."""
        wide = [self.features * 2**i for i in range(4)]
        backbone = {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": self.features,
            "num_attention_heads": self.heads,
            "num_channels": channels,
            "blocks_per_stage": list(self.blocks),
            "embed_dim_per_stage": wide,
            "num_attention_heads_per_stage": [self.heads * 2**i for i in range(4)],
            "window_size_per_stage": list(self.windows),
            "global_attention_blocks": list(self.everywhere),
            "window_positional_embedding_background_size": [self.places, self.places],
        }
        encoder = {
            "model_type": "sam2_vision_model",
            "backbone_config": backbone,
            "backbone_channel_list": wide[::-1],
        }
        return self.made({"vision_config": encoder})

    def like(self, shapes: Shapes, describe: Describe, channels: int = 3) -> nn.Module:
        """Return a network as ``config.json`` beside a file describes it; else, of this size."""
        described = describe()
        vision = described.get("vision_config")
        if not isinstance(vision, Mapping) or "backbone_config" not in vision:
            return self(channels)
        try:
            return self.made(_plain(described, shapes, channels))
        except Exception as error:  # what checks settings there has errors of its own
            raise FormatError(
                f"The settings beside the file describe no SAM 2: {short(error)}."
            ) from error

    def made(self, said: Mapping[str, Any]) -> nn.Module:
        """Return the network that settings describe, its parameters on the meta device."""
        parts = {key: value for key, value in said.items() if key in PARTS}
        with torch.device("meta"):
            network: nn.Module = Sam2Model(Sam2Config(**parts))
        return network.eval()


@dataclass(frozen=True)
class Remembering(Size):
    """The same with its memory of frames, whose tensors are in the same files.

    Parameters
    ----------
    weights : str
        Name of the weights.
    """

    weights: str = ""

    def made(self, said: Mapping[str, Any]) -> nn.Module:
        """Return the network that settings describe, its parameters on the meta device."""
        config = Sam2VideoConfig(**said)
        with torch.device("meta"):
            network: Any = Sam2VideoModel(config)
        attention = network.memory_attention  # what no file holds is computed
        attention.rotary_emb = type(attention.rotary_emb)(config)
        attention.position_ids = nn.Buffer(attention.precompute_positions(config), persistent=False)
        return network.eval()  # type: ignore[no-any-return]


def remembering(size: Size, weights: str) -> Remembering:
    """Return a size with the memory of frames."""
    return Remembering(**vars(size), weights=weights)


PARTS = ("vision_config", "prompt_encoder_config", "mask_decoder_config")
COUNTS = ("num_hidden_layers", "num_multimask_outputs", "iou_head_depth")
"""Of the decoder."""

MEMORY = re.compile(
    r"image_size|num_maskmem|max_\w+|(memory|mask_downsampler|enable|sigmoid|multimask)_(?!.*theta)\w+"
)
"""Settings of the memory that are taken over."""

MOST_PLACES = 256
"""Cells along a side of the map that the memory sees."""


def _plain(described: Mapping[str, Any], shapes: Shapes, channels: int) -> dict[str, Any]:
    """Return what is known of the parts of a network, which has no more layers than tensors."""
    said = {part: dict(described[part]) for part in PARTS if described.get(part)}
    backbone = {**said["vision_config"]["backbone_config"], "num_channels": channels}
    backbone["model_type"] = "sam2_hiera_det_model"
    said["vision_config"] |= {"backbone_config": backbone, "model_type": "sam2_vision_model"}
    decoder = said.get("mask_decoder_config", {})
    counts = [*backbone.get("blocks_per_stage", ()), *(decoder.get(name, 0) for name in COUNTS)]
    memory = {key: value for key, value in described.items() if MEMORY.fullmatch(key)}
    counts += [v for key, v in memory.items() if key.endswith("num_layers")]
    layers = sum(map(abs, counts))
    if layers > len(shapes):
        raise ValueError(f"{layers} layers of {len(shapes)} tensors")
    if max(memory.get("memory_attention_rope_feat_sizes", (0,))) > MOST_PLACES:
        raise ValueError(f"a memory of more than {MOST_PLACES} cells a side")
    return said | memory


sam2_hiera_tiny = Size(96, 1, (1, 2, 7, 2), (5, 7, 9))
sam2_hiera_small = Size(96, 1, (1, 2, 11, 2), (7, 10, 13))
sam2_hiera_base_plus = Size(112, 2, (2, 3, 16, 3), (12, 16, 20), places=14)
sam2_hiera_large = Size(144, 2, (2, 6, 36, 4), (23, 33, 43), (8, 4, 16, 8))

sam2_hiera_tiny_memory = remembering(sam2_hiera_tiny, "sam2_hiera_tiny")
sam2_hiera_small_memory = remembering(sam2_hiera_small, "sam2_hiera_small")
sam2_hiera_base_plus_memory = remembering(sam2_hiera_base_plus, "sam2_hiera_base_plus")
sam2_hiera_large_memory = remembering(sam2_hiera_large, "sam2_hiera_large")


def embed(network: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    """Return the maps (N, 256, y, x) that leave the encoder, in cells of 4, 8 and 16 pixels.

    Parameters
    ----------
    network : nn.Module
        One of the above.
    images : (N, C, y, x) tensor
        Sides are multiples of 32.
    """
    encoder: Any = network.vision_encoder
    return list(encoder(images).fpn_hidden_states)
