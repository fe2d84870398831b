"""The ladder network is that of the paper, equation by equation, and learns without labels."""

import numpy as np
import pytest
import torch

from stroma.errors import ParameterError
from stroma.networks.ladder import STARTS, Denoise, Ladder, dense_ladder


def ladder(**params):
    torch.manual_seed(0)
    return dense_ladder(6, 3, features=(5, 4), **params).train()


X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))


def test_noise_is_in_every_layer_the_top_included_and_equally_strong():
    """The reference had ten times as much in the first layer, and none at the top."""
    model = ladder(noise=0.3)
    torch.manual_seed(1)
    many = torch.randn(4000, 6)
    noisy = model.corrupted(many)
    assert float((noisy[0].z - many).std()) == pytest.approx(0.3, rel=0.05)
    # Normalised to a deviation of 1, then noise of 0.3 is added.
    for layer in noisy[1:]:
        assert layer.z.std(0).mean().item() == pytest.approx((1 + 0.3**2) ** 0.5, rel=0.05)


def test_without_noise_both_paths_are_one():
    model = ladder(noise=0.0)
    for one, other in zip(model.clean(X), model.corrupted(X), strict=True):
        assert torch.allclose(one.z, other.z, atol=1e-5)


def test_each_path_has_statistics_of_its_own():
    model = ladder()
    clean, noisy = model.clean(X), model.corrupted(X)
    assert not torch.allclose(clean[1].mean, noisy[1].mean)
    assert clean[1].mean.shape == (1, 5)
    assert clean[2].z.mean().item() == pytest.approx(0, abs=1e-5)


def test_running_statistics_are_of_the_clean_path():
    model = ladder(noise=0.0)
    for _ in range(200):
        model.clean(X)
    layer = model.clean(X)[1]
    assert torch.allclose(model.mean0, layer.mean.flatten(), atol=1e-3)
    before = model.mean0.clone()
    model.corrupted(X + 5)
    assert torch.equal(model.mean0, before)
    training = model(X)
    assert torch.allclose(model.eval()(X), training, atol=1e-2)


def test_every_unit_is_cleaned_by_ten_numbers_of_its_own():
    cell = Denoise(4)
    assert cell.a.shape == (10, 4)
    assert torch.equal(cell.a[:, 2], torch.tensor(STARTS))
    noisy, above = torch.randn(3, 4), torch.randn(3, 4)
    with torch.no_grad():
        cell.a.normal_()
        a = cell.a
        mean = a[0] * torch.sigmoid(a[1] * above + a[2]) + a[3] * above + a[4]
        scale = a[5] * torch.sigmoid(a[6] * above + a[7]) + a[8] * above + a[9]
        assert torch.allclose(cell(noisy, above), (noisy - mean) * scale + mean)
        image = cell(noisy[:, :, None, None].expand(3, 4, 2, 2), above[:, :, None, None])
        assert torch.allclose(image[..., 0, 1], cell(noisy, above))


def test_the_supervised_cost_is_of_the_corrupted_path():
    model = ladder(weights=(0, 0, 0, 0))
    index = torch.randint(0, 3, (64,))
    truth, known = torch.eye(3)[index], torch.ones(64, 1)
    torch.manual_seed(5)
    found = model.costs(X, truth, known).supervised
    torch.manual_seed(5)
    top = model.corrupted(X)[-1].z
    scores = model.gamma * (top + model.beta[-1])
    assert torch.allclose(found, torch.nn.functional.cross_entropy(scores, index), atol=1e-6)
    known[10:] = 0
    torch.manual_seed(5)
    few = model.costs(X, truth, known).supervised
    assert torch.allclose(
        few, torch.nn.functional.cross_entropy(scores[:10], index[:10]), atol=1e-6
    )


def test_denoising_costs_are_weighted_layer_by_layer():
    truth, known = torch.zeros(64, 3), torch.zeros(64, 1)
    each = []
    for level in range(4):
        weights = [0.0] * 4
        weights[level] = 1.0
        model = ladder(weights=weights)
        torch.manual_seed(5)
        each.append(float(model.costs(X, truth, known).denoising.detach()))
    chosen = (1000.0, 10.0, 0.1, 0.1)
    model = ladder()
    assert model.weights == chosen
    torch.manual_seed(5)
    total = float(model.costs(X, truth, known).denoising.detach())
    assert total == pytest.approx(np.dot(chosen, each), rel=1e-4)
    with pytest.raises(ParameterError, match="one number per layer"):
        ladder(weights=(1, 2))


def test_the_first_layer_is_compared_as_it_came_in():
    model = ladder(noise=0.0, weights=(1.0, 0, 0, 0))
    noisy = model.corrupted(X)
    found = model.cleaned(noisy)[0]
    truth, known = torch.zeros(64, 3), torch.zeros(64, 1)
    cost = model.costs(X, truth, known).denoising
    assert torch.allclose(cost, ((X - found) ** 2).mean(), atol=1e-6)


def test_images_are_denoised_per_channel():
    model = Ladder(1, 2, features=(4, 4))
    images = torch.randn(2, 1, 12, 14)
    truth, known = torch.zeros(2, 2, 12, 14), torch.zeros(2, 1, 12, 14)
    cost = model.costs(images, truth, known)
    assert float(cost.supervised.detach()) == 0
    assert float(cost.denoising.detach()) > 0
    assert model.denoise[1].a.shape == (10, 4)
