import pytest

from stroma.metrics.categories import category_scores
from stroma.metrics.shared import by_name


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


def test_scores_of_classes_end_in_their_names_where_these_are_known():
    scores = {"recall 1": 1.0, "semantic iou 2": 0.5, "iou 3": 0.1, "ap 0.50": 0.2, "f1": 0.3}
    named = by_name(scores, {1: "2", 2: "nucleus"})
    assert named == {"recall 2": 1.0, "semantic iou nucleus": 0.5} | {
        name: scores[name] for name in ("iou 3", "ap 0.50", "f1")
    }


def test_classes_of_one_name_keep_their_scores_apart():
    scores = {"iou 1": 0.25, "iou 2": 0.75, "iou 3": 0.5}
    named = by_name(scores, {1: "cell", 2: "cell", 3: "edge", 4: "edge"})
    assert named == {"iou cell (1)": 0.25, "iou cell (2)": 0.75, "iou edge": 0.5}
