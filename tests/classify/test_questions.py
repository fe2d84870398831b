"""Borders, and ranks of values among them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stroma.classify import kernels
from stroma.classify.questions import half_keys, ranked

floats = st.floats(width=32, allow_nan=False)
halves = st.floats(width=16, allow_nan=False, allow_infinity=False)


@given(
    st.lists(floats, min_size=1, max_size=30).map(lambda b: np.unique(np.array(b, np.float32))),
    st.lists(halves | st.sampled_from([0.0, -0.0, 65504.0, -65504.0]), min_size=1, max_size=50),
)
def test_half_precision_is_ranked_as_single_precision(borders, values):
    half = np.array(values, np.float16)
    ranks = np.empty((2, len(half)), np.uint8)
    kernels.rank(half.astype(np.float32), borders, ranks[0])
    kernels.rank_half(half.view(np.int16), half_keys(borders), ranks[1])
    expected = (half.astype(np.float32)[:, None] > borders).sum(axis=1)
    np.testing.assert_array_equal(ranks, [expected, expected])


def test_values_beside_a_border_are_ranked_rightly_whatever_the_number():
    half = np.arange(2**16, dtype=np.uint16).view(np.float16)
    half = half[np.isfinite(half)]
    for border in np.array([0, -0.0, 1, -1, 1 + 2**-12, -1 - 2**-12, 1e-9, -1e-9], np.float32):
        ranks = np.empty(len(half), np.uint8)
        kernels.rank_half(half.view(np.int16), half_keys(border[None]), ranks)
        np.testing.assert_array_equal(ranks, half.astype(np.float32) > border)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), max_size=40))
def test_every_question_keeps_its_feature_and_border(asked):
    feature, border = np.array(asked, np.int64).reshape(-1, 2).T
    questions = ranked(feature, border.astype(np.float32))
    np.testing.assert_array_equal(questions.used[questions.slot], feature)
    at = questions.start[questions.slot] + questions.rank
    np.testing.assert_array_equal(questions.borders[at], border)
    for u in range(len(questions.used)):
        own = questions.borders[questions.start[u] : questions.start[u + 1]]
        assert (np.diff(own) > 0).all()
    assert questions.most == max((len(set(border[feature == f])) for f in feature), default=0)
