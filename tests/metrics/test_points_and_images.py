"""Known points and images have known scores."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from stroma.errors import ShapeError
from stroma.metrics.detection import detection_scores
from stroma.metrics.restoration import psnr, restoration_scores

RNG = np.random.default_rng(0)


def test_points_match_one_to_one_within_the_cutoff():
    true = [[0, 0], [0, 4], [20, 20]]
    found = [[0, 2], [0, 1], [9, 9]]
    scores = detection_scores(found, true, cutoff=3)
    assert scores["f1"] == pytest.approx(2 * 2 / 6)
    assert scores["recall"] == scores["precision"] == pytest.approx(2 / 3)
    assert scores["count error"] == 0
    # Two found at one true point: one of them is too many.
    assert detection_scores([[0, 0], [0, 1]], [[0, 0]])["precision"] == 1 / 2


def test_no_points_and_none_found_is_right():
    nothing = np.zeros((0, 2))
    assert detection_scores(nothing, nothing)["f1"] == 1
    assert detection_scores(nothing, [[1, 2]]) == {
        "f1": 0, "precision": 1, "recall": 0, "true": 1, "found": 0, "count error": 1,
    }  # fmt: skip
    assert detection_scores([[1, 2]], nothing)["f1"] == 0
    with pytest.raises(ShapeError, match="coordinates"):
        detection_scores([[1, 2, 3]], [[1, 2]])


def test_psnr_is_of_the_range_of_the_truth():
    true = np.linspace(0, 10, 101).reshape(1, -1)
    assert psnr(true + 1, true) == pytest.approx(20)
    assert psnr(true, true) == 100
    scores = restoration_scores(np.tile(true + 1, (30, 1)), np.tile(true, (30, 1)))
    assert scores["nrmse"] == pytest.approx(0.1)
    assert scores["psnr"] == pytest.approx(20)
    assert scores["si psnr"] == 100


def test_scale_and_offset_do_not_matter_where_it_says_so():
    true = RNG.uniform(0, 100, (32, 32))
    noisy = true + RNG.normal(0, 5, true.shape)
    one, other = (restoration_scores(r, true) for r in (noisy, 3 * noisy - 40))
    assert other["si psnr"] == pytest.approx(one["si psnr"])
    assert other["psnr"] < one["psnr"] - 10
    assert one["si psnr"] >= one["psnr"]
    assert 0.9 < one["ssim"] < 1
    with pytest.raises(ShapeError, match="one shape"):
        restoration_scores(true, true[:3])


def test_ssim_is_the_usual_one_and_takes_colours_and_small_images():
    true = RNG.uniform(0, 100, (120, 130))
    noisy = true + RNG.normal(0, 20, true.shape)
    usual = structural_similarity(
        true, noisy, data_range=np.ptp(true), gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert restoration_scores(noisy, true)["ssim"] == pytest.approx(usual, abs=2e-3)
    colours = restoration_scores(np.stack([noisy] * 3), np.stack([true] * 3))
    assert colours["ssim"] == pytest.approx(restoration_scores(noisy, true)["ssim"])
    assert restoration_scores(true[:5, :6], true[:5, :6])["ssim"] == pytest.approx(1)
