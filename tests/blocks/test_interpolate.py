import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.blocks.interpolate import interpolate, reach, sample


def test_linear_interpolation_of_a_ramp_is_exact_between_the_outermost_centres():
    cells = np.arange(5.0)[None, None, None].repeat(3, axis=2)
    row = interpolate(cells, Box(0, 0, 12, 20), step=4, order=1)[0, 0, 5]
    expected = np.clip((np.arange(20) + 0.5) / 4 - 0.5, 0, 4)
    np.testing.assert_allclose(row, expected, atol=1e-6)


def test_nearest_repeats_cells():
    cells = np.arange(12.0).reshape(1, 2, 2, 3)
    expected = cells.repeat(2, axis=1).repeat(3, axis=2).repeat(3, axis=3)
    box = Box(0, 0, 6, 9, 0, 4)
    assert (interpolate(cells, box, step=(2, 3, 3), order=0) == expected).all()


def test_linear_interpolation_of_a_ramp_along_z_is_exact_too():
    cells = np.arange(5.0)[None, :, None, None]
    line = interpolate(cells, Box(0, 0, 1, 1, 0, 20), step=(4, 1, 1), order=1)[0, :, 0, 0]
    np.testing.assert_allclose(line, np.clip((np.arange(20) + 0.5) / 4 - 0.5, 0, 4), atol=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5])
def test_constants_stay_constant(order):
    cells = np.full((2, 3, 4, 5), 3.5, np.float32)
    result = interpolate(cells, Box(0, 0, 16, 20, 0, 6), step=(2, 4, 4), order=order)
    np.testing.assert_allclose(result, 3.5, rtol=1e-6)


@pytest.mark.parametrize("order", [0, 1, 3])
@given(st.data())
def test_a_point_has_the_value_of_the_interpolated_image(order, data):
    step = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)))
    shift = data.draw(st.tuples(*[st.integers(-2, 2)] * 3))
    shape = (data.draw(st.integers(1, 3)), 4, 5)
    box = Box.of(shape).relative(Box.between(shift, (9, 9, 9))).scaled(step)
    origin = box.start
    cells = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    image = interpolate(cells, box, step=step, origin=origin, order=order)
    points = np.argwhere(np.ones(box.sides)) + np.array(box.start)
    got = sample(cells, points, step=step, origin=origin, order=order)
    np.testing.assert_array_equal(got.T.reshape(image.shape), image)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5])
def test_values_beyond_the_reach_do_not_matter(order):
    cells = np.random.default_rng(0).normal(size=(1, 1, 60, 60)).astype(np.float32)
    box, margin = Box(100, 100, 112, 116), reach(order)
    cut = cells[:, :, 25 - margin : 28 + margin, 25 - margin : 29 + margin]
    origin = (0, 4 * (25 - margin), 4 * (25 - margin))
    np.testing.assert_allclose(
        interpolate(cut, box, step=4, origin=origin, order=order),
        interpolate(cells, box, step=4, order=order),
        atol=1e-5,
    )
