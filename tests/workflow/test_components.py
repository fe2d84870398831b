"""Components are counted right, however the plane is cut into bands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label, regionprops

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.workflow.applying import components as module
from stroma.workflow.applying.components import (
    Component,
    Measured,
    bands,
    components,
    coverage,
    pixel_area,
)


def test_small_components_are_summed_up_and_not_listed():
    found = components([np.array([[1, 1, 0, 2], [2, 0, 0, 2]])])
    measured = Measured.of(found, [Class(1), Class(2)], min_size=2)
    assert [(c.label, c.area) for c in measured.components] == [(1, 2), (2, 2)]
    assert [(c.components, c.area) for c in measured.coverage] == [(1, 2), (1, 3)]


def test_known_components_of_two_classes():
    plane = np.array(
        [
            [1, 1, 0, 2],
            [0, 0, 1, 2],  # touches the first at a corner
            [2, 0, 0, 2],
        ]
    )
    assert components([plane]) == [
        Component(1, 3, 1 / 3, 1.0, 0, 0, 2, 3),
        Component(2, 3, 1.0, 3.0, 0, 3, 3, 4),
        Component(2, 1, 2.0, 0.0, 2, 0, 3, 1),
    ]
    assert components([np.zeros((3, 4), int)]) == []


@given(
    hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 2)
    ),
    st.integers(1, 4),
)
def test_components_equal_those_of_the_whole_however_it_is_cut(plane, rows):
    cut = [plane[y : y + rows] for y in range(0, len(plane), rows)]
    expected = [
        (int(plane[tuple(r.coords[0])]), r.area, *r.centroid, *r.bbox)
        for r in regionprops(label(plane, background=0, connectivity=2))
    ]
    found = [(c.label, c.area, c.y, c.x, c.top, c.left, c.bottom, c.right) for c in components(cut)]
    assert len(found) == len(expected)
    np.testing.assert_allclose(np.array(found), np.array(expected))


def test_bands_cover_a_plane(monkeypatch):
    monkeypatch.setattr(module, "BAND_PIXELS", 30)
    plane = np.arange(70).reshape(7, 10)
    found = list(bands(Image(plane, "yx")))
    assert [len(b) for b in found] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(found), plane)


def test_coverage_counts_large_components_and_all_pixels():
    plane = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [2, 0, 0, 0]])
    found = coverage(components([plane]), [Class(1), Class(2), Class(3)], min_size=2)
    assert [(c.label, c.components, c.area, c.share) for c in found] == [
        (1, 1, 3, 0.75),
        (2, 0, 1, 0.25),
        (3, 0, 0, 0.0),
    ]


def test_area_of_a_pixel_is_in_square_micrometres():
    spacing = {"y": 500.0, "x": 250.0}
    assert pixel_area(Image(np.zeros((2, 2)), "yx", spacing, "nm")) == pytest.approx(0.125)
    assert pixel_area(Image(np.zeros((2, 2)), "yx", spacing)) is None
