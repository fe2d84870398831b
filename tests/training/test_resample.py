"""Images whose pixels have another size are learned from, and predicted, on pixels of one size."""

import numpy as np
import pytest
from tests.training.conftest import SMALL, scene

from random_network import random_network
from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.training.feeding.cases import Case
from stroma.training.feeding.resample import Grid, grid_for, on_pixels_of
from stroma.training.learning.learner import Learner
from stroma.training.predicting import predict


def spaced(values, size, axes="yx"):
    return Image(values, axes, dict.fromkeys(axes, size), "µm")


def smooth(shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (np.sin((y + 0.5) / shape[0] * 5) + np.cos((x + 0.5) / shape[1] * 4)).astype(np.float32)


@pytest.mark.parametrize("new", [(80, 30), (30, 60)])
def test_smooth_values_are_where_they_were(new):
    old = (50, 40)
    grid = Grid(old, new, (False, False))
    found = grid.read(lambda box: smooth(old)[box], (slice(0, new[0]), slice(0, new[1])), order=3)
    assert np.abs(found - smooth(new))[2:-2, 2:-2].max() < 0.01


def test_a_box_is_what_the_whole_has_there():
    values = np.random.default_rng(0).normal(size=(60, 50)).astype(np.float32)
    grid = Grid((60, 50), (90, 35), (False, False))
    whole = grid.read(lambda box: values[box], (slice(0, 90), slice(0, 35)), order=3)
    part = grid.read(lambda box: values[box], (slice(40, 50), slice(3, 20)), order=3)
    np.testing.assert_allclose(part, whole[40:50, 3:20], atol=1e-5)


def test_thick_planes_are_taken_whole():
    grid = Grid.of((4, 20, 20), (8.0, 1.0, 1.0), (4.0, 0.5, 0.5))
    assert grid == Grid((4, 20, 20), (8, 40, 40), (True, False, False))
    values = np.arange(4.0)[:, None, None] * np.ones((4, 20, 20))
    everything = tuple(slice(0, n) for n in grid.new)
    found = grid.read(lambda box: values[box], everything, order=3)
    np.testing.assert_allclose(found[:, 5, 5], np.repeat(np.arange(4), 2), atol=1e-5)


def test_sizes_that_are_alike_change_nothing_and_wrong_ones_are_an_error():
    assert grid_for((9, 9), (1.0, 1.0), (1.02, 1.0), "a") is None
    assert grid_for((9, 9), None, (1.0, 1.0), "a") is None
    with pytest.raises(ParameterError, match=r"a are 1 x 1 in size.*100 x 100"):
        grid_for((9, 9), (1.0, 1.0), (100.0, 100.0), "a")


def test_a_new_pixel_has_the_class_of_its_larger_part():
    labels = np.zeros((9, 9), np.int32)
    labels[:, 4:] = 1
    case = Case("a", spaced(np.zeros((9, 9), np.float32), 1.0), 2, labels)
    [found] = on_pixels_of([case], (1.0, 1.5), "µm")
    assert found.labels.tolist() == [[0, 0, 0, 1, 1, 1]] * 9


def test_images_of_several_sizes_are_learned_from_on_one(tmp_path):
    images, labels = zip(*[scene(n) for n in range(5)], strict=True)
    given = [spaced(one, 0.5) for one in images[:4]]
    given.append(spaced(np.kron(images[4], np.ones((2, 2), np.float32)), 0.25))
    known = [*labels[:4], np.kron(labels[4], np.ones((2, 2), np.uint8))]
    task = Learner(**SMALL, steps=2).task(given, known)
    assert {case.shape for case in task.cases} == {(64, 64)}
    assert (task.cases[4].labels == labels[4]).mean() > 0.99
    network = Learner(**SMALL, steps=2).fit(given, known)
    assert network.about.spacing == (0.5, 0.5)
    assert network.segment(given[4]).shape == (128, 128)
    plain = Learner(**SMALL, resample=False).task(given, known)
    assert {case.shape for case in plain.cases} == {(64, 64), (128, 128)}


def test_predictions_on_other_pixels_do_not_depend_on_blocks(monkeypatch):
    network = random_network(spacing=(0.5, 0.5), unit="µm")
    values = np.random.default_rng(0).normal(100, 20, (70, 90)).astype(np.float32)
    image = Image(values, "yx", {"y": 350, "x": 350}, "nm")
    whole = network.predict_probas(image)
    assert whole.shape == (3, 70, 90)
    assert np.abs(whole - network.predict_probas(values)).max() > 0.01
    assert network.fingerprint() != random_network().fingerprint()
    monkeypatch.setitem(predict.SIDE, 2, (24, 32))
    np.testing.assert_allclose(network.predict_probas(image), whole, atol=1e-4)


def test_thick_stacks_are_predicted_too():
    network = random_network(ndim=3, spacing=(1.0, 0.5, 0.5), unit="µm")
    values = np.random.default_rng(0).normal(100, 20, (5, 24, 30)).astype(np.float32)
    image = Image(values, "zyx", {"z": 2.0, "y": 0.25, "x": 0.25}, "µm")
    assert network.segment(image).shape == (5, 24, 30)
