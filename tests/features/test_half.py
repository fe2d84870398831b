"""Half precision as numpy has it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.features.half import LARGEST, to_half


def expected(values):
    return np.clip(values, -LARGEST, LARGEST).astype(np.float16)


@given(st.lists(st.floats(-1e5, 1e5, width=32), min_size=1, max_size=50))
def test_numbers_are_rounded_as_numpy_does(numbers):
    values = np.array(numbers, np.float32)[None, None]
    half, finite = to_half(values)
    assert finite
    np.testing.assert_array_equal(half.view(np.uint16), expected(values).view(np.uint16))


def test_every_half_number_and_what_lies_between_two_is_rounded_rightly():
    half = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    middle = (half[1:] + half[:-1]) / 2
    beside = [np.nextafter(middle, np.float32(side)) for side in (-1, 1e9)]
    values = np.concatenate([half, middle, *beside])[None, None]
    for signed in (values, -values):
        np.testing.assert_array_equal(to_half(signed)[0], expected(signed))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_noticed_wherever_it_is(bad):
    values = np.zeros((2, 3, 700), np.float32)
    values[1, 2, 699] = bad
    assert not to_half(values)[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_views_of_any_type_are_converted(dtype):
    values = np.random.default_rng(0).normal(size=(4, 30, 20)).astype(dtype)
    view = values.transpose(1, 2, 0)[::2, ::-1, 1:]
    np.testing.assert_array_equal(to_half(view)[0], view.astype(np.float32).astype(np.float16))
