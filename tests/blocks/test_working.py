import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.blocks.working import WorkingGrid, block_mean

factors = st.integers(-20, 20) | st.tuples(*[st.integers(-4, 5)] * 3)
shapes = st.tuples(st.integers(1, 6), st.integers(1, 45), st.integers(1, 45))


def reader(image):
    return lambda box: image[(..., *box.index)]


def part_of(shape, data):
    corner = [data.draw(st.integers(0, n - 1)) for n in shape]
    end = [data.draw(st.integers(c + 1, n)) for c, n in zip(corner, shape, strict=True)]
    return Box.between(corner, end)


def whole(grid, image):
    return grid.read(reader(image), Box.of(grid.shape))


def test_block_mean_of_known_values():
    values = np.arange(16.0).reshape(1, 4, 4)
    assert (block_mean(values, 2) == [[[2.5, 4.5], [10.5, 12.5]]]).all()
    assert (block_mean(values[:, None], (1, 2, 4)) == [[[[3.5], [11.5]]]]).all()
    assert (block_mean(np.arange(8.0).reshape(1, 4, 1, 2), (2, 1, 2)) == [[[[1.5]], [[5.5]]]]).all()


@given(shapes, factors, st.data())
def test_a_box_of_the_working_grid_is_that_part_of_the_whole(shape, factor, data):
    image = np.random.default_rng(0).normal(size=(2, *shape))
    grid = WorkingGrid(shape, factor)
    box = part_of(grid.shape, data)
    expected = whole(grid, image)[(..., *box.index)]
    np.testing.assert_array_equal(grid.read(reader(image), box), expected)


@given(shapes, factors)
def test_restoring_keeps_the_shape_and_constants(shape, factor):
    grid = WorkingGrid(shape, factor)
    restored = grid.restore(np.full((2, *grid.shape), 0.25), Box.of(grid.shape), Box.of(shape))
    assert restored.shape == (2, *shape)
    np.testing.assert_allclose(restored, 0.25, rtol=1e-6)


@given(shapes, factors, st.data())
def test_restoring_a_part_equals_that_part_of_the_restored_whole(shape, factor, data):
    grid = WorkingGrid(shape, factor)
    values = np.random.default_rng(0).normal(size=(1, *grid.shape)).astype(np.float32)
    box = part_of(shape, data)
    around = grid.cells(box).grown(grid.margin).clipped(Box.of(grid.shape))
    part = grid.restore(values[(..., *around.index)], around, box)
    everything = grid.restore(values, Box.of(grid.shape), Box.of(shape))
    np.testing.assert_array_equal(part, everything[(..., *box.index)])


def test_cells_keep_their_position_whatever_the_size_of_the_image():
    image = np.random.default_rng(0).normal(size=(1, 8, 40, 40))
    large, small = WorkingGrid((8, 40, 40), (3, 7, 7)), WorkingGrid((7, 36, 38), (3, 7, 7))
    cut = whole(small, image[:, :7, :36, :38])
    np.testing.assert_array_equal(whole(large, image)[:, :2, :5, :5], cut[:, :2, :5, :5])


@given(st.sampled_from([2, 3, 7, 20]))
def test_a_stroke_one_pixel_wide_survives_reduction(factor):
    points = np.array([[0, 5, x] for x in range(40)])
    cells, labels = WorkingGrid((40, 40), factor).mark(points, np.full(40, 3, np.uint16))
    assert set(map(tuple, cells)) == {(0, 5 // factor, x // factor) for x in range(40)}
    assert (labels == 3).all()


def test_a_cell_gets_its_most_frequent_label_and_the_smallest_of_equals():
    points = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 2], [0, 0, 3]])
    labels = np.array([9, 9, 4, 700, 5], np.uint16)
    cells, found = WorkingGrid((4, 4), 2).mark(points, labels)
    assert cells.tolist() == [[0, 0, 0], [0, 0, 1]]
    assert found.tolist() == [9, 5]


@pytest.mark.parametrize("factor", [-1, 0, 1])
def test_factors_without_effect_leave_everything_as_it_is(factor):
    image = np.random.default_rng(0).normal(size=(1, 1, 5, 6))
    grid = WorkingGrid((5, 6), factor)
    assert (whole(grid, image) == image).all()
    assert grid.shape == (1, 5, 6)
