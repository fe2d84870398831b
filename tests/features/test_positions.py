"""Positions of transformers in images of other sizes, each as its authors resize them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from transformers import Dinov2Config, Dinov2Model

from stroma.backbones.dino import dinov2, dinov2_without_registers, patch_tokens, with_offset

SMALL = {"features": 12, "layers": 2, "heads": 3}
SIDE = 37


def grid_of(positions: torch.Tensor) -> torch.Tensor:
    return positions[:, 1:].reshape(1, SIDE, SIDE, -1).movedim(-1, 1)


def listed(positions: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    return torch.cat((positions[:, :1], grid.flatten(2).movedim(1, 2)), dim=1)


def of_the_hub(made: torch.nn.Module, positions: torch.Tensor, side: int) -> torch.nn.Module:
    """Return the network of transformers for squares of so many patches, with these positions."""
    config = Dinov2Config(
        image_size=14 * side, patch_size=14, hidden_size=12, num_hidden_layers=2,
        num_attention_heads=3,
    )  # fmt: skip
    network = Dinov2Model(config).eval()
    network.load_state_dict({**made.state_dict(), "embeddings.position_embeddings": positions})
    return network


@pytest.mark.parametrize("sides", [(16, 16), (31, 37), (37, 37), (46, 46), (5, 60)])
def test_with_registers_they_are_smoothed_and_brought_to_the_size(sides) -> None:
    torch.manual_seed(0)
    inner = dinov2(**SMALL).eval().embeddings
    known = inner.position_embeddings
    found = inner.interpolate_pos_encoding(
        torch.zeros(1, 1 + sides[0] * sides[1], 12), 14 * sides[0], 14 * sides[1]
    )
    resized = F.interpolate(grid_of(known), size=sides, mode="bicubic", antialias=True)
    wanted = known if sides == (SIDE, SIDE) else listed(known, resized)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sides", [(16, 16), (31, 37), (46, 46), (5, 60)])
def test_without_a_tenth_of_a_patch_is_added(sides) -> None:
    known = torch.randn(1, 1 + SIDE**2, 12, generator=torch.Generator().manual_seed(0))
    scale = tuple((side + 0.1) / SIDE for side in sides)
    resized = F.interpolate(grid_of(known), scale_factor=scale, mode="bicubic")
    torch.testing.assert_close(with_offset(known, *sides), listed(known, resized))
    assert with_offset(known, SIDE, SIDE) is known


def test_without_registers_tokens_are_those_of_the_authors_not_of_transformers() -> None:
    """Only at the size of their training do both agree."""
    torch.manual_seed(0)
    made = dinov2_without_registers(**SMALL).eval()
    known = made.embeddings.position_embeddings.detach()
    with torch.inference_mode():
        for side in (16, SIDE):
            image = torch.randn(1, 3, 14 * side, 14 * side)
            found = patch_tokens(made, image)
            wanted = patch_tokens(of_the_hub(made, with_offset(known, side, side), side), image)
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
            usual = patch_tokens(of_the_hub(made, known, SIDE), image)
            assert ((found - usual).abs().max() > 1e-3) == (side != SIDE)
