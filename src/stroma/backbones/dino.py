"""DINO, DINOv2 and DINOv3, small and base vision transformers, as in ``transformers``.

Caron et al., Emerging properties in self-supervised vision transformers, ICCV 2021,
arXiv:2104.14294; Oquab et al., DINOv2, TMLR 2024, arXiv:2304.07193; Darcet et al., Vision
transformers need registers, ICLR 2024, arXiv:2309.16588; Siméoni et al., DINOv3, 2025,
arXiv:2508.10104.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import (
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    ViTConfig,
    ViTModel,
)
from transformers.models.dinov2.modeling_dinov2 import Dinov2Embeddings

FEATURES = 384
HEADS = 6
"""Of small transformers; those of base are twice as wide."""

REGISTERS = 4


def dinov2(
    channels: int = 3, *, features: int = FEATURES, layers: int = 12, heads: int = HEADS
) -> nn.Module:
    """Return a transformer like DINOv2's, of any size, with weights drawn at random."""
    config = Dinov2WithRegistersConfig(
        num_channels=channels,
        image_size=518,
        patch_size=14,
        hidden_size=features,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_register_tokens=REGISTERS,
    )
    made: nn.Module = Dinov2WithRegistersModel(config)
    return made


def dinov2_small(channels: int = 3) -> nn.Module:
    """Return ViT-S/14 with 4 registers; positions are learnt for 37 x 37 patches."""
    with torch.device("meta"):
        return dinov2(channels).eval()


def dinov2_base(channels: int = 3) -> nn.Module:
    """Return ViT-B/14 with 4 registers; positions are learnt for 37 x 37 patches."""
    with torch.device("meta"):
        return dinov2(channels, features=2 * FEATURES, heads=2 * HEADS).eval()


def dinov2_without_registers(
    channels: int = 3, *, features: int = FEATURES, layers: int = 12, heads: int = HEADS
) -> nn.Module:
    """Return a transformer like DINOv2's without registers, with weights drawn at random."""
    config = Dinov2Config(
        num_channels=channels,
        image_size=518,
        patch_size=14,
        hidden_size=features,
        num_hidden_layers=layers,
        num_attention_heads=heads,
    )
    network = Dinov2Model(config)
    network.embeddings = _Offset(config)
    return network  # type: ignore[no-any-return]


def dinov2_plain(channels: int = 3) -> nn.Module:
    """Return ViT-S/14 without registers; positions are learnt for 37 x 37 patches."""
    with torch.device("meta"):
        return dinov2_without_registers(channels).eval()


def dinov3_small_plus(channels: int = 3) -> nn.Module:
    """Return ViT-S+/16 with 4 registers, gated MLPs and rotary positions."""
    return _dinov3(channels, hidden_act="silu", use_gated_mlp=True)


def dinov3_small(channels: int = 3) -> nn.Module:
    """Return ViT-S/16 with 4 registers and rotary positions."""
    return _dinov3(channels, hidden_act="gelu", use_gated_mlp=False)


def _dinov3(channels: int, **mlp: Any) -> nn.Module:
    config = DINOv3ViTConfig(
        num_channels=channels,
        patch_size=16,
        hidden_size=FEATURES,
        intermediate_size=4 * FEATURES,
        num_hidden_layers=12,
        num_attention_heads=HEADS,
        num_register_tokens=REGISTERS,
        **mlp,
    )
    with torch.device("meta"):
        network = DINOv3ViTModel(config)
    # Frequencies of the rotary positions are computed, not loaded: off the meta device with them.
    network.rope_embeddings = type(network.rope_embeddings)(config)
    return network.eval()  # type: ignore[no-any-return]


OFFSET = 0.1
"""Added to the number of patches before positions are resized, as DINO's authors do.

So it is in DINOv2 without registers; with registers nothing is added, as in ``transformers``.
"""


