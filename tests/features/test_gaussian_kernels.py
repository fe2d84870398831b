import numpy as np
import pytest
from scipy import ndimage as ndi

from stroma.features.filtering.kernels import gaussian_taps, reach

SIGMAS = [0.01, 0.15, 0.3, 0.35, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0]


def both_halves(sigma, order):
    taps = gaussian_taps(sigma, order, reach(sigma, order))
    mirror = -1 if order == 1 else 1
    return np.concatenate([mirror * taps[:0:-1], taps]), np.arange(-len(taps) + 1, len(taps))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_smoothing_adds_up_to_one(sigma):
    kernel, _ = both_halves(sigma, 0)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_first_derivative_is_0_for_a_constant_and_1_for_x(sigma):
    kernel, x = both_halves(sigma, 1)
    assert kernel.sum() == pytest.approx(0, abs=1e-12)
    assert (kernel * x).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_second_derivative_is_0_for_a_plane_and_1_for_half_a_square(sigma):
    kernel, x = both_halves(sigma, 2)
    assert kernel.sum() == pytest.approx(0, abs=1e-9)
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-9)
    assert (kernel * x**2 / 2).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("sigma", "order", "radius"),
    [(0.3, 0, 1), (0.3, 2, 2), (1.6, 1, 6), (10.0, 0, 30), (10.0, 1, 35), (10.0, 2, 40)],
)
def test_kernels_reach_three_sigmas_and_half_a_sigma_more_per_order(sigma, order, radius):
    assert reach(sigma, order) == radius


@pytest.mark.parametrize("sigma", [0.7, 1.6, 5.0])
def test_smoothing_kernel_is_that_of_scipy(sigma):
    impulse = np.zeros(101)
    impulse[50] = 1
    radius = reach(sigma, 0)
    kernel, x = both_halves(sigma, 0)
    theirs = ndi.gaussian_filter1d(impulse, sigma, radius=radius)
    np.testing.assert_allclose(theirs[50 + x], kernel, atol=1e-15)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("sigma", [1.6, 3.5, 10.0])
def test_derivative_kernels_are_those_of_scipy_but_for_their_cut_off_tails(sigma, order):
    impulse = np.zeros(201)
    impulse[100] = 1
    kernel, x = both_halves(sigma, order)
    theirs = ndi.gaussian_filter1d(impulse, sigma, order=order, truncate=6)[100 - x]
    np.testing.assert_allclose(kernel, theirs, atol=0.02 * abs(theirs).max())
