"""Rectangles that make up a plane of any direction: all of it, once, the nearest first."""

from math import dist

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.blocks.box import Box
from stroma.features.pipeline import Pipeline
from stroma.pixel.door import open_image
from stroma.pixel.predicting.panels import ROWS, panels_of
from stroma.pixel.predicting.recipe import Recipe

SHAPE = (40, 50, 60)


@pytest.fixture
def panels(monkeypatch):
    monkeypatch.setattr(Pipeline, "block_side", property(lambda self: 16))
    source = open_image(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32), "single")

    def of(name, axis, first=None, **more):
        recipe = Recipe.of(ConvpaintModel(fe_name=name, **more).get_params())
        high, wide = (n for n, a in zip(SHAPE, "zyx", strict=True) if a != axis)
        box = Box(0, 0, high, wide)
        return box, panels_of(source, recipe, None, position={axis: 7}, box=box, first=first)

    return of


@pytest.mark.parametrize("axis", ["z", "y", "x"])
@pytest.mark.parametrize("name", ["gaussian_features", "gaussian_3d"])
def test_rectangles_cover_a_plane_once_and_the_nearest_come_first(panels, name, axis):
    box, found = panels(name, axis)
    covered = np.zeros(box.shape, int)
    for panel in found:
        covered[panel.box.slices] += 1
        assert {task.pixels.along(axis) for task in panel.tasks if axis != "z"} <= {(7, 8)}
    assert (covered == 1).all()
    assert len(found) > 3
    first = (30.0, 35.0)
    _, near = panels(name, axis, first)
    away = [dist(panel.box.middle, first) for panel in near]
    assert away == sorted(away)
    assert {panel.box for panel in near} == {panel.box for panel in found}
    assert [panel.box for panel in near] != [panel.box for panel in found]


def test_planes_seen_one_by_one_are_shown_some_rows_together(panels):
    _, found = panels("gaussian_features", "y")
    assert {panel.box.shape[0] for panel in found} == {ROWS, SHAPE[0] % ROWS}


@pytest.mark.parametrize("axis", ["y", "x"])
def test_of_reduced_pixels_only_those_on_the_plane_are_wanted(panels, axis):
    _, found = panels("gaussian_features", axis, image_downsample=2)
    assert {task.pixels.along(axis) for panel in found for task in panel.tasks} == {(7, 8)}
