"""Probabilities of cells brought to pixels along edges: against brute force, and in use."""

from __future__ import annotations

import numpy as np
import pytest

from stroma import ConvpaintModel, Image, Param
from stroma.blocks.box import Box
from stroma.features.pipeline import Pipeline
from stroma.pixel.predicting.joint import CUT, JOINT_REACH, NEAR, Joint
from stroma.pixel.predicting.run import predict_blocks


def cells(*shape: int, rng: int = 0) -> np.ndarray:
    p = np.random.default_rng(rng).uniform(0.01, 1, shape)
    return (p / p.sum(axis=0)).astype(np.float32)


def by_brute_force(joint: Joint, probabilities: np.ndarray, guide: np.ndarray) -> np.ndarray:
    s, (_, rows, columns) = joint.step, probabilities.shape
    out = np.empty((len(probabilities), *guide.shape))
    for y, x in np.ndindex(guide.shape):
        total, weights = np.zeros(len(probabilities)), 0.0
        for r, c in np.ndindex(rows, columns):
            if max(abs(r - y // s), abs(c - x // s)) > joint.radius:
                continue
            away = np.hypot(y + 0.5 - s * (r + 0.5), x + 0.5 - s * (c + 0.5))
            unlike = guide[r * s : (r + 1) * s, c * s : (c + 1) * s].mean() - guide[y, x]
            near = np.exp(-(away**2) / 2 / joint.near**2)
            weight = near * (np.exp(-(unlike**2) / 2 / joint.alike**2) + 1e-8)
            total += weight * np.log(probabilities[:, r, c])
            weights += weight
        odds = np.exp(total / weights)
        out[:, y, x] = odds / odds.sum()
    return out


@pytest.mark.parametrize(("step", "coarsest"), [(4, 4), (2, 8), (5, 5)])
@pytest.mark.parametrize("classes", [2, 5])
def test_upsampling_equals_brute_force(step: int, coarsest: int, classes: int) -> None:
    joint = Joint.of(step, coarsest, 0.01)
    probabilities = cells(classes, 6, 5)
    # The image ends within the last cells.
    guide = np.random.default_rng(1).normal(size=(6 * step - 1, 5 * step)).astype(np.float32)
    found = joint.upsample(probabilities, guide)
    np.testing.assert_allclose(found, by_brute_force(joint, probabilities, guide), atol=2e-5)


def test_without_an_image_it_is_interpolation_by_a_gaussian() -> None:
    joint, probabilities = Joint(4, 2.0, 1e6), cells(2, 5, 5)
    found = joint.upsample(probabilities, np.random.default_rng(0).random((20, 20), np.float32))
    away = np.arange(20)[:, None] + 0.5 - 4 * (np.arange(5) + 0.5)
    kernel = np.exp(-(away**2) / 8) * (abs(np.arange(20)[:, None] // 4 - np.arange(5)) <= 3)
    kernel /= kernel.sum(axis=1, keepdims=True)
    odds = np.exp(kernel @ np.log(probabilities) @ kernel.T)
    np.testing.assert_allclose(found, odds / odds.sum(axis=0), atol=1e-5)


def test_two_colours_get_their_exact_edge() -> None:
    """Whole cells of either colour stand beside cells that the edge goes through."""
    left = np.indices((64, 64))[1] + np.indices((64, 64))[0] // 3 < 38
    guide = np.where(left, 0, 2).astype(np.float32)
    share = left.reshape(8, 8, 8, 8).mean(axis=(1, 3)).astype(np.float32)
    found = Joint.of(8, 8, 1e-4).upsample(np.stack([share, 1 - share]), guide)
    assert ((found[0] > 0.5) == left).all()
    assert ((np.kron(share, np.ones((8, 8))) > 0.5) != left).mean() > 0.03


def test_noise_does_not_count_as_unlike() -> None:
    assert Joint.of(8, 8, 4.0).alike == pytest.approx(2.02, abs=0.01)
    assert Joint.of(8, 8, 1e-4).alike == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(("step", "coarsest"), [(1, 16), (2, 8), (4, 8), (8, 8), (14, 14)])
def test_what_counts_lies_within_the_reach(step: int, coarsest: int) -> None:
    joint = Joint.of(step, coarsest, 0.0)
    assert joint.radius * step >= CUT * NEAR * coarsest
    assert (joint.radius + 1) * step <= JOINT_REACH * coarsest


@pytest.fixture(scope="module")
def stripes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an image, its truth, and strokes; the scene's edges lie on no cell's border."""
    rows, columns = np.indices((96, 128))
    truth = 1 + ((columns + rows // 2 + 3) // 21 % 2)
    random = np.random.default_rng(0)
    image = (100 * truth + random.normal(0, 8, truth.shape)).astype(np.float32)
    strokes = np.where(random.random(truth.shape) < 0.03, truth, 0).astype(np.uint8)
    return image, truth, strokes


def model(scalings: list[int], stripes: tuple[np.ndarray, ...], **more: object) -> ConvpaintModel:
    made = ConvpaintModel("gaussian")
    made.set_params(fe_scalings=scalings, clf_iterations=20, **more)
    made.train(stripes[0], stripes[2])
    return made


@pytest.mark.parametrize("scalings", [[8], [4, 8]])
def test_coarse_features_get_sharper_edges(stripes, scalings) -> None:
    image, truth, _ = stripes
    made = model(scalings, stripes)
    plain = (made.segment(image) == truth).mean()
    made.set_param("unpatch_guided", True)
    assert (made.segment(image) == truth).mean() > plain + 0.01
    made.set_param("unpatch_guided", False)
    assert (made.segment(image) == truth).mean() == plain


def test_features_at_every_pixel_stay_as_they_are(stripes) -> None:
    made = model([1, 4], stripes)
    plain = made.predict_probas(stripes[0])
    made.set_param("unpatch_guided", True)
    np.testing.assert_array_equal(made.predict_probas(stripes[0]), plain)


@pytest.mark.parametrize("more", [{}, {"image_downsample": 2}, {"edge_smoothing": 3}])
def test_blocks_and_regions_give_what_the_whole_gives(stripes, monkeypatch, more) -> None:
    image = stripes[0][:91, :117]
    made = model([2, 4], stripes, unpatch_guided=True, **more)
    whole = made.predict_probas(image)
    monkeypatch.setattr(Pipeline, "block_side", property(lambda self: 32))
    np.testing.assert_allclose(made.predict_probas(image), whole, atol=2e-4)
    part = np.zeros_like(whole)
    for block in predict_blocks(made, Image(image, "yx"), region=Box(33, 40, 60, 80)):
        part[:, block.y, block.x] = block.probabilities
    where = slice(None), slice(33, 60), slice(40, 80)
    np.testing.assert_allclose(part[where], whole[where], atol=2e-4)


def test_the_parameter_is_saved_and_checked(stripes, tmp_path) -> None:
    made = model([4], stripes, unpatch_guided=True)
    made.save(tmp_path / "m.pkl")
    loaded = ConvpaintModel(model_path=tmp_path / "m.pkl")
    assert loaded.get_param("unpatch_guided") is True
    np.testing.assert_array_equal(loaded.segment(stripes[0]), made.segment(stripes[0]))
    with pytest.raises(ValueError, match="unpatch_guided"):
        Param(unpatch_guided=2)


def test_volumes_are_brought_to_pixels_plane_by_plane() -> None:
    random = np.random.default_rng(0)
    truth = 1 + (np.indices((8, 32, 32)).sum(axis=0) // 13 % 2)
    volume = (100 * truth + random.normal(0, 4, truth.shape)).astype(np.float32)
    strokes = np.where(random.random(truth.shape) < 0.05, truth, 0).astype(np.uint8)
    made = ConvpaintModel(fe_name="gaussian_3d")
    made.set_params(fe_scalings=[4], clf_iterations=10, unpatch_guided=True)
    made.train(Image(volume, "zyx"), strokes)
    sharp = (made.segment(Image(volume, "zyx")) == truth).mean()
    made.set_param("unpatch_guided", False)
    assert sharp > (made.segment(Image(volume, "zyx")) == truth).mean()
