"""Trees given as arrays score as their definitions say."""

from types import SimpleNamespace

import numpy as np
import pytest

from stroma.classify.catboost import CatBoost
from stroma.classify.decision import DecisionTrees
from stroma.classify.forest import Forest
from stroma.classify.maps import predict_maps
from stroma.errors import FormatError


def oblivious(classes, *, trees=7, depth=3, features=4):
    rng = np.random.default_rng(0)
    columns = 1 if classes == 2 else classes
    return {
        "feature": rng.integers(0, features, (trees, depth), dtype=np.int32),
        "border": rng.integers(-2, 3, (trees, depth)).astype(np.float32),
        "leaf": rng.normal(size=(trees, 2**depth, columns)),
        "weight": np.ones((trees, 2**depth)),
        "scale_bias": np.array([1.5, *np.linspace(-1, 1, columns)]),
        "classes": np.arange(1, classes + 1),
        "n_features": np.array(features),
    }


def scores_by_definition(arrays, rows):
    total = 0
    for feature, border, leaf in zip(
        arrays["feature"], arrays["border"], arrays["leaf"], strict=True
    ):
        answers = rows[:, feature] > border
        total = total + leaf[answers @ (1 << np.arange(len(feature)))]
    return arrays["scale_bias"][0] * total + arrays["scale_bias"][1:]


@pytest.mark.parametrize("depth", [0, 1, 3, 5, 11])
@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_oblivious_trees_score_by_their_definition(classes, depth):
    arrays = oblivious(classes, depth=depth)
    arrays["border"][0] = np.inf
    arrays["border"][1] = -np.inf
    rows = np.random.default_rng(1).integers(-3, 4, (1500, 4)).astype(np.float32)
    scores = scores_by_definition(arrays, rows)
    if classes == 2:
        scores = np.hstack([np.zeros_like(scores), scores])
    odds = np.exp(scores)
    fitted = CatBoost.from_arrays(CatBoost().params(), arrays)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(rows), expected, atol=1e-6)


def test_more_borders_than_a_byte_counts_are_refused():
    arrays = oblivious(3, trees=256, depth=1, features=1)
    arrays["border"][:, 0] = np.arange(256)
    with pytest.raises(FormatError, match="more than 255 borders"):
        CatBoost.from_arrays(CatBoost().params(), arrays)
    arrays["border"][0] = 1
    rows = np.arange(-1, 300, dtype=np.float32)[:, None]
    fitted = CatBoost.from_arrays(CatBoost().params(), arrays)
    odds = np.exp(scores_by_definition(arrays, rows))
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(rows), expected, atol=1e-6)


@pytest.mark.parametrize("features", [-1, 0, 2**60])
def test_absurd_numbers_of_features_are_refused(features):
    arrays = {**oblivious(3), "n_features": np.array(features)}
    with pytest.raises(FormatError, match="features"):
        CatBoost.from_arrays(CatBoost().params(), arrays)


@pytest.mark.parametrize("classes", [[0, 1, 2], [1, 2, 65536], [3, 2, 1]])
def test_classes_that_are_no_labels_are_refused(classes):
    arrays = {**oblivious(3), "classes": np.array(classes)}
    with pytest.raises(FormatError, match="class"):
        CatBoost.from_arrays(CatBoost().params(), arrays)


def test_a_right_child_beyond_its_tree_is_refused():
    X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    fitted = Forest(n_estimators=2, n_jobs=1).fit(X, 1 + (X[:, 0] > 0))
    for tree in (0, 1):
        arrays = {name: array.copy() for name, array in fitted.arrays().items()}
        first, end = arrays["first"][tree : tree + 2]
        arrays["child"][first] = end - 1
        with pytest.raises(FormatError, match="leads out"):
            Forest.from_arrays(fitted.params(), arrays)


