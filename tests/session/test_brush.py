import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.errors import ParameterError
from stroma.session.strokes.drawing import brush as brushes
from stroma.session.strokes.drawing.brush import brush, polygon
from stroma.session.strokes.drawing.runs import of_mask, pixels
from stroma.session.strokes.painted.pieces import cut
from stroma.session.strokes.painted.tiles import StrokeTiles

SHAPE = (40, 50)


def drawn(parts, shape=SHAPE):
    """Return the pixels of runs."""
    plane = np.zeros(shape, bool)
    for part in parts:
        plane[pixels(part)] = True
    return plane


def filled(parts, shape=SHAPE):
    """Return the pixels of masks."""
    return drawn((of_mask(box, mask) for box, mask in parts), shape)


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


@pytest.mark.parametrize("radius", [2, 150])
def test_a_line_looks_once_at_each_tile_that_it_touches(radius):
    shape, turns = (3000, 3000), np.linspace(0, 40, 400)
    points = [(1500 + 30 * t * np.sin(t), 1500 + 30 * t * np.cos(t)) for t in turns]
    [found] = brush(points, radius, shape)
    pieces, _ = cut(0, found, shape)
    assert len(set(pieces.keys)) == len(pieces.keys) > 100
    assert (pieces.lengths > 0).all()
    assert pieces.lengths.sum() == drawn([found], shape).sum()


def test_rows_of_segments_are_looked_at_some_at_a_time(monkeypatch):
    points = [(10, 10), (39, 45), (3, 20), (3, 48)]
    whole = drawn(brush(points, 3, SHAPE))
    monkeypatch.setattr(brushes.runs, "MANY", 16)
    np.testing.assert_array_equal(drawn(brush(points, 3, SHAPE)), whole)


@pytest.mark.parametrize(
    "far",
    [
        lambda shape: brush([(0, 0), (9e6, 9e6)] * 3, 2, shape),
        lambda shape: polygon([(0, 0), (0, 9e6), (9e6, 9e6)], shape),
    ],
)
def test_a_step_that_would_take_for_ever_is_refused(far):
    with pytest.raises(ParameterError, match="several steps"):
        next(far((10**7, 10**7)))


@pytest.mark.parametrize("spot", [(3.0, 4.0), (3.5, 4.5), (3.99, 4.01)])
def test_the_thinnest_brush_marks_the_pixel_it_was_put_on(spot):
    painted = drawn(brush([spot], 0, SHAPE))
    assert np.argwhere(painted).tolist() == [[3, 4]]


def test_a_polygon_is_filled_inside_and_clipped_at_the_border():
    found = filled(polygon([(-5, 10), (-5, 20), (8, 20), (8, 10)], SHAPE))
    expected = np.zeros(SHAPE, bool)
    expected[:8, 10:20] = True
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("left", [-900, -2, 1, 200])
def test_a_polygon_outside_of_the_plane_fills_nothing(left):
    left += SHAPE[1] if left > 0 else 0
    assert not filled(polygon([(0, left), (0, left + 1), (1, left + 1)], SHAPE)).any()


def test_a_polygon_taller_than_a_band_has_no_seams():
    shape = (600, 20)
    assert filled(polygon([(0, 0), (0, 20), (600, 20), (600, 0)], shape), shape).all()


def test_a_polygon_is_filled_part_by_part_without_seams(monkeypatch):
    corners = [(2, 3), (4, 47), (38, 30), (20, 22), (36, 5)]
    whole = filled(polygon(corners, SHAPE))
    monkeypatch.setattr(brushes, "BAND", (8, 16))
    parts = [box for box, _ in polygon(corners, SHAPE)]
    assert len(parts) == 15
    assert all(part.area <= 8 * 16 for part in parts)
    np.testing.assert_array_equal(filled(polygon(corners, SHAPE)), whole)


def test_filling_takes_the_memory_of_what_is_filled_at_a_time():
    side = 2048
    tiles = StrokeTiles(1, (side, side))
    tracemalloc.start()
    for box, mask in polygon([(0, 0), (0, side), (side, side), (side, 0)], tiles.shape):
        tiles.mark(0, of_mask(box, mask), 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tiles.count() == side**2
    assert most < 3 * side**2
