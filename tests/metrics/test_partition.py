"""Splits and merges count by the pixels that they concern, and nothing else does."""

import numpy as np
import pytest

from stroma.errors import ShapeError
from stroma.metrics.partition import partition_scores

TRUE = np.array([[1, 1, 1, 1, 0, 2, 2, 2, 2, 0]])


def test_what_is_parted_in_halves_is_split_by_one_bit_and_what_is_joined_merged_by_one():
    split = partition_scores(np.array([[1, 1, 2, 2, 0, 3, 3, 4, 4, 0]]), TRUE)
    assert (split["voi split"], split["voi merge"]) == pytest.approx((1, 0))
    merged = partition_scores(np.ones_like(TRUE), TRUE)
    assert (merged["voi split"], merged["voi merge"]) == pytest.approx((0, 1))
    # Ordered pairs of two pixels in one object: 24 true, 8 in the quarters, 56 in all together.
    assert split["arand"] == pytest.approx(1 - 2 * 8 / (24 + 8))
    assert merged["arand"] == pytest.approx(1 - 2 * 24 / (24 + 56))


def test_numbers_and_what_lies_outside_true_objects_do_not_count():
    found = np.array([[90000, 90000, 90000, 90000, 4, 5, 5, 5, 5, 7]])
    assert partition_scores(found, TRUE) == {"arand": 0, "voi split": 0, "voi merge": 0}
    unknown = np.where(TRUE == 2, -1, TRUE)
    assert partition_scores(np.where(TRUE == 2, 8, found), unknown)["voi split"] == 0
    assert set(partition_scores(found, np.zeros_like(TRUE)).values()) == {0.0}


def test_an_object_that_is_not_found_at_all_is_one_part_and_a_hole_in_one_splits_it():
    missed = partition_scores(np.where(TRUE == 2, 0, TRUE), TRUE)
    assert missed["arand"] == missed["voi split"] == 0
    hole = TRUE.copy()
    hole[0, 1:3] = 0
    assert partition_scores(hole, TRUE)["voi split"] == pytest.approx(0.5)


def test_large_numbers_take_no_memory_and_objects_of_one_pixel_have_scores():
    large = np.where(TRUE == 2, 2**50, TRUE)  # a table with a row for each would not fit
    assert set(partition_scores(large, large).values()) == {0.0}
    assert partition_scores(np.ones_like(TRUE), large)["voi merge"] == pytest.approx(1)
    specks = np.array([[1, 0, 2, 0, 3]])
    assert set(partition_scores(specks, specks).values()) == {0.0}
    assert partition_scores(specks > 0, specks)["arand"] == 1


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match="one shape"):
        partition_scores(TRUE, TRUE[:, 1:])
