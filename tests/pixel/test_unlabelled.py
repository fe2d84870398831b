"""Classes without strokes: found on a sample, the same in all images."""

from __future__ import annotations

import numpy as np
import pytest

from stroma import ConvpaintModel
from stroma.errors import ImageError, ParameterError
from stroma.features.cache import FeatureCache
from stroma.pixel.door import open_image
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.training.joining import joined, joined_within
from stroma.pixel.training.unlabelled import WINDOW, clustered, groups, sampled


def phases(rng: int = 0, shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of three grey phases, and which is where (0, 1, 2)."""
    random = np.random.default_rng(rng)
    truth = (np.indices((60, 90))[1] + shift) // 30 % 3
    return (truth * 60 + random.normal(0, 6, truth.shape)).astype(np.float32), truth


def matches(labels: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of pixels whose class is the commonest one of their phase."""
    return sum(np.bincount(labels[truth == k]).max() for k in range(3)) / truth.size


def test_groups_are_those_that_rows_fall_into() -> None:
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 200)
    X = np.array([[0, 0], [9, 0], [0, 9]])[truth] + random.normal(0, 1, (600, 2))
    found = groups(X.astype(np.float32), classes=3)
    assert matches(found, truth) == 1
    assert set(found) == {1, 2, 3}
    assert np.array_equal(found, groups(X.astype(np.float32), classes=3))


def spread(X: np.ndarray, labels: np.ndarray) -> float:
    """Return the sum of squared distances of rows from the middle of their group."""
    parts = (X[labels == g] for g in np.unique(labels))
    return sum(np.square(part - part.mean(axis=0)).sum() for part in parts)


def test_groups_are_joined_by_which_rows_are_least_apart_however_large_they_are() -> None:
    random = np.random.default_rng(0)
    few = np.repeat(np.arange(8), random.integers(1, 40, 8))
    X = random.normal(0, 3, (8, 2))[few] + random.normal(0, 0.1, (len(few), 2))
    centres = np.stack([X[few == g].mean(axis=0) for g in range(8)])
    members = np.arange(8)
    for wanted in range(7, 1, -1):
        pairs = [(a, b) for b in np.unique(members) for a in np.unique(members) if a < b]
        tried = [np.where(members == b, a, members) for a, b in pairs]
        members = min(tried, key=lambda m: spread(X, m[few]))
        found = joined(centres, np.bincount(few), wanted)
        assert len(set(zip(members, found, strict=True))) == len(set(found)) == wanted


def farthest(members: np.ndarray, centres: np.ndarray) -> list[float]:
    """Return how far apart the two middles of every joined group are that are furthest apart."""
    parts = [centres[members == g] for g in np.unique(members)]
    return [np.linalg.norm(p[:, None] - p[None], axis=-1).max() for p in parts]


def test_groups_are_joined_by_their_furthest_middles_whatever_their_size() -> None:
    random = np.random.default_rng(3)
    centres = random.normal(0, 3, (8, 2))
    members = np.arange(8)
    for wanted in range(7, 1, -1):
        pairs = [(a, b) for b in np.unique(members) for a in np.unique(members) if a < b]
        tried = [np.where(members == b, a, members) for a, b in pairs]
        # The pair whose own furthest middles are nearest; others stay as they are.
        members = min(
            tried, key=lambda m: max(set(farthest(m, centres)) - set(farthest(members, centres)))
        )
        for sizes in (np.ones(8, int), random.integers(1, 99, 8)):
            found = joined(centres, sizes, wanted, by="complete")
            assert len(set(zip(members, found, strict=True))) == len(set(found)) == wanted
    near = joined_within(centres, np.ones(8, int), 5.0)
    assert max(farthest(near, centres)) < 5
    apart = [near == g for g in np.unique(near)]
    between = [np.vstack([centres[a], centres[b]]) for a in apart for b in apart if a is not b]
    assert min(max(farthest(np.zeros(len(c), int), c)) for c in between) >= 5
    assert set(joined_within(centres, np.ones(8, int), 99.0)) == {0, 1}
    with pytest.raises(ParameterError, match="no way 'single' to join groups"):
        joined(centres, np.ones(8, int), 2, by="single")


def test_a_few_odd_rows_are_a_class_only_where_size_does_not_count() -> None:
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(0, 1, (1000, 2)), random.normal((6, 0), 1, (1000, 2))])
    X[:3] = (15, 15)
    few = {
        by: min(np.bincount(groups(X.astype(np.float32), classes=2, join=by))[1:])
        for by in ("ward", "complete")
    }
    assert few["ward"] > 900
    assert few["complete"] == 3


