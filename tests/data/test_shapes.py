"""Shapes cover the pixels whose centres they cover; outlines give back the pixels they are of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stroma.data.outlines import outlines
from stroma.data.shapes import Area, Dots, Ellipse, Line, rectangle


def drawn(shape, size=(12, 14)):
    plane = np.zeros(size, np.uint16)
    shape.draw(plane, 7)
    return plane == 7


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_outlines_of_any_mask_give_it_back(mask):
    rings = [ring for part in outlines(mask) for ring in part]
    np.testing.assert_array_equal(drawn(Area(tuple(rings)), mask.shape), mask)


@given(hnp.arrays(bool, (7, 7)))
def test_no_outline_passes_a_corner_twice(mask):
    for part in outlines(mask):
        for ring in part:
            assert len(np.unique(ring, axis=0)) == len(ring)


def test_a_part_has_one_outline_and_its_holes():
    mask = np.ones((6, 6), bool)
    mask[1:3, 1:3] = mask[4, 4] = False
    (rings,) = outlines(mask)
    assert len(rings) == 3
    np.testing.assert_array_equal(np.sort(rings[0], axis=0)[[0, -1]], [[0, 0], [6, 6]])
    assert len(rings[0]) == 4


@given(st.integers(-5, 15), st.integers(-5, 15), st.integers(0, 20), st.integers(0, 20))
def test_a_rectangle_covers_its_pixels_also_at_the_border(x, y, width, height):
    expected = np.zeros((12, 14), bool)
    expected[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = True
    np.testing.assert_array_equal(drawn(rectangle(x, y, width, height)), expected)


def centres(size=(12, 14)):
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return x, y


@given(hnp.arrays(float, (3, 2), elements=st.floats(-4, 18, width=32)))
def test_a_triangle_covers_the_centres_inside_it(corners):
    x, y = centres()
    sides = []
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        sides.append((bx - ax) * (y - ay) - (by - ay) * (x - ax))
    certain = np.min(np.abs(sides), axis=0) > 1e-6
    inside = np.all(np.array(sides) > 0, axis=0) | np.all(np.array(sides) < 0, axis=0)
    found = drawn(Area((corners,)))
    np.testing.assert_array_equal(found[certain], inside[certain])


def test_a_ring_within_a_ring_is_a_hole():
    outer, inner = rectangle(1, 1, 8, 8), rectangle(3, 3, 2, 2)
    found = drawn(Area(outer.rings + inner.rings))
    assert found.sum() == 64 - 4
    assert not found[3:5, 3:5].any()


def test_many_edges_are_drawn_as_few(monkeypatch):
    rng = np.random.default_rng(0)
    area = Area((rng.random((60, 2)) * 12,))
    expected = drawn(area)
    from stroma.data import shapes

    chunks = shapes._chunks
    monkeypatch.setattr(shapes, "_chunks", lambda counts: chunks(counts, 5))
    np.testing.assert_array_equal(drawn(area), expected)


@pytest.mark.parametrize("width", [1, 3, 4.5])
def test_a_line_covers_the_centres_near_it(width):
    line = Line(np.array([[2.5, 3.5], [9.5, 7.5]]), width)
    x, y = centres()
    at = np.clip(((x - 2.5) * 7 + (y - 3.5) * 4) / 65, 0, 1)
    distance = np.hypot(x - 2.5 - at * 7, y - 3.5 - at * 4)
    np.testing.assert_array_equal(drawn(line), distance <= width / 2)


def test_a_thin_line_has_no_gaps():
    found = drawn(Line(np.array([[0.2, 0.4], [13.1, 11.7]]), 1))
    assert found.any(axis=1)[:12].all()


def test_a_dot_of_three_pixels_covers_nine():
    found = drawn(Dots(np.array([[5.5, 5.5]]), 3))
    assert found.sum() == 9
    assert drawn(Dots(np.array([[5.5, 5.5]]), 1)).sum() == 1


def test_an_ellipse_covers_the_centres_inside_it():
    x, y = centres()
    expected = ((x - 6) / 5) ** 2 + ((y - 5) / 3) ** 2 <= 1
    np.testing.assert_array_equal(drawn(Ellipse(1, 2, 10, 6)), expected)
    assert not drawn(Ellipse(1, 2, 0, 6)).any()


@pytest.mark.parametrize(
    "shape",
    [
        Area((np.array([[-1e8, -1e8], [1e8, -1e8], [1e8, 1e8], [-1e8, 1e8]]),)),
        Ellipse(-1e8, -1e8, 2e8, 2e8),
        Line(np.array([[-1e8, 6.0], [1e8, 6.0]]), 1e3),
    ],
)
def test_shapes_far_larger_than_the_image_cover_it(shape):
    assert drawn(shape).all()


def test_shapes_beside_the_image_leave_it():
    for shape in (rectangle(50, 50, 5, 5), Ellipse(-9, -9, 3, 3), Dots(np.array([[99.0, 1]]))):
        assert not drawn(shape).any()
