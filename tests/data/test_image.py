import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma import Image
from stroma.errors import ShapeError


class Counting:
    """An array that notes which boxes are read."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.asked = values, values.shape, values.dtype, []

    def __getitem__(self, key):
        self.asked.append(key)
        return self.values[key]


@pytest.fixture
def values():
    return np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)


def test_cuts_read_nothing_and_reading_reads_just_the_box(values):
    array = Counting(values)
    cut = Image(array, "tczyx").at(t=1, z=slice(1, 3), c=[2, 0])
    assert array.asked == []
    assert cut.shape == (2, 2, 5, 6)
    assert cut.kept_axes == "czyx"
    got = cut.read({"y": slice(2, 4), "z": slice(1, 2)})
    np.testing.assert_array_equal(got, values[1][[2, 0]][:, 2:3, 2:4])
    assert array.asked == [(1, slice(0, 3), slice(2, 3), slice(2, 4), slice(None))]


@given(st.data())
def test_cuts_of_cuts_are_those_of_numpy(data):
    values = np.arange(7 * 8).reshape(7, 8)
    image, expected = Image(values, "yx"), values
    for _ in range(3):
        stop = data.draw(st.integers(1, expected.shape[0]))
        start = data.draw(st.integers(0, stop - 1))
        image, expected = image.at(y=slice(start, stop)), expected[start:stop]
    np.testing.assert_array_equal(image.read(), expected)
    np.testing.assert_array_equal(np.asarray(image), expected)


def test_a_cut_knows_the_whole(values):
    image = Image(values, "tczyx")
    assert image.at(t=0).at(z=1).whole is image
    assert image.whole is image


def test_the_selection_of_a_cut_of_a_cut_gives_it_from_the_whole(values):
    cut = Image(values, "tczyx").at(z=slice(1, 4), c=[2, 0]).at(z=[2, 0], t=1)
    assert cut.selection == {"z": [3, 1], "c": [2, 0], "t": 1}
    np.testing.assert_array_equal(cut.whole.at(**cut.selection).read(), cut.read())


@pytest.mark.parametrize("axes", ["yx", "zyxc", "czyxx", "abcyx"])
def test_axes_that_do_not_fit_are_refused(values, axes):
    with pytest.raises(ShapeError):
        Image(values, axes)


def test_positions_outside_and_unknown_axes_are_refused(values):
    image = Image(values, "tczyx")
    with pytest.raises(ShapeError, match="outside axis 't', which has 2"):
        image.at(t=2)
    with pytest.raises(ShapeError, match="no 't' to cut"):
        image.at(t=0).at(t=0)
