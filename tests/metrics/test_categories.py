import pytest

from stroma.metrics.categories import category_scores


def test_a_rare_class_counts_as_much_as_a_common_one():
    found, truth = [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 2, 2]
    scores = category_scores(found, truth, labels=(1, 2, 3))
    assert scores == pytest.approx(
        {"balanced accuracy": 0.5, "accuracy": 4 / 6, "recall 1": 1.0, "recall 2": 0.0}
    )


def test_images_that_nobody_knows_do_not_count():
    scores = category_scores([1, 2], [1, -1], labels=(1, 2))
    assert scores == {"balanced accuracy": 1.0, "accuracy": 1.0, "recall 1": 1.0}
    assert category_scores([1], [-1], labels=(1, 2))["accuracy"] == 0.0