def test_trees_of_a_single_leaf_vote_the_same_everywhere():
    arrays = {
        "feature": np.array([-1, -1], np.int32),
        "threshold": np.zeros(2, np.float32),
        "child": np.array([0, 1], np.int32),
        "first": np.array([0, 1, 2]),
        "value": np.array([[1, 0], [0.5, 0.5]], np.float32),
        "importances": np.zeros(3),
        "classes": np.array([4, 9]),
    }
    fitted = Forest.from_arrays(Forest().params(), arrays)
    rows = fitted.predict_proba(np.ones((5, 3), np.float32))
    np.testing.assert_allclose(rows, np.tile([0.75, 0.25], (5, 1)), atol=1e-7)
    maps = [SimpleNamespace(values=np.ones((3, 2, 2)), step=1, origin=(0, 0))]
    box = predict_maps(fitted, maps, (slice(0, 2), slice(0, 2)))
    np.testing.assert_allclose(box[0], np.full((2, 2), 0.75), atol=1e-7)


@pytest.mark.parametrize(
    ("classes", "depth", "trees"), [(2, 1, 9), (3, 3, 9), (5, 8, 9), (3, 8, 99)]
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_shallow_trees_vote_as_deep_ones(classes, depth, trees, dtype, monkeypatch):
    rng = np.random.default_rng(depth)
    X = rng.normal(size=(700, 6)).astype(dtype).astype(np.float32)
    made = Forest(n_estimators=trees, max_depth=depth, random_splits=True, n_jobs=1)
    fitted = made.fit(X, rng.integers(1, classes + 1, 700))
    assert fitted.learned_.shallow.asked.dtype == (np.uint8 if trees == 9 else np.uint16)
    values = rng.normal(size=(6, 40, 53)).astype(dtype)
    maps = [SimpleNamespace(values=values, step=1, origin=(0, 0))]
    box = (slice(1, 40), slice(3, 53))
    shallow = fitted.predict_proba(X), predict_maps(fitted, maps, box)
    monkeypatch.setattr(DecisionTrees, "shallow", None)
    np.testing.assert_array_equal(fitted.predict_proba(X), shallow[0])
    np.testing.assert_array_equal(predict_maps(fitted, maps, box), shallow[1])


def test_deep_trees_are_walked():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1500, 3)).astype(np.float32), rng.integers(1, 3, 1500)
    assert Forest(n_estimators=1, max_depth=9, n_jobs=1).fit(X, y).learned_.shallow is None


def test_trees_that_share_a_branch_vote_by_their_definition():
    """Files may say so; no library does."""
    arrays = {
        "feature": np.array([0, 1, 2, -1, -1], np.int32),
        "threshold": np.array([0, 0, 0, 0, 0], np.float32),
        "child": np.array([1, 2, 3, 0, 1], np.int32),
        "first": np.array([0, 5]),
        "value": np.array([[1, 0], [0, 1]], np.float32),
        "importances": np.zeros(3),
        "classes": np.array([1, 2]),
    }
    rows = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T.astype(np.float32)
    fitted = Forest.from_arrays(Forest().params(), arrays)
    # left: node 1, which leads to node 2 or, right, to the leaf 3; right: node 2
    ends = [
        (0 if (b <= 0 and c <= 0) or b > 0 else 1) if a <= 0 else int(c > 0) for a, b, c in rows
    ]
    np.testing.assert_array_equal(fitted.predict_proba(rows).argmax(axis=1), ends)


def test_rows_shared_out_to_threads_equal_rows_one_by_one(monkeypatch):
    from stroma.classify import evaluate

    X = np.random.default_rng(0).normal(size=(5000, 3)).astype(np.float32)
    for classifier in (CatBoost(iterations=5), Forest(n_estimators=3, n_jobs=1)):
        fitted = classifier.fit(X[:200], 1 + (X[:200, 0] > 0))
        at_once = fitted.predict_proba(X)
        with monkeypatch.context() as patch:
            patch.setattr(evaluate, "ROWS_PER_TASK", 333)
            shared = fitted.predict_proba(X)
        np.testing.assert_array_equal(shared, at_once)
        np.testing.assert_array_equal(
            np.concatenate([fitted.predict_proba(x[None]) for x in X[:50]]), at_once[:50]
        )
