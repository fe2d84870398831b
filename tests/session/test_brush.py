import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.session.strokes.brush import brush, polygon

SHAPE = (40, 50)


def drawn(pieces, shape=SHAPE):
    plane = np.zeros(shape, bool)
    for box, mask in pieces:
        plane[box.slices] |= mask
    return plane


def distance(points, shape):
    """Distance of every pixel's centre to a polyline, computed the plain way."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    best = np.full(shape, np.inf)
    for (y0, x0), (y1, x1) in zip(points, points[1:] or points, strict=False):
        length = (y1 - y0) ** 2 + (x1 - x0) ** 2
        at = ((y - y0) * (y1 - y0) + (x - x0) * (x1 - x0)) / length if length else 0.0
        at = np.clip(at, 0, 1)
        best = np.minimum(best, np.hypot(y - y0 - at * (y1 - y0), x - x0 - at * (x1 - x0)))
    return best


point = st.tuples(st.integers(-20, 70), st.integers(-20, 70))


@settings(max_examples=60, deadline=None)
@given(st.lists(point, min_size=1, max_size=5), st.floats(1, 12))
def test_a_brush_paints_the_pixels_whose_centre_is_near(points, radius):
    far = distance(points, SHAPE)
    painted = drawn(brush(points, radius, SHAPE))
    clear = np.abs(far - radius) > 1e-6
    np.testing.assert_array_equal(painted[clear], (far < radius)[clear])


def test_a_long_stroke_is_whole_though_it_is_drawn_in_pieces():
    shape = (30, 3000)
    painted = drawn(brush([(15, -500), (15, 2900)], 2, shape), shape)
    assert painted[13:17, :2900].all()
    assert not painted[:12].any()


@pytest.mark.parametrize("spot", [(3.0, 4.0), (3.5, 4.5), (3.99, 4.01)])
def test_the_thinnest_brush_marks_the_pixel_it_was_put_on(spot):
    painted = drawn(brush([spot], 0, SHAPE))
    assert np.argwhere(painted).tolist() == [[3, 4]]


def test_a_polygon_is_filled_inside_and_clipped_at_the_border():
    filled = drawn(polygon([(-5, 10), (-5, 20), (8, 20), (8, 10)], SHAPE))
    expected = np.zeros(SHAPE, bool)
    expected[:8, 10:20] = True
    np.testing.assert_array_equal(filled, expected)


def test_a_polygon_taller_than_a_band_has_no_seams():
    shape = (600, 20)
    filled = drawn(polygon([(0, 0), (0, 20), (600, 20), (600, 0)], shape), shape)
    assert filled.all()
