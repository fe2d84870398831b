"""The part of SAM 3 that answers prompts, as ``transformers`` has it; without its words and memory.

Carion et al., SAM 3: segment anything with concepts, 2025, arXiv:2511.16719.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import Sam3TrackerConfig, Sam3TrackerModel

from stroma.backbones.loading import Describe, Shapes
from stroma.errors import FormatError, short

PARTS = ("vision_config", "prompt_encoder_config", "mask_decoder_config")
MOST_PLACES = 256
"""Cells along a side of an image."""


@dataclass(frozen=True)
class Size:
    """The size that its authors trained; called with a number of channels, it builds it."""

    def __call__(self, channels: int = 3) -> nn.Module:
        """Return the network, its parameters on the meta device."""
        return _made(Sam3TrackerConfig())

    def like(self, shapes: Shapes, describe: Describe, channels: int = 3) -> nn.Module:
        """Return a network as ``config.json`` beside a file describes it; else, of this size."""
        described = describe()
        said = described.get("tracker_config") or described
        vision = said.get("vision_config") if isinstance(said, Mapping) else None
        if not isinstance(vision, Mapping) or "backbone_config" not in vision:
            return self(channels)
        try:
            return _made(Sam3TrackerConfig(**_plain(said, shapes)))
        except Exception as error:  # what checks settings there has errors of its own
            raise FormatError(
                f"The settings beside the file describe no SAM 3: {short(error)}."
            ) from error


def _plain(said: Mapping[str, Any], shapes: Shapes) -> dict[str, Any]:
    """Return what is known of the parts of a network, which has no more layers than tensors."""
    parts = {part: dict(said[part]) for part in PARTS if said.get(part)}
    backbone = {**parts["vision_config"]["backbone_config"], "model_type": "sam3_vit_model"}
    parts["vision_config"] |= {"backbone_config": backbone, "model_type": "sam3_vision_model"}
    decoder = parts.get("mask_decoder_config", {})
    layers = abs(backbone.get("num_hidden_layers", 0)) + abs(decoder.get("num_hidden_layers", 0))
    if layers > len(shapes):
        raise ValueError(f"{layers} layers of {len(shapes)} tensors")
    cells = max(backbone.get("image_size", 1) // backbone.get("patch_size", 14), 1)
    if max(cells, backbone.get("window_size", 1)) > MOST_PLACES:
        raise ValueError(f"images of more than {MOST_PLACES} cells a side")
    return parts


def _made(config: Sam3TrackerConfig) -> nn.Module:
    with torch.device("meta"):
        network: Any = Sam3TrackerModel(config)
    backbone = config.vision_config.backbone_config
    for layer in network.vision_encoder.backbone.layers:  # what no file holds is computed
        layer.rotary_emb = type(layer.rotary_emb)(backbone)
        places = layer.precompute_positions(backbone, layer.window_size)
        layer.position_ids = nn.Buffer(places, persistent=False)
    return network.eval()  # type: ignore[no-any-return]


sam3 = Size()