def test_a_few_rows_unlike_all_others_are_no_class() -> None:
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 1000)
    X = np.array([[0, 0], [9, 0], [0, 9]])[truth] + random.normal(0, 1, (3000, 2))
    X[:3] = (25, 25)
    assert matches(groups(X.astype(np.float32), classes=3)[3:], truth[3:]) > 0.99


def test_images_are_segmented_into_classes_without_strokes() -> None:
    image, truth = phases()
    model = ConvpaintModel("gaussian")
    model.cluster(image, classes=3, samples=2000)
    assert matches(model.segment(image), truth) > 0.95
    assert [c.label for c in model.classes] == [1, 2, 3]


class Counting:
    """Takes rows, and remembers how many of each class."""

    def fit(self, X, y):
        self.counts = dict(zip(*np.unique(y, return_counts=True), strict=True))
        self.classes_ = np.unique(y)
        return self


@pytest.mark.parametrize("cap", [50_000, 20])
def test_a_classifier_is_fitted_to_a_part_of_the_groups(monkeypatch, cap) -> None:
    taught = Counting()
    monkeypatch.setattr(
        "stroma.pixel.learning.unfitted", lambda *args, **kwargs: ("forest", taught)
    )
    monkeypatch.setattr("stroma.pixel.learning.GROUPED", 150)
    image, _ = phases()
    model = ConvpaintModel("gaussian")
    model.set_params(clf_max_pixels=cap)
    model.cluster(image, classes=3, samples=2000)
    assert taught.counts == dict.fromkeys((1, 2, 3), min(cap, 50))
    front = model.separate(image, samples=2000)
    count = len(taught.counts)
    assert front
    assert max(taught.counts.values()) == min(cap, 150 // count)


def test_a_class_is_the_same_in_all_images_and_after_saving(tmp_path) -> None:
    (first, truth), (second, moved) = phases(0), phases(1, shift=30)
    model = ConvpaintModel("gaussian")
    model.cluster([first, second], classes=3, samples=2000)
    model.save(tmp_path / "groups.pkl")
    again = ConvpaintModel(model_path=tmp_path / "groups.pkl")
    both = np.concatenate([again.segment(first), again.segment(second)])
    assert matches(both, np.concatenate([truth, moved])) > 0.95


def test_pixels_are_taken_from_windows_all_over_the_image() -> None:
    stack = open_image(np.zeros((3, 700, 900), np.uint8), "single")
    points = sampled(stack, count=5000, random=np.random.default_rng(0))
    assert len(np.unique(points.plane)) == 3
    assert points.yx.min() >= 0
    assert (points.yx.max(axis=0) < (700, 900)).all()
    spread = np.ptp(points.yx, axis=0)
    assert (spread > (700 - 2 * WINDOW, 900 - 2 * WINDOW)).all()
    small = sampled(
        open_image(np.zeros((5, 4)), "single"), count=500, random=np.random.default_rng(0)
    )
    assert len(small.label) == 20


def test_a_failed_call_leaves_the_model_as_it_was() -> None:
    image, _ = phases()
    model = ConvpaintModel("gaussian")
    model.cluster(image, classes=3, samples=2000)
    before = model.segment(image)
    with pytest.raises(ImageError, match=r"too little in it for 3 classes.*fewer classes"):
        model.cluster(np.zeros((20, 20)), classes=3)
    with pytest.raises(ParameterError, match="2 to 64, got 1"):
        model.cluster(image, classes=1)
    assert np.array_equal(model.segment(image), before)
    assert len(model.classes) == 3


def test_samples_of_a_reduced_image_are_pixels_of_the_image():
    image = np.zeros((60, 64), np.float32)
    image[:, 32:] = 5
    image += np.random.default_rng(0).normal(size=image.shape) * 0.1
    param = ConvpaintModel("gaussian").get_params()
    param.image_downsample = 2
    source = {"a": open_image(image, "single")}
    found = clustered(source, Recipe.of(param), classes=2, samples=500, cache=FeatureCache(0))[
        "a"
    ].points
    assert found.yx[:, 1].max() > 40
    bright = found.yx[:, 1] >= 40
    assert (found.label[bright] == 2).all() or (found.label[bright] == 1).all()
    dark = found.yx[:, 1] < 24
    assert set(found.label[dark]) & set(found.label[bright]) == set()


def test_a_way_to_join_that_there_is_not_is_refused_before_images_are_opened(tmp_path) -> None:
    with pytest.raises(ParameterError, match="Use join='ward' or join='complete'"):
        ConvpaintModel("gaussian").cluster(tmp_path / "none.tif", join="wards")
