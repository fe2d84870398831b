"""Packed integers add up to the sums of floats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stroma.classify import kernels
from stroma.classify.catboost import CatBoost, _quantised
from stroma.classify.packed import pack

finite = st.floats(-1e3, 1e3)


@given(
    st.integers(1, 5).flatmap(lambda columns: arrays(np.float64, (7, columns, 4), elements=finite))
)
def test_packed_sums_equal_sums(terms):
    columns = terms.shape[1]
    reach = max(1.0, np.abs(terms).sum(axis=0).max())
    packed, unit = pack(terms, reach)
    assert packed.shape[1] == -(-columns // 2)
    sums = np.empty((columns, 4), np.float32)
    kernels._unpack(packed.sum(axis=0), 4, unit, 0, sums)
    np.testing.assert_allclose(sums, terms.sum(axis=0), atol=1e-6 * reach)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_sums_may_reach_the_limit(sign):
    terms = np.full((4, 2, 1), sign)
    packed, unit = pack(terms, 4.0)
    sums = np.empty((2, 1), np.float32)
    kernels._unpack(packed.sum(axis=0), 1, unit, 0, sums)
    np.testing.assert_allclose(sums, sign * 4, rtol=1e-6)


@pytest.mark.parametrize(
    "classifier", [CatBoost(iterations=2000, learning_rate=0.9), CatBoost(iterations=3, depth=16)]
)
def test_many_and_deep_trees_keep_their_precision(classifier):
    from catboost import CatBoostClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)).astype(np.float32)
    y = rng.integers(0, 3, 300)
    options = {**classifier.options(), "rsm": 1.0}  # there are fewer than ten features here
    library = CatBoostClassifier(**options, allow_writing_files=False, silent=True)
    new = rng.normal(size=(2000, 4)).astype(np.float32)
    pool = _quantised(X, y, classifier.border_count)
    expected = library.fit(pool).predict_proba(new)
    np.testing.assert_allclose(classifier.fit(X, y).predict_proba(new), expected, atol=1e-6)
