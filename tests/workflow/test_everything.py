"""All objects of an image, without clicks."""

import numpy as np
import pytest
from tests.prompts.test_engines import ellipses, overlap

import stroma
from stroma.errors import Cancelled, ParameterError
from stroma.prompts.everything import Everything, Found, apart, everything, grid, painted
from stroma.prompts.graph import Graph
from stroma.workflow.prompting.everything import find_everything


class OneAtATime:
    """The engine that needs no download, without what it has for many clicks at once."""

    axes = ("yx",)
    key = "one"

    def __init__(self):
        self._inner = Graph()
        self.asked = 0

    def set_image(self, image, *, rgb=False):
        self._inner.set_image(image, rgb=rgb)

    def predict(self, **prompts):
        self.asked += 1
        return self._inner.predict(**prompts)

    def embedding(self):
        return self._inner.embedding()

    def set_embedding(self, embedding):
        self._inner.set_embedding(embedding)


def found_of(labels, truth):
    """Return how well each true object is found by the best of those that were found."""
    numbers = range(1, labels.max() + 1)
    return [
        max((overlap(labels == k, truth == n) for k in numbers), default=0)
        for n in range(1, truth.max() + 1)
    ]


def test_all_objects_are_found_without_clicks():
    image, truth = ellipses()
    labels = find_everything(image[0])
    found = found_of(labels, truth)
    assert np.mean(np.array(found) > 0.7) >= 0.9, np.round(found, 2)
    assert labels.max() <= 1.5 * truth.max()


def test_an_engine_that_takes_one_click_at_a_time_is_asked_at_the_grid():
    image, truth = ellipses((48, 48), 2)
    engine = OneAtATime()
    engine.set_image(image)
    labels = everything(engine, (48, 48), how=Everything(points=5, score=0.7))
    assert np.mean(np.array(found_of(labels, truth)) > 0.7) >= 0.5
    assert 2 < engine.asked < 3 * 25


def test_objects_across_parts_are_one():
    image, truth = ellipses((64, 128), 7)
    labels = find_everything(image[0], tile=64, halo=24)
    found = found_of(labels, truth)
    crossing = [n for n in np.unique(truth[:, 60:68]) if n and (truth[:, 64:] == n).any()]
    assert len(crossing) > 0
    assert all(found[n - 1] > 0.7 for n in crossing), np.round(found, 2)


def test_planes_of_a_stack_are_looked_at_each_on_its_own():
    image, _ = ellipses((64, 64), 4)
    told = []
    stack = stroma.Image(np.stack([image[0], image[0]]), "zyx")
    labels = find_everything(stack, progress=lambda done, of: told.append((done, of)))
    np.testing.assert_array_equal(labels[0] > 0, labels[1] > 0)
    assert labels[1][labels[1] > 0].min() == labels[0].max() + 1
    assert labels[0].max() >= 3
    assert told[-1] == (2, 2)


def test_looking_for_everything_can_be_cancelled():
    image, _ = ellipses((64, 64), 4)
    with pytest.raises(Cancelled):
        find_everything(image[0], cancelled=lambda: True)


def test_a_grid_is_as_fine_along_both_sides():
    points = grid((50, 100), 10)
    assert len(points) == 50
    assert np.unique(points[:, 0]).tolist() == [4.5, 14.5, 24.5, 34.5, 44.5]


def test_of_masks_that_overlap_the_better_one_stays():
    square = np.ones((10, 10), bool)
    better, worse = Found((5, 5), square, 0.9, 1.0), Found((6, 5), square, 0.8, 1.0)
    beside = Found((5, 12), square, 0.7, 1.0)
    kept = apart([worse, better, beside], 0.7)
    assert kept == [better, beside]
    labels = painted(kept, (30, 30), Everything())
    assert [(labels == n).sum() for n in (1, 2)] == [100, 70]
    assert (painted(kept, (30, 30), Everything(own=0.8)) == 2).sum() == 0


def test_a_mask_that_is_not_stable_at_all_is_the_worst():
    square = np.ones((10, 10), bool)
    lost, steady = Found((5, 5), square, 0.9, 0.0), Found((6, 5), square, 0.5, 0.5)
    assert apart([lost, steady], 0.7) == [steady]
    labels = painted([lost, steady], (30, 30), Everything())
    assert np.argwhere(labels == 1).min(0).tolist() == [6, 5]


@pytest.mark.parametrize(("name", "value"), [("points", 0), ("score", 1.5), ("smallest", 0)])
def test_what_counts_as_an_object_is_checked(name, value):
    with pytest.raises(ParameterError, match=name if name != "points" else "grid"):
        Everything(**{name: value})
