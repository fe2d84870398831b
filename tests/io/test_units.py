"""Lengths from one unit to another."""

import pytest

from stroma.io.units import convert, in_one_unit


@pytest.mark.parametrize(
    ("length", "unit", "to", "expected"),
    [(2, "µm", "nm", 2000), (3, "nm", "µm", 0.003), (7, "mm", "µm", 7000), (1, "in", "mm", 25.4)],
)
def test_lengths_are_converted_by_the_decimal_factor(length, unit, to, expected):
    assert convert(length, unit, to) == expected


def test_lengths_along_axes_are_told_in_the_unit_of_x():
    found = in_one_unit({"z": (2, "micron"), "y": (0.1, "µm"), "x": (100, "nm")})
    assert found == ({"z": 2000, "y": 100, "x": 100}, "nm")
