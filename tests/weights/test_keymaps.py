"""Official checkpoints and older files of the hub give the tensors that transformers 5 wants.

The official names are written out here a second time, from the networks as their authors publish
them, so that rules and expectations have no line in common.
"""

import numpy as np
import pytest
import torch
from transformers import (
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    ViTConfig,
    ViTModel,
)

from stroma import weights
from stroma.weights.keymaps import KEYMAPS, Piece, wanted_keys

WIDTH, DEPTH = 8, 2


def ours_of(keymap, file):
    """Return our tensors, given those of a file."""
    holding = wanted_keys(KEYMAPS[keymap], list(file), lambda _: True)
    return {p.name: p.of(file[key]) for key, pieces in holding.items() for p in pieces}


def state(network):
    return {
        key: np.random.default_rng(i).standard_normal(value.shape).astype(np.float32)
        for i, (key, value) in enumerate(network.state_dict().items())
    }


def assert_equal(found, expected):
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key].reshape(value.shape), value, err_msg=key)


def dinov2(**options):
    config = Dinov2WithRegistersConfig(
        hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=2, image_size=28, **options
    )
    return state(Dinov2WithRegistersModel(config))


def dinov3(gated):
    config = DINOv3ViTConfig(
        hidden_size=WIDTH,
        num_hidden_layers=DEPTH,
        num_attention_heads=2,
        intermediate_size=16,
        use_gated_mlp=gated,
        num_register_tokens=4,
    )
    return state(DINOv3ViTModel(config))


def official_blocks(ours, layer, scale, chunk=""):
    """Return what the official DINOv2 and DINOv3 have in common, per block."""
    found = {}
    for i in range(DEPTH):
        block, there = f"blocks.{chunk}{i}", f"{layer}.{i}"
        for norm in ("norm1", "norm2"):
            for kind in ("weight", "bias"):
                found[f"{block}.{norm}.{kind}"] = ours[f"{there}.{norm}.{kind}"]
        for number in "12":
            found[f"{block}.ls{number}.gamma"] = ours[f"{there}.layer_scale{number}.{scale}"]
        for kind in ("weight", "bias"):
            parts = [ours.get(f"{there}.attention.{n}_proj.{kind}") for n in "qkv"]
            filled = [np.full(WIDTH, np.nan, np.float32) if p is None else p for p in parts]
            found[f"{block}.attn.qkv.{kind}"] = np.concatenate(filled)
            found[f"{block}.attn.proj.{kind}"] = ours[f"{there}.attention.o_proj.{kind}"]
    return found


def official_dinov2(ours, swiglu, chunk=""):
    found = official_blocks(ours, "encoder.layer", "lambda1", chunk)
    for i in range(DEPTH):
        block, mlp = f"blocks.{chunk}{i}.mlp", f"encoder.layer.{i}.mlp"
        for kind in ("weight", "bias"):
            if swiglu:
                pair = [ours[f"{mlp}.{n}.{kind}"] for n in ("gate_proj", "up_proj")]
                found[f"{block}.w12.{kind}"] = np.concatenate(pair)
                found[f"{block}.w3.{kind}"] = ours[f"{mlp}.down_proj.{kind}"]
            else:
                for n in ("fc1", "fc2"):
                    found[f"{block}.{n}.{kind}"] = ours[f"{mlp}.{n}.{kind}"]
    for kind in ("weight", "bias"):
        found[f"norm.{kind}"] = ours[f"layernorm.{kind}"]
        patches = ours[f"embeddings.patch_embeddings.projection.{kind}"]
        found[f"patch_embed.proj.{kind}"] = patches
    for token in ("cls_token", "mask_token", "register_tokens"):
        found[token] = ours[f"embeddings.{token}"]
    found["pos_embed"] = ours["embeddings.position_embeddings"]
    return found


def older_dinov2(ours):
    """Return the same with the names of transformers 4, as the hub's files have them."""
    renamed = {}
    for key, value in ours.items():
        for letter, word in (("q", "query"), ("k", "key"), ("v", "value")):
            key = key.replace(f"attention.{letter}_proj", f"attention.attention.{word}")
        renamed[key.replace("attention.o_proj", "attention.output.dense")] = value
    return renamed


@pytest.mark.parametrize("swiglu", [False, True])
@pytest.mark.parametrize("chunk", ["", "0."])
def test_official_dinov2(swiglu, chunk):
    ours = dinov2(use_swiglu_ffn=swiglu)
    assert any("gate_proj" in key for key in ours) == swiglu
    assert_equal(ours_of("dinov2", official_dinov2(ours, swiglu, chunk)), ours)


def test_dinov2_as_older_files_of_the_hub_name_it():
    ours = dinov2()
    older = older_dinov2(ours)
    assert "encoder.layer.0.attention.attention.query.weight" in older
    assert_equal(ours_of("dinov2", older), ours)
    prefixed = {f"dinov2_with_registers.{key}": value for key, value in older.items()}
    assert_equal(ours_of("dinov2", prefixed), ours)


