"""The dense random field: against brute force, and in the path of every image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.data.statistics import measure
from stroma.pixel.predicting.crf import DenseCRF, field_of
from stroma.pixel.predicting.lattice import Lattice
from stroma.pixel.predicting.run import predict_blocks

SIDE = 32


def disk(side: int = SIDE, radius: float = 9) -> np.ndarray:
    return np.hypot(*(np.indices((side, side)) - (side - 1) / 2)) < radius


def scene(noise: float = 0.12, rng: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, an image of it, and probabilities that are right in most places."""
    random = np.random.default_rng(rng)
    truth = disk().astype(int)
    image = (truth * 80 + 60 + random.normal(0, 8, truth.shape)).astype(np.float32)
    first = np.clip(0.65 - 0.3 * truth + random.normal(0, noise, truth.shape), 0.02, 0.98)
    return truth, image[None], np.stack([first, 1 - first]).astype(np.float32)


def by_brute_force(crf: DenseCRF, probabilities: np.ndarray, image: np.ndarray) -> np.ndarray:
    yx = np.indices(image.shape[1:]).reshape(2, -1).T
    far = np.square(yx[:, None] - yx[None]).sum(-1)
    colours = image.reshape(len(image), -1).T
    unlike = np.square(colours[:, None] - colours[None]).sum(-1)
    messages = []
    for kernel in (
        np.exp(-far / 2 / crf.near**2),
        np.exp(-far / 2 / crf.reach**2 - unlike / 2 / crf.likeness**2),
    ):
        norm = 1 / np.sqrt(kernel.sum(axis=1))
        messages.append(norm[:, None] * kernel * norm)
        np.fill_diagonal(messages[-1], 0)
    weights = (crf.near_weight, crf.like_weight)
    flat = probabilities.reshape(len(probabilities), -1).astype(float)
    now, unary = flat, np.log(np.maximum(flat, 1e-6))
    for _ in range(crf.iterations):
        energy = unary + sum(w * now @ m for w, m in zip(weights, messages, strict=True))
        odds = np.exp(energy - energy.max(axis=0))
        now = odds / odds.sum(axis=0)
    return now.reshape(probabilities.shape)


@pytest.mark.parametrize("dimensions", [2, 3, 5])
def test_lattice_sums_like_a_gaussian_over_all_pairs(dimensions) -> None:
    random = np.random.default_rng(dimensions)
    points = random.uniform(0, 3, (2000, dimensions))
    values = random.random((2, 2000)).astype(np.float32)
    kernel = np.exp(-np.square(points[:, None] - points[None]).sum(-1) / 2)
    lattice = Lattice.of(points)
    ones = lattice.filter(np.ones((1, 2000), np.float32))
    mean = values @ kernel / kernel.sum(axis=0)
    assert np.abs(lattice.filter(values) / ones - mean).mean() < 0.01
    np.testing.assert_allclose(lattice.weights.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("crf", [DenseCRF(), DenseCRF(reach=20, like_weight=10, iterations=10)])
def test_mean_field_equals_brute_force(crf, colours) -> None:
    _, image, probabilities = scene()
    image = np.repeat(image, colours, axis=0)
    exact = by_brute_force(crf, probabilities, image)
    ours = crf.mean_field(probabilities, crf._filters(image))
    assert np.abs(ours - exact).mean() < 0.002
    assert (ours.argmax(axis=0) == exact.argmax(axis=0)).mean() > 0.995


def test_a_pixel_sends_itself_no_message() -> None:
    """Of narrow kernels, the weight of the pixel itself would be the largest."""
    _, image, probabilities = scene()
    narrow = DenseCRF(near=1.0, like_weight=0, iterations=1)
    exact = by_brute_force(narrow, probabilities, image)
    ours = narrow.mean_field(probabilities, narrow._filters(image))
    assert np.abs(ours - exact).max() < 0.001


def test_what_looks_alike_and_lies_near_gets_one_class() -> None:
    truth, image, probabilities = scene(noise=0.2)
    refined = DenseCRF().refine(probabilities, image)
    assert (probabilities.argmax(axis=0) == truth).mean() < 0.85
    assert (refined.argmax(axis=0) == truth).mean() > 0.99
    np.testing.assert_allclose(refined.sum(axis=0), 1, atol=1e-5)


def test_a_small_class_does_not_vanish() -> None:
    """As with the third phase of an alloy, which a field of full strength takes away."""
    image = np.full((1, 64, 64), 100, np.float32)
    small = disk(64, 3)
    probabilities = np.where(small, 0.45, 0.56)[None]
    probabilities = np.concatenate([probabilities, 1 - probabilities]).astype(np.float32)
    strong = DenseCRF(near_weight=20, like_weight=20)
    swallowed = strong.mean_field(probabilities, strong._filters(image))
    assert not (swallowed.argmax(axis=0) == 1).any()
    kept = strong.refine(probabilities, image).argmax(axis=0) == 1
    assert kept.sum() >= small.sum() / 2


def test_noise_of_the_image_counts_as_alike() -> None:
    random = np.random.default_rng(0)
    clean = np.kron(random.integers(0, 2, (4, 4)), np.ones((32, 32))) * 1000
    quiet, loud = (
        field_of(measure(Image(clean + random.normal(0, s, clean.shape), "yx")), 1.0)
        for s in (1, 300)
    )
    assert quiet.crf.likeness == DenseCRF().likeness < loud.crf.likeness
    doubled = field_of(quiet.statistics, 2.0).crf
    assert doubled == replace(quiet.crf, near_weight=6.0, like_weight=10.0)


@pytest.fixture(scope="module")
def noisy() -> tuple[np.ndarray, np.ndarray, ConvpaintModel]:
    random = np.random.default_rng(1)
    truth = 1 + (np.indices((96, 128)).sum(axis=0) // 40 % 2)
    image = (truth * 50 + random.normal(0, 160, truth.shape)).astype(np.float32)
    strokes = np.where(random.random(truth.shape) < 0.03, truth, 0).astype(np.uint8)
    model = ConvpaintModel("gaussian")
    model.train(image, strokes)
    return truth, image, model


def test_the_parameter_changes_results_for_the_better_and_back(noisy) -> None:
    truth, image, model = noisy
    plain = model.segment(image)
    model.set_param("crf", 1.0)
    refined = model.segment(image)
    probabilities = model.predict_probas(image)
    model.set_param("crf", 0)
    assert (refined != truth).mean() < 0.8 * (plain != truth).mean()
    assert np.array_equal(model.classes_[probabilities.argmax(axis=0)], refined)
    assert np.array_equal(model.segment(image), plain)


def test_a_region_gets_what_the_whole_image_gets(noisy, monkeypatch) -> None:
    """Blocks lie on one lattice, whoever asks: here it has several of them."""
    _, image, model = noisy
    monkeypatch.setattr("stroma.pixel.predicting.plan.SIDE", 0)
    monkeypatch.setattr("stroma.pixel.predicting.plan.REACH", 16)
    monkeypatch.setattr("stroma.features.pipeline.VALUES_PER_BLOCK", 1)
    wide = np.tile(image, (4, 3))
    model.set_param("crf", 1.0)
    whole = model.segment(wide)
    parts = list(predict_blocks(model, wide, region=Box(100, 100, 150, 150)))
    model.set_param("crf", 0)
    assert 0 < len(parts) < 9
    for part in parts:
        assert np.array_equal(part.labels, whole[part.index])
