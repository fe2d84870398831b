import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import (
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    ViTConfig,
    ViTModel,
)
from transformers.initialization import no_init_weights

from stroma.features.build import extractor
from stroma.features.networks.vit import DINO, DINOv2, DINOv3


def image(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, height, width), np.float32)


DINOV2 = {"dinov2_vits14_reg": (384, 6), "dinov2_vitb14_reg": (768, 12)}
"""Width and heads."""

DINOV3 = {
    "dinov3_vits16plus": {"use_gated_mlp": True, "hidden_act": "silu"},
    "dinov3_vits16": {"use_gated_mlp": False, "hidden_act": "gelu"},
}


@pytest.fixture(scope="module", params=DINOV2)
def dinov2(folder_of_weights, request):
    width, heads = DINOV2[request.param]
    config = Dinov2WithRegistersConfig(
        hidden_size=width, num_attention_heads=heads, image_size=518, patch_size=14
    )
    with no_init_weights():
        network = Dinov2WithRegistersModel(config)
    return request.param, with_weights(network, folder_of_weights, request.param)


@pytest.fixture(scope="module", params=DINOV3)
def dinov3(folder_of_weights, request):
    config = DINOv3ViTConfig(
        hidden_size=384,
        num_attention_heads=6,
        intermediate_size=1536,
        num_register_tokens=4,
        **DINOV3[request.param],
    )
    with no_init_weights():
        network = DINOv3ViTModel(config)
    return request.param, with_weights(network, folder_of_weights, request.param)


def with_weights(network, folder, name):
    state = load_file(folder / f"{name}.safetensors")
    values = {key: torch.from_numpy(value) for key, value in state.items()}
    network.load_state_dict(values, assign=True)  # a copy would be as large again
    return network.eval()


def patches(network, values, height, width):
    """Return the tokens after class token and registers, as (F, h, w)."""
    with torch.inference_mode():
        tokens = network(torch.tensor(values)[None]).last_hidden_state[0]
    assert len(tokens) == 5 + height * width
    return tokens[5:].numpy().reshape(height, width, -1).transpose(2, 0, 1)


@pytest.mark.parametrize(("height", "width"), [(5, 7), (9, 9), (37, 3), (2, 20)])
def test_dinov2_is_that_of_transformers(dinov2, height, width):
    values = image(14 * height, 14 * width)
    name, network = dinov2
    (found,) = extractor(name)(values)
    assert found.step == 14
    assert len(found.values) == len(extractor(name).names("rgb"))
    expected = patches(network, values, height, width)
    np.testing.assert_allclose(found.values, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(5, 7), (8, 8), (9, 3)])
def test_dinov3_is_that_of_transformers(dinov3, height, width):
    values = image(16 * height, 16 * width)
    name, network = dinov3
    (found,) = extractor(name)(values)
    assert found.step == 16
    expected = patches(network, values, height, width)
    np.testing.assert_allclose(found.values, expected, atol=1e-5, rtol=1e-5)


def test_the_class_token_of_a_wide_transformer_looks_with_all_its_heads():
    shown = extractor("attention:dinov2_vitb14_reg")
    [found] = shown(image(28, 42))
    assert found.values.shape == (12, 2, 3)
    assert len(shown.names("rgb")) == 12
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(("extractor", "patch"), [(DINOv2(), 14), (DINOv3(), 16)])
def test_one_channel_repeated_gives_what_three_equal_channels_give(extractor, patch):
    one = image(4 * patch, 3 * patch, channels=1)
    (series,) = extractor(np.broadcast_to(one, (3, *one.shape[1:])))
    (copied,) = extractor(np.repeat(one, 3, axis=0))
    np.testing.assert_allclose(series.values, copied.values, atol=2e-4)


def test_a_batch_gives_what_its_windows_give_alone():
    windows = [image(28, 42, seed=i) for i in range(3)]
    together = DINOv2().batch(windows)
    for window, (found,) in zip(windows, together, strict=True):
        (alone,) = DINOv2()(window)
        np.testing.assert_allclose(found.values, alone.values, atol=1e-4)


def test_tokens_in_half_precision_are_those_in_single(monkeypatch):
    window = image(28, 42)
    (single,) = DINOv2(device="cpu")(window)
    monkeypatch.setattr("stroma.features.networks.vit._precision", lambda place: torch.float16)
    (half,) = DINOv2(device="cpu")(window)
    assert half.values.dtype == np.float32
    assert 0 < np.abs(half.values - single.values).max() < 0.02 * np.abs(single.values).max()


def test_provenance_names_the_file_and_hashes_its_values(folder_of_weights):
    facts = DINOv2().provenance()
    assert facts["name"] == "dinov2_vits14_reg"
    assert facts["file"] == str(folder_of_weights / "dinov2_vits14_reg.safetensors")
    assert facts["digest"] != DINOv3().provenance()["digest"]


@pytest.mark.parametrize(("kind", "patch"), [("dinov2_vits14_reg", 14), ("dinov3_vits16plus", 16)])
def test_cells_as_large_as_patches_need_no_shift_and_are_the_plain_model(kind, patch):
    window = image(2 * patch, 3 * patch)
    [plain], [shown] = extractor(kind)(window), extractor(f"shifts/{patch}:{kind}")(window)
    np.testing.assert_array_equal(shown.values, plain.values)


def test_shifts_and_flips_of_a_transformer_lie_between_its_patches():
    shown = extractor("both:dinov2_vits14_reg")
    [found] = shown(image(28, 42))
    assert (found.step, found.values.shape) == (7, (384, 4, 6))
    assert shown.provenance() == DINOv2().provenance()
    [mirrored] = shown(image(28, 42)[:, :, ::-1])
    np.testing.assert_allclose(mirrored.values, found.values[:, :, ::-1], atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (5, 7), (3, 30)])
def test_dino_is_that_of_transformers_with_positions_as_its_authors_resize_them(
    folder_of_weights, height, width
):
    """A tenth of a patch is added before positions are resized; without, they differ."""
    config = ViTConfig(
        hidden_size=384,
        num_attention_heads=6,
        intermediate_size=1536,
        image_size=(8 * height, 8 * width),
        patch_size=8,
        layer_norm_eps=1e-6,
    )
    with no_init_weights():
        network = ViTModel(config, add_pooling_layer=False)
    state = {
        k: torch.tensor(v)
        for k, v in load_file(folder_of_weights / "dino_vits8.safetensors").items()
    }
    known = state["embeddings.position_embeddings"]
    grid = known[:, 1:].reshape(1, 28, 28, 384).permute(0, 3, 1, 2)
    scale = ((height + 0.1) / 28, (width + 0.1) / 28)
    resized = torch.nn.functional.interpolate(grid, scale_factor=scale, mode="bicubic")
    if (height, width) == (28, 28):
        resized = grid
    state["embeddings.position_embeddings"] = torch.cat(
        (known[:, :1], resized.permute(0, 2, 3, 1).reshape(1, height * width, 384)), dim=1
    )
    network.load_state_dict(state)
    values = image(8 * height, 8 * width)
    with torch.inference_mode():
        tokens = network.eval()(torch.tensor(values)[None]).last_hidden_state[0, 1:].numpy()
    [found] = DINO()(values)
    assert found.step == 8
    expected = tokens.T.reshape(384, height, width)
    np.testing.assert_allclose(found.values, expected, atol=1e-5, rtol=1e-5)
