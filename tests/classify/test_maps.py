"""Prediction from maps equals prediction from one row of features per pixel."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stroma.classify.catboost import CatBoost
from stroma.classify.families import FamilyEnsemble
from stroma.classify.forest import Forest
from stroma.classify.logistic import Logistic
from stroma.classify.maps import predict_maps
from stroma.errors import ShapeError


class Nearest:
    """A classifier from outside, known only by its contract: probability by distance."""

    classes_ = np.array([1, 2])

    def __init__(self, X, y):
        self.centres = np.stack([X[y == 1].mean(axis=0), X[y == 2].mean(axis=0)])
        self.n_features_in_ = X.shape[1]

    def predict_proba(self, X):
        near = np.exp(-((X[:, None] - self.centres) ** 2).mean(axis=2))
        return (near / near.sum(axis=1, keepdims=True)).astype(np.float32)


def training(classes, features=9):
    rng = np.random.default_rng(0)
    y = np.arange(200) % classes + 1
    X = rng.normal(size=(200, features)) + y[:, None] * np.linspace(0, 1, features)
    return X.astype(np.float16).astype(np.float32), y


def mixed_up():
    """Return rows whose labels follow nothing, so that trees grow large."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(900, 9)).astype(np.float16).astype(np.float32), rng.integers(1, 4, 900)


FITTED = {
    "catboost": lambda: CatBoost(iterations=25).fit(*training(3)),
    "catboost of two": lambda: CatBoost(iterations=7, depth=3).fit(*training(2)),
    "catboost of five": lambda: CatBoost(iterations=9, depth=6).fit(*training(5)),
    "forest": lambda: Forest(n_estimators=7, n_jobs=1).fit(*training(3)),
    "forest of two": lambda: Forest(n_estimators=3, max_depth=2, n_jobs=1).fit(*training(2)),
    "forest of large trees": lambda: Forest(n_estimators=3, n_jobs=1).fit(*mixed_up()),
    "logistic": lambda: Logistic().fit(*training(3)),
    "logistic of two": lambda: Logistic().fit(*training(2)),
    "families": lambda: FamilyEnsemble(ends=(5,), shares=(0.5, 0.5)).fit(*training(3)),
    "families that part inside a map": lambda: FamilyEnsemble(ends=(1,), shares=(0.5, 0.5)).fit(
        *training(2)
    ),
    "from outside": lambda: Nearest(*training(2)),
}


@pytest.fixture(scope="module", params=FITTED)
def classifier(request):
    return FITTED[request.param]()