def dino():
    config = ViTConfig(
        hidden_size=WIDTH,
        num_hidden_layers=DEPTH,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=16,
        patch_size=8,
    )
    return state(ViTModel(config, add_pooling_layer=False))


def test_official_dino():
    ours, official = dino(), {}
    for i in range(DEPTH):
        block, there = f"blocks.{i}", f"layers.{i}"
        for kind in ("weight", "bias"):
            parts = [ours[f"{there}.attention.{n}_proj.{kind}"] for n in "qkv"]
            official[f"{block}.attn.qkv.{kind}"] = np.concatenate(parts)
            official[f"{block}.attn.proj.{kind}"] = ours[f"{there}.attention.o_proj.{kind}"]
            official[f"{block}.norm1.{kind}"] = ours[f"{there}.layernorm_before.{kind}"]
            official[f"{block}.norm2.{kind}"] = ours[f"{there}.layernorm_after.{kind}"]
            for n in ("fc1", "fc2"):
                official[f"{block}.mlp.{n}.{kind}"] = ours[f"{there}.mlp.{n}.{kind}"]
    for kind in ("weight", "bias"):
        official[f"norm.{kind}"] = ours[f"layernorm.{kind}"]
        patches = ours[f"embeddings.patch_embeddings.projection.{kind}"]
        official[f"patch_embed.proj.{kind}"] = patches
    official["cls_token"] = ours["embeddings.cls_token"]
    official["pos_embed"] = ours["embeddings.position_embeddings"]
    official["head.weight"] = np.zeros((3, WIDTH), np.float32)
    assert_equal(ours_of("dino", official), ours)


def test_dino_as_older_files_of_the_hub_name_it():
    ours, older = dino(), {"pooler.dense.bias": np.zeros(WIDTH, np.float32)}
    for key, value in ours.items():
        key = key.replace("layers.", "encoder.layer.")
        for letter, word in (("q", "query"), ("k", "key"), ("v", "value")):
            key = key.replace(f"attention.{letter}_proj", f"attention.attention.{word}")
        key = key.replace("attention.o_proj", "attention.output.dense")
        key = key.replace("mlp.fc1", "intermediate.dense").replace("mlp.fc2", "output.dense")
        older[key] = value
    assert "encoder.layer.1.output.dense.weight" in older
    assert_equal(ours_of("dino", older), ours)


@pytest.mark.parametrize("gated", [False, True])
def test_official_dinov3_has_no_bias_of_keys(gated):
    ours = dinov3(gated)
    official = official_blocks(ours, "model.layer", "lambda1")
    names = {"w1": "gate_proj", "w2": "up_proj", "w3": "down_proj"}
    names = names if gated else {"fc1": "up_proj", "fc2": "down_proj"}
    for i in range(DEPTH):
        official[f"blocks.{i}.attn.qkv.bias_mask"] = np.ones(3 * WIDTH, np.float32)
        for there, here in names.items():
            for kind in ("weight", "bias"):
                value = ours[f"model.layer.{i}.mlp.{here}.{kind}"]
                official[f"blocks.{i}.mlp.{there}.{kind}"] = value
    for kind in ("weight", "bias"):
        official[f"norm.{kind}"] = ours[f"norm.{kind}"]
        official[f"patch_embed.proj.{kind}"] = ours[f"embeddings.patch_embeddings.{kind}"]
    official["cls_token"] = ours["embeddings.cls_token"]
    official["storage_tokens"] = ours["embeddings.register_tokens"]
    official["mask_token"] = ours["embeddings.mask_token"][0]
    official["rope_embed.periods"] = np.ones(4, np.float32)
    assert "model.layer.0.attention.k_proj.bias" not in ours
    assert_equal(ours_of("dinov3", official), ours)


def test_dinov3_as_older_files_of_the_hub_name_it():
    ours = dinov3(gated=True)
    older = {key.removeprefix("model."): value for key, value in ours.items()}
    assert_equal(ours_of("dinov3", older), ours)


@pytest.mark.parametrize("keymap", KEYMAPS)
def test_our_own_names_stay_as_they_are(keymap):
    networks = {"dinov2": dinov2, "dinov3": lambda: dinov3(gated=True)}
    names = list(networks[keymap]()) if keymap in networks else ["features.0.weight"]
    assert [KEYMAPS[keymap].pieces(name) for name in names] == [(Piece(name),) for name in names]


def test_a_part_of_a_fused_tensor_is_read_from_an_official_file(tmp_path):
    ours = dinov2()
    official = official_dinov2(ours, swiglu=False)
    torch.save({k: torch.tensor(v) for k, v in official.items()}, tmp_path / "dinov2.pth")
    key = "encoder.layer.1.attention.k_proj.weight"
    loaded = weights.load("dinov2_vits14_reg", [key], path=tmp_path / "dinov2.pth")
    np.testing.assert_array_equal(loaded.values[key], ours[key])
