"""The few-stroke model with deep features, on weights without meaning."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from random_weights import random_tensors
from stroma import ConvpaintModel, Image, weights
from stroma.blocks.box import Box
from stroma.errors import ParameterError, WeightsError
from stroma.features import EXTRACTORS
from stroma.features.build import GUIDED
from stroma.pixel.predicting.run import predict_blocks
from stroma.prompts import ENGINES


@pytest.fixture(scope="module")
def scene():
    """Return a grey image of two textures, and a few strokes on each."""
    random = np.random.default_rng(0)
    image = random.standard_normal((50, 70)).astype(np.float32)
    image[:, 35:] = np.repeat(np.repeat(image[:25, 35:53], 2, 0), 2, 1)[:, :35]
    strokes = np.zeros(image.shape, np.uint8)
    strokes[10:40, 10:13], strokes[10:40, 55:58] = 1, 2
    return image, strokes


def colours(image):
    return np.stack([image, image[::-1], -image])


def trained(name, scene, **options):
    image, strokes = scene
    model = ConvpaintModel(fe_name=name, clf_iterations=10, **options)
    model.train(image, strokes)
    return model


@pytest.mark.parametrize(
    ("alias", "grey"),
    [
        ("vgg", 192),
        ("vgg-m", 768),
        ("vgg-l", 2560),
        ("dino", 384),
        ("dinov3", 384),
        ("hr-dino", 384),
        ("cellpose", 224),
    ],
)
def test_aliases_have_the_features_of_the_reference(alias, grey, scene):
    image = scene[0]
    assert ConvpaintModel(alias).get_feature_image(image).shape == (grey, *image.shape)


@pytest.mark.parametrize(
    ("name", "grey", "rgb"),
    [
        ("vgg16", 192, 192),
        ("efficient_netb0", 64, 64),
        ("convnext", 768, 768),
        ("combo_dino_gauss", 385, 387),
        ("combo_dino_vgg", 576, 576),
        ("combo_dino_ilastik", 440, 552),
        ("gaussian_features+vgg16", 193, 195),
    ],
)
def test_extractors_and_combinations_have_the_features_they_declare(name, grey, rgb, scene):
    image = scene[0]
    assert ConvpaintModel(fe_name=name).get_feature_image(image).shape == (grey, *image.shape)
    model = ConvpaintModel(fe_name=name, channel_mode="rgb")
    assert model.get_feature_image(colours(image)).shape == (rgb, *image.shape)


@pytest.mark.parametrize(
    "name",
    ["vgg16", "efficient_netb0", "convnext", "dinov2_vits14_reg", "dinov3_vits16plus"],
)
def test_a_saved_model_predicts_the_same_with_the_same_weights(name, scene, tmp_path):
    model = trained(name, scene)
    expected = model.predict_probas(scene[0])
    model.save(str(tmp_path / "model.pkl"))
    loaded = ConvpaintModel(model_path=str(tmp_path / "model.pkl"))
    np.testing.assert_array_equal(loaded.predict_probas(scene[0]), expected)


def test_a_saved_model_says_which_weights_are_missing(scene, tmp_path, monkeypatch):
    trained("vgg16", scene).save(str(tmp_path / "model.pkl"))
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    loaded = ConvpaintModel(model_path=str(tmp_path / "model.pkl"))
    with pytest.raises(WeightsError, match=r"'vgg16'.*model\.safetensors of timm/vgg16\.tv_in1k"):
        loaded.segment(scene[0])


@pytest.mark.parametrize("name", ["vgg16", "convnext"])
def test_part_of_a_large_image_equals_that_part_of_the_whole(name, scene):
    model = trained(name, scene)
    large = np.tile(scene[0], (5, 4))  # more than one block
    whole = model.predict_probas(large)
    region = Box(101, 37, 171, 150)
    part = np.zeros_like(whole)
    for block in predict_blocks(model, Image(large, "yx"), region=region):
        part[:, block.y, block.x] = block.probabilities
    np.testing.assert_allclose(part[:, *region.slices], whole[:, *region.slices], atol=1e-3)


def test_what_is_said_to_need_no_download_needs_none():
    assert set(weights.catalogue.WITHOUT_DOWNLOAD) <= set(EXTRACTORS) - set(weights.CATALOGUE)


def test_all_weights_belong_to_an_extractor_an_upsampler_or_an_engine_of_that_name():
    upsamplers = {name for kind in GUIDED.values() for name in kind.values()}
    assert set(weights.CATALOGUE) <= set(EXTRACTORS) | upsamplers | set(ENGINES)
    assert upsamplers <= set(weights.CATALOGUE)


def test_other_weights_than_those_of_the_training_are_refused(scene, tmp_path, monkeypatch):
    image, strokes = scene
    for folder, seed in (("first", 0), ("second", 1)):
        (tmp_path / folder).mkdir()
        tensors = random_tensors("vgg16", largest=600_000, rng=seed)
        save_file(tensors, tmp_path / folder / "vgg16.safetensors")
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path / "first"))
    model = ConvpaintModel("vgg")
    model.train(image, strokes)
    expected = model.predict_probas(image)
    model.save(tmp_path / "model")
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path / "second"))
    loaded = ConvpaintModel(model_path=tmp_path / "model.pkl")
    for trained in (model, loaded):
        with pytest.raises(WeightsError, match="trained with other weights of 'vgg16'"):
            trained.segment(image)
    loaded.train(image, strokes)
    assert not np.array_equal(loaded.predict_probas(image), expected)
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path / "first"))
    np.testing.assert_array_equal(model.predict_probas(image), expected)


def test_the_device_is_chosen_per_model_or_per_call(scene):
    image, strokes = scene
    model = ConvpaintModel("vgg")
    model.train(image, strokes, device="cpu")
    expected = model.predict_probas(image)
    np.testing.assert_array_equal(model.predict_probas(image, device="cpu"), expected)
    if not torch.cuda.is_available():
        with pytest.raises(ParameterError, match="cuda"):
            model.segment(image, device="cuda")
        model.set_param("fe_use_gpu", "cuda")
        with pytest.raises(ParameterError, match="cuda"):
            model.segment(image)
    with pytest.raises(ParameterError, match="fe_use_gpu"):
        model.set_param("fe_use_gpu", "tpu")
