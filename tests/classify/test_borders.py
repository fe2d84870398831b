"""Borders lie where classes change, and evenly otherwise."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stroma.classify.borders import borders_of


def test_a_narrow_class_has_borders_at_its_ends():
    values = np.arange(1001, dtype=np.float32)
    codes = ((values >= 460) & (values <= 540)).astype(np.int64)
    [found] = borders_of(values[:, None], codes, 32)
    assert {459.5, 540.5} <= set(found.tolist())
    assert len(found) <= 32
    assert np.diff(found).max() < 80  # the others are spread over the whole range


def test_constant_features_have_none_and_few_values_all():
    rows = np.array([[1, 0], [1, 1], [1, 2], [1, 2]], np.float32)
    constant, few = borders_of(rows, np.array([0, 1, 0, 1]), 32)
    assert constant.tolist() == []
    assert few.tolist() == [0.5, 1.5]


@given(st.integers(1, 255), st.integers(2, 400), st.integers(0, 2**32 - 1))
def test_borders_ascend_part_values_and_are_not_too_many(count, rows, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 50, (rows, 2)).astype(np.float32)
    for column, found in zip(
        values.T, borders_of(values, rng.integers(0, 3, rows), count), strict=True
    ):
        assert len(found) <= count
        assert (np.diff(found) > 0).all()
        assert ((found > column.min()) & (found < column.max())).all()
