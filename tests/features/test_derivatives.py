import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from stroma.features.filtering.derivatives import in_planes, jet, planes, smooth
from stroma.features.filtering.kernels import gaussian_taps, reach

ORDERS = {0: {(0, 0)}, 1: {(0, 0), (1, 0), (0, 1)}}
ORDERS[2] = ORDERS[1] | {(2, 0), (1, 1), (0, 2)}


def plainly(image, sigma, y_order, x_order):
    """One derivative, in double precision, on the whole image (borders are wrong)."""
    for axis, order in enumerate((y_order, x_order)):
        taps = gaussian_taps(sigma, order, reach(sigma, order))
        kernel = np.concatenate([(-1 if order == 1 else 1) * taps[:0:-1], taps])
        image = ndi.correlate1d(image.astype(np.float64), kernel, axis=axis)
    return image


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("sigma", [0.15, 0.3, 1.0, 3.5, 5.0])
def test_jet_equals_one_scipy_correlation_per_derivative(order, sigma):
    image = np.random.default_rng(0).normal(size=(61, 83)).astype(np.float32)
    found = jet(in_planes(image), sigma, order)
    r = reach(sigma, order)
    assert set(found) == ORDERS[order]
    for orders, values in found.items():
        expected = plainly(image, sigma, *orders)[r:-r, r:-r]
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, expected, atol=2e-6 * abs(expected).max())


@pytest.mark.parametrize("sigma", [0.3, 1.6, 5.0])
def test_jet_of_a_quadratic_is_its_taylor_expansion(sigma):
    y, x = np.mgrid[-45:46, -60:61].astype(np.float64)
    image = 3 + 2 * y - x + 0.25 * y**2 - 0.5 * x * y + 0.125 * x**2
    found = jet(in_planes(image.astype(np.float32)), sigma, 2)
    centre = tuple(n // 2 for n in found[2, 0].shape)
    expected = {(1, 0): 2, (0, 1): -1, (2, 0): 0.5, (1, 1): -0.5, (0, 2): 0.25}
    for orders, value in expected.items():
        assert found[orders][centre] == pytest.approx(value, abs=2e-4)


def test_smoothing_a_blob_widens_it():
    y, x = np.mgrid[-50:51, -50:51]
    blob = np.exp(-(y**2 + x**2) / (2 * 4.0**2)).astype(np.float32)
    found = smooth(in_planes(blob), 3.0, 20)
    y, x = np.mgrid[-30:31, -30:31]
    expected = 16 / 25 * np.exp(-(y**2 + x**2) / (2 * 5.0**2))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    top=st.integers(0, 40),
    left=st.integers(0, 70),
    height=st.integers(1, 40),
    width=st.integers(1, 70),
    sigma=st.sampled_from([0.3, 1.0, 3.5]),
    order=st.integers(0, 2),
)
def test_pixels_do_not_depend_on_the_cut_to_the_last_bit(top, left, height, width, sigma, order):
    image = np.random.default_rng(1).uniform(0, 65535, size=(110, 170)).astype(np.float32)
    r = reach(sigma, order)
    whole = jet(in_planes(image), sigma, order)
    cut = image[top : top + height + 2 * r, left : left + width + 2 * r]
    part = jet(in_planes(cut), sigma, order)
    for orders, values in part.items():
        expected = whole[orders][top : top + height, left : left + width]
        assert values.shape == (height, width)
        assert values.tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.5])
def test_lower_orders_are_the_same_whatever_higher_ones_are_computed(sigma):
    image = in_planes(np.random.default_rng(2).normal(size=(60, 60)).astype(np.float32))
    alone, cut = jet(image, sigma, 0)[0, 0], reach(sigma, 2) - reach(sigma, 0)
    trimmed = alone[cut : len(alone) - cut, cut : alone.shape[1] - cut]
    np.testing.assert_array_equal(trimmed, jet(image, sigma, 2)[0, 0])


def test_a_constant_has_no_derivatives_at_raw_camera_values():
    found = jet(in_planes(np.full((40, 40), 65535, np.float32)), 3.5, 2)
    for orders in ORDERS[2] - {(0, 0)}:
        assert abs(found[orders]).max() < 0.02
    np.testing.assert_allclose(found[0, 0], 65535, rtol=1e-6)


@pytest.mark.parametrize("width", [1, 31, 32, 33, 64, 257, 512])
def test_planes_have_room_for_whole_lanes_and_stagger_their_rows(width):
    images = planes(2, 3, width)
    pitch = images.strides[1] // 4
    assert images.shape == (2, 3, width)
    assert pitch >= -(-width // 32) * 32
    assert pitch % 16 == 0
    assert (pitch // 16) % 2 == 1