def grid(features, box, step, origin, dtype=np.float16, seed=0):
    """Return a map with random values that just covers a box."""
    sizes = [-(-(b.stop - o) // step) for b, o in zip(box, origin, strict=True)]
    values = np.random.default_rng(seed).normal(1, 2, (features, *sizes)).astype(dtype)
    return SimpleNamespace(values=values, step=step, origin=origin)


def pixel_by_pixel(classifier, maps, box):
    rows = [
        np.concatenate(
            [m.values[:, (y - m.origin[0]) // m.step, (x - m.origin[1]) // m.step] for m in maps]
        )
        for y in range(box[0].start, box[0].stop)
        for x in range(box[1].start, box[1].stop)
    ]
    shape = (-1, *(b.stop - b.start for b in box))
    return classifier.predict_proba(np.array(rows, np.float32)).T.reshape(shape)


boxes = st.tuples(
    *[st.tuples(st.integers(0, 9), st.integers(1, 40)).map(lambda p: slice(p[0], sum(p)))] * 2
)
shifts = st.tuples(st.integers(-5, 0), st.integers(-5, 0))
geometry = st.tuples(st.integers(1, 14), shifts, st.sampled_from([np.float16, np.float32]))


@settings(max_examples=15, deadline=None)
@given(box=boxes, parts=st.tuples(geometry, geometry, geometry))
def test_a_box_of_maps_equals_one_row_per_pixel(classifier, box, parts):
    maps = [
        grid(features, box, step, origin, dtype, seed=i)
        for i, (features, (step, origin, dtype)) in enumerate(zip((2, 3, 4), parts, strict=True))
    ]
    result = predict_maps(classifier, maps, box)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, pixel_by_pixel(classifier, maps, box), atol=2e-6)


def test_boxes_larger_than_a_chunk_equal_one_row_per_pixel(classifier):
    box = (slice(3, 40), slice(2, 101))
    maps = [grid(4, box, 1, (0, 0)), grid(5, box, 4, (-2, 1), np.float32)]
    result = predict_maps(classifier, maps, box)
    np.testing.assert_allclose(result, pixel_by_pixel(classifier, maps, box), atol=2e-6)


def test_parts_of_a_box_equal_the_box(classifier):
    box = (slice(0, 30), slice(0, 41))
    maps = [grid(4, box, 1, (0, 0)), grid(5, box, 4, (0, 0))]
    whole = predict_maps(classifier, maps, box)
    part = predict_maps(classifier, maps, (slice(7, 19), slice(13, 41)))
    np.testing.assert_allclose(part, whole[:, 7:19, 13:41], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_maps_that_are_views_are_read_rightly(classifier, dtype):
    values = np.random.default_rng(0).normal(size=(12, 10, 9)).astype(dtype)
    view = SimpleNamespace(values=values.transpose(2, 1, 0)[:, ::-1, ::2], step=1, origin=(0, 0))
    copy = SimpleNamespace(values=view.values.copy(), step=1, origin=(0, 0))
    box = (slice(0, 10), slice(0, 6))
    expected = predict_maps(classifier, [copy], box)
    np.testing.assert_array_equal(predict_maps(classifier, [view], box), expected)


def test_every_half_precision_number_is_read_rightly():
    numbers = np.arange(2**16, dtype=np.uint16).view(np.float16)
    numbers = numbers[np.isfinite(numbers)]
    rng = np.random.default_rng(0)
    X = rng.choice(numbers, (500, 1)).astype(np.float32)
    fitted = Forest(n_estimators=3, n_jobs=1).fit(X, 1 + (np.abs(X[:, 0]) > 1e-3))
    maps = [SimpleNamespace(values=numbers[None, None], step=1, origin=(0, 0))]
    result = predict_maps(fitted, maps, (slice(0, 1), slice(0, len(numbers))))
    expected = fitted.predict_proba(numbers[:, None].astype(np.float32)).T
    np.testing.assert_array_equal(result[:, 0], expected)


def test_trees_that_ask_nothing_give_their_bias_everywhere():
    X = np.zeros((60, 1), np.float32)
    X[0] = 1
    fitted = CatBoost(iterations=3, rsm=1e-6).fit(X, 1 + np.arange(60) % 2)
    maps = [SimpleNamespace(values=np.zeros((1, 2, 3)), step=1, origin=(0, 0))]
    result = predict_maps(fitted, maps, (slice(0, 2), slice(0, 3)))
    np.testing.assert_allclose(result, 0.5, atol=0.02)


@pytest.mark.parametrize(
    "box",
    [
        (slice(0, 9), slice(0, 8)),
        (slice(-1, 4), slice(0, 8)),
        (slice(0, 8), slice(0, 9)),
        (slice(3, 3), slice(0, 8)),
    ],
)
def test_boxes_beyond_the_maps_are_refused(classifier, box):
    maps = [SimpleNamespace(values=np.zeros((9, 4, 4), np.float16), step=2, origin=(0, 0))]
    with pytest.raises(ShapeError, match="does not cover"):
        predict_maps(classifier, maps, box)


def test_another_number_of_features_is_refused(classifier):
    maps = [SimpleNamespace(values=np.zeros((8, 4, 4), np.float16), step=2, origin=(0, 0))]
    with pytest.raises(ShapeError, match="trained on 9 features, the maps have 8"):
        predict_maps(classifier, maps, (slice(0, 4), slice(0, 4)))
