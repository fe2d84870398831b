"""What foretells an image best is fitted to it, and no pixel takes part in its own prediction."""

import numpy as np
import pytest
import torch

from stroma.metrics.restoration import restoration_scores
from stroma.networks.blind import Blind
from stroma.networks.blind import ring as torch_ring
from stroma.testing import check_network
from stroma.training.ways import mixture
from stroma.training.ways.mixture import Sums, counting, mixed, ring, sums


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_blind_network_keeps_the_contract(ndim):
    check_network(Blind, ndim=ndim, width=8, sigmas=(0.7, 1.0, 1.5))


@pytest.mark.parametrize("ndim", [2, 3])
def test_no_pixel_is_seen_by_its_own_prediction(ndim):
    network = Blind(2, 2, ndim=ndim, width=8, sigmas=(0.7, 1.0, 1.5)).double()
    torch.nn.init.normal_(network.head.weight)
    images = torch.randn(1, 2, *(21,) * ndim, dtype=torch.double)
    other = images.clone()
    middle = (0, slice(None), *(10,) * ndim)
    other[middle] += 100
    with torch.no_grad():
        apart = (network(other) - network(images)).abs()
    assert float(apart[middle].max()) < 1e-9
    assert float(apart.max()) > 1


@pytest.mark.parametrize("shape", [(20, 24), (9, 12, 14)])
def test_rings_are_the_same_for_networks_and_for_images(shape):
    values = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    there = torch_ring(torch.from_numpy(values)[None, None].double(), 1.5)[0, 0].numpy()
    assert np.allclose(ring(values, 1.5), there, atol=1e-5)


def scene(seed=0, shape=(60, 70), noise=0.6):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    clean = np.sin(y / 5) * np.sin(x / 6)
    return clean, (clean + rng.normal(0, noise, shape)).astype(np.float32)[None]


def test_sums_of_blocks_are_those_of_the_whole_and_so_is_the_mixture():
    _, noisy = scene()
    predicted = mixture.ring(noisy[0], 2.0)[None]
    whole = (slice(0, 60), slice(0, 70))
    at_once = sums(noisy, predicted, whole, counting(whole, (60, 70)))
    weights = at_once.solved()
    expected = mixed(noisy, predicted, whole, weights)
    added, context = None, mixture.CONTEXT
    for rows in (slice(0, 32), slice(32, 60)):
        low, high = max(0, rows.start - context), min(60, rows.stop + context)
        window, inside = noisy[:, low:high], (slice(rows.start - low, rows.stop - low), whole[1])
        part = predicted[:, rows]
        found = sums(window, part, inside, counting((rows, whole[1]), (60, 70)))
        added = found if added is None else added + found
        assert np.allclose(mixed(window, part, inside, weights), expected[:, rows], atol=1e-5)
    assert np.allclose(added.gram, at_once.gram, rtol=1e-4, atol=1e-2)
    assert np.allclose(added.moment, at_once.moment, rtol=1e-4, atol=1e-2)


def test_pixels_near_the_border_do_not_count_and_small_images_have_some_that_do():
    assert counting((slice(0, 20), slice(10, 30)), (20, 30)).sum() == 8 * 14
    assert counting((slice(0, 3), slice(0, 3)), (3, 3)).any()


def test_an_image_without_anything_in_it_is_mixed_too():
    flat = np.zeros((1, 20, 20), np.float32)
    whole = (slice(0, 20), slice(0, 20))
    weights = sums(flat, flat, whole, counting(whole, (20, 20))).solved()
    assert np.isfinite(weights).all()
    assert np.allclose(mixed(flat, flat, whole, weights), 0)


@pytest.mark.parametrize("noise", [0.2, 1.2])
def test_the_mixture_fits_the_noise_of_each_image(noise):
    """It is nearer to the clean image than what was learned from images of other noise."""
    clean, noisy = scene(shape=(120, 130), noise=noise)
    wrong = mixture.ring(noisy[0], 6.5 if noise < 0.5 else 1.0)[None]
    whole = (slice(0, 120), slice(0, 130))
    weights = sums(noisy, wrong, whole, counting(whole, (120, 130))).solved()
    found = mixed(noisy, wrong, whole, weights)
    score = restoration_scores(found[0], clean)["psnr"]
    assert score > restoration_scores(wrong[0], clean)["psnr"] + 2
    assert score > restoration_scores(noisy[0], clean)["psnr"] + 5


def test_denoising_is_blind_and_does_not_depend_on_blocks(monkeypatch):
    import stroma

    clean, noisy = scene(shape=(70, 90))
    options = {"network_options": {"width": 8}, "network": "blind", "patch": [32, 32], "batch": 2}
    network = stroma.learn(noisy[0] * 30 + 100, target="denoise", steps=2, device="cpu", **options)
    assert network.blind
    whole = network.segment(noisy[0] * 30 + 100)
    monkeypatch.setattr("stroma.training.predicting.predict.SIDE", {2: (32, 32), 3: (8, 16, 16)})
    assert np.allclose(network.segment(noisy[0] * 30 + 100), whole, atol=0.05)
    stack = np.stack([noisy[0] * 30 + 100, noisy[0] * 10])
    planes = network.segment(stroma.Image(stack, "zyx"))
    # In units of the whole stack, so that a plane by itself differs a little.
    assert np.corrcoef(planes[0, 0].ravel(), whole.ravel())[0, 1] > 0.98
    assert restoration_scores(whole[0], clean)["si psnr"] > 15


def test_sums_add_up():
    one = Sums(np.eye(2)[None], np.ones((1, 2)))
    assert np.allclose((one + one).solved(), one.solved())
