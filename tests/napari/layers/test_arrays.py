import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box
from stroma.napari.layers.arrays import PlaneArray

SIZES = {"t": 2, "c": 3, "z": 4, "y": 6, "x": 5}


def plain_and_array():
    """An array in memory, the same all along c, and one that reads and writes its planes."""
    values = np.arange(2 * 4 * 6 * 5).reshape(2, 4, 6, 5)
    plain = np.repeat(values[:, None], 3, axis=1)

    def read(plane, box):
        return values[(plane["t"], plane["z"], *box.slices)]

    def write(plane, box, new):
        values[(plane["t"], plane["z"], *box.slices)] = new

    return values, plain, PlaneArray(SIZES, int, read, write)


def keys(sizes):
    def one(n):
        position = st.integers(-n, n - 1)
        return st.one_of(
            position,
            st.slices(n),
            st.lists(position, min_size=1, max_size=1).map(np.array),
        )

    return st.integers(0, len(sizes)).flatmap(lambda k: st.tuples(*map(one, sizes[:k])))


@given(keys(tuple(SIZES.values())))
def test_reading_equals_indexing_an_array_in_memory(key):
    _, plain, array = plain_and_array()
    lists = sum(isinstance(k, np.ndarray) for k in key)
    if lists > 1 or (lists and any(isinstance(k, int) for k in key)):
        return  # numpy's rules for several lists are not needed here
    np.testing.assert_array_equal(array[key], plain[key])


def test_ellipsis_stands_for_the_axes_left_out():
    _, plain, array = plain_and_array()
    np.testing.assert_array_equal(array[0, ..., 2], plain[0, ..., 2])
    np.testing.assert_array_equal(np.asarray(array), plain)


def test_writing_a_box_changes_just_that_box():
    values, _, array = plain_and_array()
    expected = values.copy()
    expected[1, 2, 1:3, 2:4] = 7
    array[1, 0, 2, 1:3, 2:4] = np.full((2, 2), 7)
    np.testing.assert_array_equal(values, expected)


def test_writing_single_pixels_leaves_those_between_alone():
    values, _, array = plain_and_array()
    expected = values.copy()
    expected[0, 0, [0, 4], [1, 3]] = -1
    array[0, 0, 0, np.array([0, 4]), np.array([1, 3])] = -1
    np.testing.assert_array_equal(values, expected)


def test_only_the_box_asked_for_is_read():
    asked = []

    def read(plane, box):
        asked.append((plane, box))
        return np.zeros(box.shape)

    array = PlaneArray({"z": 10**6, "y": 10**6, "x": 10**6}, float, read)
    assert array[5, 10:20, 30:50].shape == (10, 20)
    assert asked == [({"z": 5}, Box(10, 30, 20, 50))]
    assert array.nbytes == 8 * 10**18


def test_positions_outside_are_refused():
    _, _, array = plain_and_array()
    with pytest.raises(IndexError, match="lies outside an axis of 2"):
        array[2]


def test_results_cannot_be_painted_on():
    array = PlaneArray({"y": 2, "x": 2}, int, lambda plane, box: np.zeros(box.shape))
    with pytest.raises(TypeError, match="cannot be painted on"):
        array[0, 0] = 1


@pytest.mark.parametrize(
    "asked",
    [
        lambda a: a == 7,
        lambda a: (a > 7) & (a < 30),
        lambda a: a + 1,
        lambda a: 2.5 * a,
        lambda a: -a,
        lambda a: a.astype(np.uint8),
        lambda a: a.sum(axis=-1),
        lambda a: a.max(),
        lambda a: a.copy(),
        lambda a: a.T,
        lambda a: a[a > 50],
        lambda a: a[None, 1],
        lambda a: a[1][a[1] == 130],
        lambda a: np.unique(a),
        lambda a: np.add(a, a),
        lambda a: np.maximum.reduce(a),
        lambda a: (130 in a, 10**6 in a),
        lambda a: list(a)[1],
        lambda a: np.stack([a, a]),
    ],
)
def test_it_answers_as_the_array_in_memory_does(asked):
    _, plain, array = plain_and_array()
    np.testing.assert_array_equal(asked(array), asked(plain))


def test_values_are_changed_where_a_mask_says():
    values, plain, array = plain_and_array()
    array[array == 9] = 1000
    assert values[plain[:, 0] == 9] == [1000]
    assert (values == 1000).sum() == 1


def test_what_no_array_has_is_not_there():
    _, _, array = plain_and_array()
    with pytest.raises(AttributeError, match="compute"):
        array.compute()
