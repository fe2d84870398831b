"""Restored images say how uncertain they are."""

import numpy as np
import pytest
import torch

import stroma
from stroma.errors import ParameterError
from stroma.io import read_image, write_image
from stroma.targets.restore import Denoise, Restore
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files
from stroma.workflow.scoring.compared import image_scores


def scene(seed, times=100.0):
    """Return an image whose right half is brighter and much noisier, and the clean one."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :72]
    clean = np.sin(y / rng.uniform(6, 9)) * np.sin(x / rng.uniform(6, 9))
    clean += np.where(x < 36, 0, 3)
    noise = rng.normal(size=clean.shape) * np.where(x < 36, 0.05, 0.8)
    return (times * (clean + noise)).astype(np.float32), (times * clean).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    noisy, clean = zip(*(scene(n) for n in range(4)), strict=True)
    return stroma.learn(
        list(noisy),
        list(clean),
        target="restore",
        target_options={"probabilistic": True},
        network="smooth",
        network_options={"features": [8, 8]},
        patch=[32, 32],
        batch=4,
        rate=1e-2,
        steps=80,
        device="cpu",
    )


def test_the_spread_is_the_error_that_is_to_be_expected(network):
    noisy, clean = scene(9)
    found, spread = network.segment(noisy)
    apart = np.abs(found - clean)
    left, right = np.s_[:, 4:30], np.s_[:, 42:68]
    assert spread[right].mean() > 2 * spread[left].mean()
    for half in (left, right):
        assert 0.4 < spread[half].mean() / apart[half].mean() < 4


def test_spreads_are_in_units_of_the_image_and_not_shifted_with_it(network):
    noisy, _ = scene(9)
    found, spread = network.segment(noisy)
    other, wider = network.segment(10 * noisy + 5000)
    assert other == pytest.approx(10 * found + 5000, abs=1)
    assert wider == pytest.approx(10 * spread, rel=1e-2)


def test_files_hold_both_and_the_restored_image_is_scored(network, tmp_path):
    noisy, clean = scene(9)
    write_image(tmp_path / "a.tif", noisy, axes="yx")
    true = write_image(tmp_path / "true.tif", clean, axes="yx")
    segment_files(network, [tmp_path / "a.tif"], tmp_path / "out", outputs=Outputs())
    written = read_image(tmp_path / "out" / "a_restored.tif")
    assert tuple(written.channels) == ("restored", "spread")
    assert written.read() == pytest.approx(network.segment(noisy), rel=1e-5)
    scores = image_scores(tmp_path / "out" / "a_restored.tif", true)
    assert scores["psnr"] == pytest.approx(network.evaluate([noisy], [clean])["psnr"], abs=0.01)


def test_the_loss_is_least_where_the_spread_is_the_mean_error():
    target = Restore(probabilistic=True)
    rng = torch.Generator().manual_seed(0)
    signs = torch.where(torch.rand((1, 1, 64, 64), generator=rng) < 0.5, -1.0, 1.0)
    truth = torch.cat([2 * signs, torch.zeros_like(signs)], 1)
    raw = {s: torch.full_like(signs, float(np.log(np.expm1(s)))) for s in (1.0, 2.0, 4.0)}
    output = {s: torch.cat([torch.zeros_like(r), r], 1) for s, r in raw.items()}
    loss = {s: float(target.loss(o, truth, torch.ones_like(truth))[0]) for s, o in output.items()}
    assert min(loss, key=loss.get) == 2.0
    assert loss[2.0] == pytest.approx(1 + np.log(4), abs=0.01)


def test_spreads_need_clean_images_and_one_kind_of_error():
    with pytest.raises(ParameterError, match="target restore"):
        Denoise(probabilistic=True)
    with pytest.raises(ParameterError, match="squared"):
        Restore(probabilistic=True, squared=True)