def with_offset(known: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return positions for other numbers of patches.

    Parameters
    ----------
    known : (1, 1 + side², F) tensor
        Positions of the class token and of patches on a square.
    rows, columns : int
        Patches there are.

    Returns
    -------
    (1, 1 + rows columns, F) tensor
    """
    side = round((known.shape[1] - 1) ** 0.5)
    if (rows, columns) == (side, side):
        return known
    grid = known[:, 1:].reshape(1, side, side, -1).movedim(-1, 1)
    scale = ((rows + OFFSET) / side, (columns + OFFSET) / side)
    resized = F.interpolate(grid.float(), scale_factor=scale, mode="bicubic").to(known.dtype)
    assert resized.shape[2:] == (rows, columns)
    return torch.cat((known[:, :1], resized.flatten(2).movedim(1, 2)), dim=1)


class _Offset(Dinov2Embeddings):  # type: ignore[misc]
    """Tokens of DINOv2 whose positions are resized as its authors resize them."""

    def interpolate_pos_encoding(
        self, embeddings: torch.Tensor, height: int, width: int
    ) -> torch.Tensor:
        """Return the positions of an image of so many pixels."""
        del embeddings
        rows, columns = height // self.patch_size, width // self.patch_size
        return with_offset(self.position_embeddings, rows, columns)


class _Placed(ViTModel):  # type: ignore[misc]
    """A ViT of ``transformers`` whose positions are resized as DINO's authors resize them."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the (N, 1 + patches, F) tokens after the final norm."""
        inner = self.embeddings
        patches = inner.patch_embeddings.projection(images).flatten(2).movedim(1, 2)
        first = inner.cls_token.expand(len(images), -1, -1)
        rows, columns = (side // inner.patch_size for side in images.shape[2:])
        positions = with_offset(inner.position_embeddings, rows, columns)
        states = torch.cat((first, patches), dim=1) + positions
        for layer in self.layers:
            states = layer(states, None)
        tokens: torch.Tensor = self.layernorm(states)
        return tokens


def dino_small(channels: int = 3) -> nn.Module:
    """Return ViT-S/8 without registers; positions are learnt for 28 x 28 patches."""
    config = ViTConfig(
        num_channels=channels,
        image_size=224,
        patch_size=8,
        hidden_size=FEATURES,
        intermediate_size=1536,
        num_hidden_layers=12,
        num_attention_heads=HEADS,
        layer_norm_eps=1e-6,
    )
    with torch.device("meta"):
        network: nn.Module = _Placed(config, add_pooling_layer=False)
    return network.eval()


def patch_tokens(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the tokens of the patches after the final norm.

    Parameters
    ----------
    network : nn.Module
        One of the above.
    images : (N, C, y, x) tensor
        Sides are multiples of the patch.

    Returns
    -------
    (N, patches, F) tensor
        Row by row, without the class token and the registers that come first.
    """
    return _tokens(network, images)[:, _before_patches(network) :]


def _tokens(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    found = network(images)
    return found if isinstance(found, torch.Tensor) else found.last_hidden_state


def _before_patches(network: nn.Module) -> int:
    """Return how many tokens come before those of the patches."""
    return 1 if isinstance(network, _Placed | Dinov2Model) else 1 + REGISTERS


def class_attention(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return how much of what the class token takes in there is in every patch.

    In every head of the last block the class token gets a mean of the values of all tokens,
    weighted by attention. The products of that mean with the values of the patches are large where
    patches are like what the class token looks at (Docherty et al., arXiv:2410.19836).

    Parameters
    ----------
    network, images
        As for `patch_tokens`.

    Returns
    -------
    (N, patches, heads) tensor
        Row by row.
    """
    last: Any = [m for name, m in network.named_modules() if name.endswith(".attention")][-1]
    seen: dict[str, torch.Tensor] = {}

    def keep_values(_: nn.Module, __: tuple[torch.Tensor, ...], values: torch.Tensor) -> None:
        seen["values"] = values

    def keep_mean(_: nn.Module, entering: tuple[torch.Tensor, ...]) -> None:
        seen["mean"] = entering[0][:, 0]

    hooks = (
        last.v_proj.register_forward_hook(keep_values),
        last.o_proj.register_forward_pre_hook(keep_mean),
    )
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    values, mean = seen["values"][:, _before_patches(network) :], seen["mean"][:, None]
    products = values * mean
    heads: int = network.config.num_attention_heads  # type: ignore[union-attr, assignment]
    return products.reshape(*products.shape[:2], heads, -1).sum(dim=-1)
