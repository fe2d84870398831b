"""Smoothing along edges, and the configuration that uses it."""

import numpy as np
import pytest

from stroma import ConvpaintModel, Image
from stroma.data.statistics import measure
from stroma.features.pipeline import Pipeline
from stroma.pixel.predicting.edges import guide_of, guided, guided_reach


@pytest.fixture
def step():
    """A clean edge, and probabilities of its left side with a few wrong pixels."""
    guide = np.repeat([[0.0] * 20 + [2.0] * 20], 40, axis=0).astype(np.float32)
    left = np.where(guide < 1, 0.9, 0.1).astype(np.float32)
    left[10, 10], left[20, 30] = 0.2, 0.8
    return guide, np.stack([left, 1 - left])


def test_wrong_pixels_are_outvoted_and_edges_stay(step):
    guide, probabilities = step
    smooth = guided(probabilities, guide, radius=4, softness=1e-4)
    assert ((smooth[0] > 0.5) == (guide < 1)).all()
    assert (probabilities[0][10, 10] > 0.5) != (smooth[0][10, 10] > 0.5)


def test_without_an_edge_probabilities_are_averaged():
    flat = np.zeros((30, 30), np.float32)
    p = np.random.default_rng(0).uniform(size=(30, 30)).astype(np.float32)
    smooth = guided(np.stack([p, 1 - p]), flat, radius=5, softness=1e-4)
    assert smooth[0].std() < p.std() / 5
    np.testing.assert_allclose(smooth.sum(axis=0), 1, rtol=1e-5)


def test_the_reach_is_what_a_pixel_depends_on(step):
    guide, probabilities = step
    reach = guided_reach(4)
    whole = guided(probabilities, guide, radius=4, softness=1e-4)
    cut = (slice(None), slice(15 - reach, 20 + reach), slice(16 - reach, 24 + reach))
    part = guided(probabilities[cut], guide[cut[1:]], radius=4, softness=1e-4)
    np.testing.assert_allclose(
        part[:, reach:-reach, reach:-reach], whole[:, 15:20, 16:24], atol=1e-5
    )


def test_softness_follows_the_noise_of_the_image():
    random = np.random.default_rng(0)
    wave = 5 * np.sin(np.arange(200) / 20)[:, None] * np.ones(200)
    noisy = wave + random.normal(size=wave.shape)
    known = measure(Image(noisy, "yx"))
    np.testing.assert_allclose(known.noise, 1, rtol=0.05)
    expected = (3 / known.std[0]) ** 2
    np.testing.assert_allclose(guide_of(known, 1, rgb=False).softness, expected, rtol=0.1)
    assert guide_of(known, 4, rgb=False).softness < expected / 10


@pytest.mark.parametrize("colors", [False, True])
@pytest.mark.parametrize("factor", [1, 2, -2])
def test_the_recommended_configuration_gives_the_same_in_small_blocks(
    disks, monkeypatch, colors, factor
):
    image, _, strokes = disks
    if colors:
        image = np.stack([image, image * 0.5, image[::-1]]) - image.min()
    model = ConvpaintModel("stroma")
    model.set_params(channel_mode="rgb" if colors else "single", image_downsample=factor)
    model.train(image, strokes)
    whole = model.predict_probas(image)
    monkeypatch.setattr(Pipeline, "block_side", property(lambda self: 32))
    np.testing.assert_allclose(model.predict_probas(image), whole, atol=2e-4)
    names = model.feature_names_
    assert len(names) == (56 if colors else 50)
    assert ("a:gaussian_s1.6" in names) == colors


def test_the_recommended_configuration_finds_disks(disks):
    image, truth, strokes = disks
    model = ConvpaintModel("stroma")
    model.train(image, strokes)
    assert (model.segment(image) == truth).mean() > 0.97
