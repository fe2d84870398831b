"""Objects match one to one, and what nobody knows counts for nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from stroma.errors import ShapeError
from stroma.metrics.instances import instance_scores, matching, overlaps
from stroma.metrics.shared import mean_scores

TRUE = np.array([[1, 1, 1, 1, 0, 2, 2, 2, 2, 0]])


def test_known_overlaps_give_known_scores():
    found = np.array([[7, 7, 7, 0, 0, 0, 0, 3, 3, 3]])
    scores = instance_scores(found, TRUE)  # IoU 3/4 and 2/5
    assert scores["ap 0.50"] == pytest.approx(1 / 3)
    assert scores["ap 0.75"] == 0  # above the threshold, not at it
    assert scores["mean ap"] == pytest.approx(5 / 3 / 10)
    assert scores["f1"] == pytest.approx(1 / 2)
    assert scores["precision"] == scores["recall"] == pytest.approx(1 / 2)
    assert scores["pq"] == pytest.approx(0.75 / 2)
    assert (scores["true"], scores["found"]) == (2, 2)


def test_nothing_and_nothing_found_is_right_and_all_else_is_wrong():
    nothing = np.zeros_like(TRUE)
    assert instance_scores(nothing, nothing)["mean ap"] == 1
    assert instance_scores(nothing, nothing)["pq"] == 1
    assert instance_scores(TRUE, nothing)["ap 0.50"] == 0
    assert instance_scores(nothing, TRUE)["ap 0.50"] == 0


def test_numbers_do_not_matter():
    again = np.where(TRUE == 1, 900_000, TRUE * 5)
    assert instance_scores(again, TRUE)["mean ap"] == 1


def test_an_object_of_which_little_is_known_is_found_all_the_same():
    truth = np.array([[1, 1, -1, -1, -1, -1, 0, 0]])
    found = np.array([[4, 4, 4, 4, 4, 4, 0, 0]])
    scores = instance_scores(found, truth)
    assert (scores["f1"], scores["ap 0.50"]) == (1, 1)


def test_objects_where_nobody_knows_do_not_count():
    truth = np.where(np.arange(10) < 5, TRUE, -1)
    found = np.array([[1, 1, 1, 1, 0, 0, 4, 4, 4, 4]])
    assert instance_scores(found, truth)["mean ap"] == 1
    # The part of an object that is known counts, if it is the larger one.
    truth = np.array([[1, 1, 1, 1, 0, -1, -1, -1]])
    found = np.array([[2, 2, 2, 2, 2, 2, 0, 0]])
    assert instance_scores(found, truth)["ap 0.75"] == 1


def test_one_object_matches_once_below_one_half_too():
    found = np.array([[1, 1, 1, 1, 1, 1, 1, 1, 1, 0]])  # IoU 4/9 with both
    assert matching(overlaps(found, TRUE), 0.4).matched == 1


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.3, 0.5, 0.7]))
def test_most_pairs_are_matched_as_by_assignment(seed, threshold):
    rng = np.random.default_rng(seed)
    true, found = (np.kron(rng.integers(0, 5, (3, 4)), np.ones((2, 3), int)) for _ in range(2))
    found = np.roll(found, 1, 1)
    pairs = overlaps(found, true)
    table = np.zeros((pairs.true, pairs.found))
    table[pairs.rows, pairs.columns] = pairs.iou
    rows, columns = linear_sum_assignment(-(table > threshold).astype(float))
    most = int((table[rows, columns] > threshold).sum())
    assert matching(pairs, threshold).matched == most


def test_shapes_have_to_agree_and_images_count_alike():
    with pytest.raises(ShapeError, match="one shape"):
        overlaps(TRUE, TRUE[:, :3])
    assert mean_scores([{"f1": 1.0}, {"f1": 0.5}]) == {"f1": 0.75}
