import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stroma.blocks.box import Box, hull, read_reflected, reflected


@given(st.integers(1, 9), st.integers(0, 30), st.integers(0, 30))
def test_reflection_is_that_of_numpy_pad(length, before, after):
    expected = np.pad(np.arange(length), (before, after), mode="reflect")
    assert (reflected(-before, length + after, length) == expected).all()


@given(
    st.tuples(st.integers(1, 5), st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(-9, 9), st.integers(-20, 20), st.integers(-20, 20)),
    st.tuples(st.integers(1, 9), st.integers(1, 25), st.integers(1, 25)),
)
def test_reading_beyond_the_border_equals_cutting_from_a_padded_image(shape, corner, size):
    image = np.arange(np.prod(shape)).reshape(1, *shape)
    box = Box.between(corner, (c + n for c, n in zip(corner, size, strict=True)))
    padded = np.pad(image, ((0, 0), (50, 50), (50, 50), (50, 50)), mode="reflect")
    got = read_reflected(lambda b: image[(..., *b.index)], shape, box)
    assert (got == padded[(..., *box.relative(Box(-50, -50, 0, 0, -50)).index)]).all()


def test_only_pixels_inside_the_image_are_asked_for():
    asked = []

    def read(box):
        asked.append(box)
        return np.zeros(box.sides)

    read_reflected(read, (5, 10, 10), Box(-3, 4, 2, 8, 4, 6))
    assert asked == [Box(0, 4, 4, 8, 3, 5)]


@pytest.mark.parametrize(
    ("box", "stride", "expected"),
    [
        (Box(0, 0, 4, 4), 4, Box(0, 0, 4, 4)),
        (Box(1, 3, 5, 9), 4, Box(0, 0, 8, 12)),
        (Box(-1, -5, 1, 1), 4, Box(-4, -8, 4, 4)),
        (Box(1, 3, 5, 9, 3, 5), (2, 4, 1), Box(0, 3, 8, 9, 2, 6)),
    ],
)
def test_alignment_goes_outwards_to_multiples_of_the_stride(box, stride, expected):
    assert box.aligned(stride) == expected
    assert box.coarse(stride).scaled(stride) == expected


def test_area_of_an_empty_box_is_zero():
    assert Box(5, 5, 3, 9).area == 0
    assert Box(0, 0, 2, 3).area == 6


def test_one_number_holds_along_y_and_x_and_three_along_every_axis():
    box = Box(10, 20, 30, 40, 5, 6)
    assert box.grown(2) == Box(8, 18, 32, 42, 5, 6)
    assert box.grown((1, 2, 0)) == Box(8, 20, 32, 40, 4, 7)
    assert box.scaled((2, 1, 3)) == Box(10, 60, 30, 120, 10, 12)
    assert box.relative(Box(10, 10, 99, 99, 4, 9)) == Box(0, 10, 20, 30, 1, 2)


def test_a_rectangle_of_a_plane_is_a_box_of_depth_one():
    assert Box.of((4, 5)) == Box(0, 0, 4, 5) == Box.between((0, 0, 0), (1, 4, 5))
    assert Box.of((3, 4, 5)).sides == (3, 4, 5)
    assert Box.of((3, 4, 5)).area == 60
    assert hull([Box(1, 2, 3, 4), Box(0, 3, 2, 9, 5, 7)]) == Box(0, 2, 3, 9, 0, 7)
