"""The rows learnt from depend on what is labelled alone."""

import numpy as np
import pytest

from stroma.classify.catboost import CatBoost
from stroma.classify.forest import Forest
from stroma.classify.logistic import Logistic
from stroma.classify.sampling import training_rows
from stroma.errors import ParameterError, ShapeError


def labelled(n=300, features=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (n, features)).astype(np.float32) / 2
    y = (1 + np.digitize(X.sum(axis=1) + rng.normal(size=n), [-1, 2])).astype(np.uint16)
    return X, y


def as_multiset(X, y):
    return sorted(zip(map(bytes, X), y.tolist(), strict=True))


@pytest.mark.parametrize("cap", [20, 50_000])
def test_any_order_of_the_same_rows_gives_the_same(cap):
    X, y = labelled()
    first = training_rows(X, y, cap=cap)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(X))
        other = training_rows(X[order], y[order], cap=cap)
        np.testing.assert_array_equal(other[0], first[0])
        np.testing.assert_array_equal(other[1], first[1])


def test_without_a_cap_in_reach_all_rows_are_kept():
    X, y = labelled()
    assert as_multiset(*training_rows(X, y)) == as_multiset(X, y)


def test_rows_keep_their_labels_and_no_class_exceeds_the_cap():
    X, y = labelled()
    rows, labels = training_rows(X, y, cap=40)
    available = as_multiset(X, y)
    assert all(row in available for row in as_multiset(rows, labels))
    expected = {label: min(40, int((y == label).sum())) for label in np.unique(y)}
    assert {label: int((labels == label).sum()) for label in np.unique(labels)} == expected


def test_no_row_is_drawn_twice():
    X = np.arange(100, dtype=np.float32)[:, None]
    rows, _ = training_rows(X, np.ones(100, int), cap=60)
    assert len(np.unique(rows)) == 60


def test_another_seed_draws_other_rows():
    X, y = np.arange(1000, dtype=np.float32)[:, None], np.ones(1000, int)
    first, again, other = (training_rows(X, y, cap=50, rng=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_half_precision_rows_become_float32_and_labels_keep_their_type():
    X, y = labelled()
    rows, labels = training_rows(X.astype(np.float16), y)
    assert rows.dtype == np.float32
    assert labels.dtype == np.uint16


def test_what_does_not_fit_is_refused():
    X, y = labelled()
    with pytest.raises(ShapeError, match="labels"):
        training_rows(X, y[:-1])
    with pytest.raises(ParameterError, match="cap"):
        training_rows(X, y, cap=0)


@pytest.mark.parametrize(
    "classifier",
    [CatBoost(iterations=15), Forest(n_estimators=6, n_jobs=1), Logistic()],
    ids=lambda c: type(c).__name__,
)
@pytest.mark.parametrize("cap", [30, 1000])
def test_classifiers_do_not_depend_on_the_order_of_strokes(classifier, cap):
    X, y = labelled()
    order = np.random.default_rng(1).permutation(len(X))
    first = classifier.fit(*training_rows(X, y, cap=cap)).arrays()
    other = classifier.fit(*training_rows(X[order], y[order], cap=cap)).arrays()
    assert all(np.array_equal(first[name], other[name]) for name in first)
