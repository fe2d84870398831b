"""Voxels on planes across y or x are looked up in thin blocks; their features are equal."""

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.features.cache import FeatureCache
from stroma.pixel.door import Points, open_image
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.training.learn import holders, marked, rows

SHAPE = (20, 24, 28)
ACROSS_Y = [(z, 11, x) for z in range(20) for x in (3, 9, 15)]
ACROSS_X = [(z, y, 21) for z in range(4, 16) for y in (2, 5, 17)]
ACROSS_Z = [(7, y, x) for y in range(10) for x in range(10)]
SCATTERED = [(z, y, x) for z in range(20) for y, x in ((z % 9, z), (z, 20 - z))]


def points_on(voxels):
    plane, *yx = np.array(voxels, np.intp).T
    return Points(plane, np.column_stack(yx), np.ones(len(plane), np.uint16))


@pytest.fixture(params=["ilastik_3d", "gaussian_features"])
def model(request):
    return ConvpaintModel(fe_name=request.param)


@pytest.fixture
def source():
    return open_image(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32), "single")


def test_few_planes_of_any_direction_are_looked_up_in_blocks_as_thin(model, source):
    recipe = Recipe.of(model.get_params())
    points = marked(points_on([*ACROSS_Y, *ACROSS_X, *ACROSS_Z]), recipe, source)
    held = list(holders(source, points, recipe, None))
    assert {task.block.core.shape for task, _ in held} == {(24, 28), (1, 28), (24, 1)}
    assert sorted(np.concatenate([m for _, m in held])) == list(range(len(points.label)))


def test_scattered_voxels_are_looked_up_as_for_segmentation(model, source):
    recipe = Recipe.of(model.get_params())
    held = list(holders(source, marked(points_on(SCATTERED), recipe, source), recipe, None))
    assert {task.block.core.shape for task, _ in held} == {(24, 28)}


def test_features_do_not_depend_on_how_blocks_are_cut(model, source):
    recipe, points = Recipe.of(model.get_params()), points_on(ACROSS_Y)
    X, _ = rows(source, points, recipe, None, cap=10**6, cache=FeatureCache(0))
    every = np.concatenate(
        [m for _, m in holders(source, marked(points, recipe, source), recipe, None)]
    )
    whole = model.get_feature_image(source.image.read())
    z, y, x = np.array(ACROSS_Y)[every].T
    np.testing.assert_allclose(X, whole[:, z, y, x].T, rtol=1e-3, atol=1e-4)
