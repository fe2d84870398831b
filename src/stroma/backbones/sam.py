"""Segment Anything, as ``transformers`` has it, in the size that a file of weights has.

Kirillov et al., Segment anything, ICCV 2023, arXiv:2304.02643.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import SamConfig, SamModel
from transformers.models.sam.modeling_sam import SamVisionSdpaAttention

from stroma.backbones.loading import Describe, Shapes
from stroma.backbones.tiny_vit import Stages, TinyViT
from stroma.errors import FormatError

ENCODER = "vision_encoder."
PATCH = 16
FEATURES = 256
SIDE, MOST_SIDE = 1024, 4096
TINY = f"{ENCODER}patch_embed.seq.0.c.weight"
"""A tensor that TinyViT has."""

_NORMS = {"layer_norm_eps": 1e-5}
"""Of the decoder, as the authors trained it; that of ``transformers`` is 1e-6."""


@dataclass(frozen=True)
class Size:
    """How large a network is; called with a number of channels, it builds it.

    Parameters
    ----------
    features : int
        Of a token inside the encoder.
    layers, heads : int
        Of the encoder.
    everywhere : tuple of int
        Layers in which all tokens see each other, and not just those of a window.
    """

    features: int
    layers: int
    heads: int
    everywhere: tuple[int, ...]

    def __call__(self, channels: int = 3) -> nn.Module:
        """Return the network, its parameters on the meta device."""
        encoder = {
            "hidden_size": self.features,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "global_attn_indexes": list(self.everywhere),
            "num_channels": channels,
        }
        return self.made({"vision_config": encoder, "mask_decoder_config": _NORMS})

    def like(self, shapes: Shapes, describe: Describe, channels: int = 3) -> nn.Module:
        """Return a network for tensors of the given shapes, whatever their size."""
        try:
            if TINY in shapes:
                return tiny(Stages.of(shapes, ENCODER), _side(describe()), shapes, channels)
            return self.made(_settings(shapes, channels))
        except (KeyError, IndexError, ZeroDivisionError, StopIteration) as error:
            raise FormatError(
                "The file holds no Segment Anything with a ViT or TinyViT as encoder: it lacks "
                f"{error}."
            ) from error

    def made(self, settings: Mapping[str, Any]) -> nn.Module:
        """Return the network that settings describe, its parameters on the meta device."""
        with torch.device("meta"):
            network = self.network(settings)
            for layer in network.vision_encoder.layers:
                layer.attn = _Placed(network.config.vision_config, layer.window_size)
        return network.eval()  # type: ignore[no-any-return]

    def network(self, settings: Mapping[str, Any]) -> Any:
        """Return the network of ``transformers``."""
        return SamModel(SamConfig(**settings))


sam_vit_b = Size(768, 12, 12, (2, 5, 8, 11))
sam_vit_l = Size(1024, 24, 16, (5, 11, 17, 23))
sam_vit_h = Size(1280, 32, 16, (7, 15, 23, 31))


USUAL = Stages()


@dataclass(frozen=True)
class Tiny(Size):
    """TinyViT as the encoder."""

    features: int = 0
    layers: int = 0
    heads: int = 0
    everywhere: tuple[int, ...] = ()
    stages: Stages = USUAL

    def __call__(self, channels: int = 3) -> nn.Module:
        """Return the network, its parameters on the meta device."""
        return tiny(self.stages, SIDE, {}, channels)


sam_vit_t = Tiny()


def tiny(
    stages: Stages, side: int, shapes: Shapes, channels: int = 3, *, device: str = "meta"
) -> nn.Module:
    """Return a network with TinyViT as its encoder.

    Parameters
    ----------
    stages : Stages
        Of the encoder.
    side : int
        Of images, in pixels.
    shapes : mapping of str to tuple of int
        Of tensors of a file, which say how large the decoder is.
    channels : int
        Of images.
    device : str
        Where its values are; "meta" for none.
    """
    with torch.device(device):
        network = _small(stages, side, _decoder(shapes, stages.out))
        network.vision_encoder = TinyViT(stages, channels)
    return network.eval()  # type: ignore[no-any-return]


def _small(stages: Stages, side: int, decoder: dict[str, Any]) -> Any:
    """Return a network whose encoder, which is left out, has the size that is asked for."""
    out = stages.out
    encoder = {"hidden_size": 4, "num_hidden_layers": 0, "num_attention_heads": 1}
    encoder |= {"image_size": side, "output_channels": out, "num_pos_feats": out // 2}
    prompts = {"hidden_size": out, "image_size": side, "patch_size": PATCH}
    return SamModel(
        SamConfig(vision_config=encoder, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    )


def _side(described: Mapping[str, Any]) -> int:
    """Return the side of images that a file was trained with, as said beside it."""
    settings = described.get("prompt_encoder_config", {})
    said = settings.get("image_size", SIDE) if isinstance(settings, Mapping) else settings
    if not isinstance(said, int) or not PATCH <= said <= MOST_SIDE or said % PATCH:
        raise FormatError(
            f"The settings beside the file say image_size {said}; it is a multiple of {PATCH} up "
            f"to {MOST_SIDE}."
        )
    return said


class _Placed(SamVisionSdpaAttention):  # type: ignore[misc]
    """Attention that knows relative places in windows smaller than those it was trained with."""

    def get_rel_pos(self, q_size: int, k_size: int, rel_pos: torch.Tensor) -> torch.Tensor:
        """Return the (q, k, F) embeddings of the distances between places along an axis."""
        known = (len(rel_pos) + 1) // 2
        if max(q_size, k_size) > known:
            larger: torch.Tensor = super().get_rel_pos(q_size, k_size, rel_pos)
            return larger
        places = torch.arange(max(q_size, k_size), device=rel_pos.device)
        return rel_pos[places[:q_size, None] - places[None, :k_size] + known - 1]


def _settings(shapes: Shapes, channels: int) -> dict[str, dict[str, Any]]:
    """Return the settings of a network whose tensors have these shapes."""
    features, _, _, patch = shapes[f"{ENCODER}patch_embed.projection.weight"]
    grid = shapes[f"{ENCODER}pos_embed"][1]
    layers = count(shapes, rf"{ENCODER}layers\.(\d+)\.layer_norm1\.weight")
    reach = [shapes[f"{ENCODER}layers.{i}.attn.rel_pos_h"] for i in range(layers)]
    windows = {n for n, _ in reach if n != 2 * grid - 1}
    out = shapes[f"{ENCODER}neck.conv1.weight"][0]
    places = shapes.get("prompt_encoder.shared_embedding.positional_embedding", (2, out // 2))
    encoder = {
        "hidden_size": features,
        "num_channels": channels,
        "image_size": grid * patch,
        "patch_size": patch,
        "num_hidden_layers": layers,
        "num_attention_heads": features // reach[0][1],
        "global_attn_indexes": [i for i, (n, _) in enumerate(reach) if n == 2 * grid - 1],
        "window_size": (next(iter(windows)) + 1) // 2 if windows else grid,
        "mlp_dim": shapes[f"{ENCODER}layers.0.mlp.lin1.weight"][0],
        "output_channels": out,
        "num_pos_feats": places[1],
    }
    prompts = {"hidden_size": out, "image_size": grid * patch, "patch_size": patch}
    return {
        "vision_config": encoder,
        "prompt_encoder_config": prompts,
        "mask_decoder_config": _decoder(shapes, out),
    }


def _decoder(shapes: Shapes, out: int) -> dict[str, Any]:
    """Return the settings of the decoder; those of the authors where the file has none."""
    start = "mask_decoder.transformer.layers"
    if f"{start}.0.mlp.lin1.weight" not in shapes:
        return {"hidden_size": out, **_NORMS}
    return {
        "hidden_size": out,
        **_NORMS,
        "num_hidden_layers": count(shapes, rf"{re.escape(start)}\.(\d+)\.layer_norm1\.weight"),
        "mlp_dim": shapes[f"{start}.0.mlp.lin1.weight"][0],
        "num_multimask_outputs": shapes["mask_decoder.mask_tokens.weight"][0] - 1,
        "iou_head_hidden_dim": shapes["mask_decoder.iou_prediction_head.proj_in.weight"][0],
    }


def count(shapes: Shapes, pattern: str) -> int:
    """Return how many names match a regular expression."""
    return len([1 for key in shapes if re.fullmatch(pattern, key)])


def embed(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return what the encoder makes of images of any size.

    Where it was trained with larger ones, places are counted from the upper left corner; where with
    smaller ones, what it knows of places is stretched.

    Parameters
    ----------
    network : nn.Module
        One of the above.
    images : (N, C, y, x) tensor
        Sides are multiples of the patch.

    Returns
    -------
    (N, F, y / patch, x / patch) tensor
        256 features of every patch.
    """
    encoder: Any = network.vision_encoder
    if isinstance(encoder, TinyViT):  # it knows distances in windows alone, and takes any size
        small: torch.Tensor = encoder(images).last_hidden_state
        return small
    states = encoder.patch_embed.projection(images).permute(0, 2, 3, 1)
    states = states + _positions(encoder.pos_embed, *states.shape[1:3])
    for layer in encoder.layers:
        states = layer(states)
    found: torch.Tensor = encoder.neck(states)
    return found


def _positions(known: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return the (1, rows, columns, F) embeddings of places."""
    high, wide = max(rows, known.shape[1]), max(columns, known.shape[2])
    if (high, wide) != known.shape[1:3]:
        maps = known.permute(0, 3, 1, 2).float()
        stretched = F.interpolate(maps, (high, wide), mode="bicubic", antialias=False)
        known = stretched.permute(0, 2, 3, 1).to(known.dtype)
    return known[:, :rows, :columns]


def embed_tokens(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return what `embed` does as (N, patches, F), row by row."""
    return embed(network, images).flatten(2).transpose(1, 2)
