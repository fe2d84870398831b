import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box, read_reflected, reflected


@given(st.integers(1, 9), st.integers(0, 30), st.integers(0, 30))
def test_reflection_is_that_of_numpy_pad(length, before, after):
    expected = np.pad(np.arange(length), (before, after), mode="reflect")
    assert (reflected(-before, length + after, length) == expected).all()


@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
    st.tuples(st.integers(1, 25), st.integers(1, 25)),
)
def test_reading_beyond_the_border_equals_cutting_from_a_padded_image(shape, corner, size):
    image = np.arange(np.prod(shape)).reshape(1, *shape)
    box = Box(*corner, corner[0] + size[0], corner[1] + size[1])
    padded = np.pad(image, ((0, 0), (50, 50), (50, 50)), mode="reflect")
    got = read_reflected(lambda b: image[(..., *b.slices)], shape, box)
    assert (got == padded[:, box.top + 50 : box.bottom + 50, box.left + 50 : box.right + 50]).all()


def test_only_pixels_inside_the_image_are_asked_for():
    asked = []

    def read(box):
        asked.append(box)
        return np.zeros(box.shape)

    read_reflected(read, (10, 10), Box(-3, 4, 2, 8))
    assert asked == [Box(0, 4, 4, 8)]


@pytest.mark.parametrize(
    ("box", "stride", "expected"),
    [
        (Box(0, 0, 4, 4), 4, Box(0, 0, 4, 4)),
        (Box(1, 3, 5, 9), 4, Box(0, 0, 8, 12)),
        (Box(-1, -5, 1, 1), 4, Box(-4, -8, 4, 4)),
    ],
)
def test_alignment_goes_outwards_to_multiples_of_the_stride(box, stride, expected):
    assert box.aligned(stride) == expected
    assert box.coarse(stride).scaled(stride) == expected


def test_area_of_an_empty_box_is_zero():
    assert Box(5, 5, 3, 9).area == 0
    assert Box(0, 0, 2, 3).area == 6
