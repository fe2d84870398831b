"""The encoders of Segment Anything as features: what the networks give, in windows of any size."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import Sam2Config, Sam2Model, SamConfig, SamModel

from random_sam import ENCODER, PATCH, SAM2, SIDE
from stroma import ConvpaintModel
from stroma.backbones.loading import pretrained
from stroma.features.networks.sam import MicroSamB, SamB
from stroma.features.networks.sam2 import Sam2Tiny


def image(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((channels, height, width), np.float32)


@pytest.fixture(scope="module")
def encoder(folder_of_weights) -> torch.nn.Module:
    network = SamModel(
        SamConfig(
            vision_config=ENCODER,
            prompt_encoder_config={"image_size": SIDE, "patch_size": PATCH},
            mask_decoder_config={"mlp_dim": 64},
        )
    )
    state = load_file(folder_of_weights / "sam_vit_b.safetensors")
    network.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    return network.vision_encoder.eval()


def test_features_are_those_of_transformers(encoder) -> None:
    values = image(SIDE, SIDE)
    [found] = SamB()(values)
    assert found.step == PATCH
    with torch.inference_mode():
        expected = encoder(torch.tensor(values)[None]).last_hidden_state[0].numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(found.values, expected, atol=1e-4)


def test_relative_places_in_small_windows_are_those_of_large_ones(encoder) -> None:
    """What is known of distances is looked up, not shrunk."""
    known = torch.arange(15.0)[:, None]
    layer = pretrained("sam_vit_b", SamB().needed(), device=torch.device("cpu")).vision_encoder
    attention = layer.layers[1].attn
    whole = encoder.layers[1].attn.get_rel_pos(8, 8, known)
    assert torch.equal(attention.get_rel_pos(8, 8, known), whole)
    assert torch.equal(attention.get_rel_pos(3, 3, known), whole[:3, :3])


@pytest.mark.parametrize("side", [PATCH, 5 * PATCH, SIDE, SIDE + 3 * PATCH])
def test_windows_of_any_size_are_seen(side: int) -> None:
    [found] = SamB()(image(side, 2 * PATCH))
    assert found.values.shape == (256, side // PATCH, 2)
    assert np.isfinite(found.values).all()


def test_only_the_encoder_is_read() -> None:
    assert all(name.startswith("vision_encoder.") for name in SamB().needed())
    assert SamB().provenance()["digest"] == SamB().provenance()["digest"]
    assert SamB().provenance()["name"] != MicroSamB().provenance()["name"]


def test_a_model_learns_on_them() -> None:
    values = np.zeros((48, 64), np.float32)
    values[:, 32:] = np.random.default_rng(0).normal(0, 1, (48, 32))
    strokes = np.zeros(values.shape, np.uint8)
    strokes[10:40, 5:10], strokes[10:40, 50:60] = 1, 2
    model = ConvpaintModel(fe_name="sam_vit_b")
    model.train(values, strokes)
    found = model.segment(values)
    assert (found[strokes > 0] == strokes[strokes > 0]).mean() > 0.9


def test_maps_of_sam2_are_those_of_transformers(folder_of_weights) -> None:
    network = Sam2Model(Sam2Config(**deepcopy(SAM2)))
    state = load_file(folder_of_weights / "sam2_hiera_tiny.safetensors")
    network.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    values = image(64, 96)
    found = Sam2Tiny()(values)
    with torch.inference_mode():
        expected = network.eval().vision_encoder(torch.tensor(values)[None]).fpn_hidden_states
    assert [level.step for level in found] == [4, 8, 16]
    for level, known in zip(found, expected, strict=True):
        np.testing.assert_allclose(level.values, known[0].numpy(), atol=1e-4)
    assert sum(len(level.values) for level in found) == len(Sam2Tiny().names(["grey"]))
