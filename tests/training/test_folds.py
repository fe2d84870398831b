"""Several folds as one network; only the largest part of a class, where that is better."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from tests.training.conftest import SMALL, scene

from random_network import random_network
from stroma.data.image import Image
from stroma.errors import Cancelled, FormatError, ParameterError
from stroma.io import read_image, write_image
from stroma.training.feeding.cases import UNKNOWN, Case
from stroma.training.feeding.splits import folds
from stroma.training.learning.learner import Learner
from stroma.training.model import Network
from stroma.training.predicting.components import found_rule, only_largest
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import segment_files

OPTIONS = {**SMALL, "folds": 3, "steps": 2, "network_options": {"features": [2, 4]}}


def cases(count, shape=(12, 30)):
    labels = np.ones(shape, np.int32)
    return [Case(f"c{n}", Image(np.zeros(shape), "yx"), 2, labels) for n in range(count)]


@pytest.mark.parametrize("count", [2, 7])
def test_every_pixel_is_kept_in_one_fold_and_learned_from_in_the_others(count):
    seen = {f"c{n}": np.zeros((12, 30), int) for n in range(count)}
    learned = {name: np.zeros((12, 30), int) for name in seen}
    for parts in folds(cases(count), 3):
        for table, part in zip((learned, seen), parts, strict=True):
            for case in part:
                table[case.name][case.area] += 1
    assert all((table == 1).all() for table in seen.values())
    assert all((table == 2).all() for table in learned.values())


@pytest.mark.parametrize("count", [2, 7])
def test_cases_of_which_nothing_is_known_are_learned_from_in_every_fold(count):
    [unknown] = cases(1)
    bare = replace(unknown, name="bare", labels=np.full_like(unknown.labels, UNKNOWN))
    for learned, kept in folds([bare, *cases(count)], 3):
        assert any(case is bare for case in learned)
        assert all(case.name != "bare" for case in kept)


def test_folds_are_averaged_and_all_of_the_data_is_scored(tmp_path):
    images, labels = zip(*[scene(n) for n in range(6)], strict=True)
    told = []
    learner = Learner(**OPTIONS)
    network = learner.fit(list(images), list(labels), folder=tmp_path / "f", tell=told.append)
    assert len(network.module) == network.about.members == 3
    assert [row["fold"] for row in network.history_] == [1, 1, 2, 2, 3, 3]
    each = network.about.training["folds"]
    mean = np.mean([scores["mean iou"] for scores in each])
    assert network.scores_["mean iou"] == pytest.approx(mean)
    assert (told[-1].step, told[-1].steps) == (6, 6)
    assert told[0].seconds_left == pytest.approx(5 * told[0].seconds_per_step)
    assert network.about.training["settings"]["minutes"] == pytest.approx(learner.minutes)
    alone = [Network(one, network.about).predict_probas(images[0]) for one in network.module]
    together = network.predict_probas(images[0])
    np.testing.assert_allclose(together, np.mean(alone, axis=0), atol=1e-5)
    assert not np.allclose(alone[0], alone[1], atol=1e-3)
    again = Network.load(network.save(tmp_path / "n.safetensors"))
    np.testing.assert_array_equal(again.predict_probas(images[0]), together)


def test_folds_that_are_done_are_not_trained_again(tmp_path):
    images, labels = (list(x) for x in zip(*[scene(n) for n in range(6)], strict=True))
    done = []

    def after_one():
        return len(done) == 3

    with pytest.raises(Cancelled):
        Learner(**OPTIONS).fit(images, labels, folder=tmp_path, tell=done.append, cancel=after_one)
    told = []
    resumed = Learner(**OPTIONS).fit(images, labels, folder=tmp_path, tell=told.append)
    assert [one.step for one in told] == [4, 5, 6]
    whole = Learner(**OPTIONS).fit(images, labels)
    assert resumed.fingerprint() == whole.fingerprint()
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_fold_of_another_training_is_not_taken(tmp_path):
    images, labels = (list(x) for x in zip(*[scene(n) for n in range(4)], strict=True))
    place = tmp_path / "fold_1"
    place.mkdir()
    random_network().save(place / "network.safetensors")
    with pytest.raises(FormatError, match=r"fold_1.*another training"):
        Learner(**OPTIONS).fit(images, labels, folder=tmp_path)


def test_only_the_largest_part_is_kept_of_each_group():
    labels = np.array([[1, 1, 0, 2, 0, 1], [0, 0, 0, 2, 0, 0], [2, 0, 0, 2, 0, 0]])
    column = np.zeros_like(labels)
    column[:, 3] = 2
    np.testing.assert_array_equal(only_largest(labels, ((1, 2),)), column)
    column[0, :2] = 1
    np.testing.assert_array_equal(only_largest(labels, ((1,), (2,))), column)
    assert labels[2, 0] == 2
    corners = np.eye(3, dtype=int)
    np.testing.assert_array_equal(only_largest(corners, ((1,),)), corners)


def test_a_rule_is_taken_where_the_mean_rises_and_no_class_falls():
    truth = np.zeros((8, 20), int)
    truth[2:6, 2:8], truth[2:6, 11:13], truth[2:6, 16:18] = 1, 2, 2
    result = truth.copy()
    result[0, 19] = 1
    assert found_rule([result], [truth], (0, 1, 2)) == ((1,),)
    assert found_rule([truth], [truth], (0, 1, 2)) == ()
    unknown = np.where(result != truth, -1, truth)
    assert found_rule([result], [unknown], (0, 1, 2)) == ()


def test_a_rule_that_costs_a_class_a_part_is_not_taken_however_much_another_gains():
    truth = np.zeros((8, 20), int)
    truth[2:6, 2:8], truth[2:6, 8:13], truth[2:6, 17] = 1, 2, 2
    result = truth.copy()
    result[7] = 1
    assert found_rule([result], [truth], (0, 1, 2)) == ((1,),)


def test_a_network_with_a_rule_keeps_the_largest_part_in_memory_and_in_files(tmp_path):
    network = random_network()
    network.about.training["largest"] = [[1]]
    image = np.random.default_rng(0).normal(100, 20, (40, 50)).astype(np.float32)
    plain = random_network().segment(image)
    wanted = only_largest(plain, ((1,),))
    assert (wanted != plain).any()
    assert network.fingerprint() != random_network().fingerprint()
    np.testing.assert_array_equal(network.segment(image), wanted)
    path = write_image(tmp_path / "a.tif", image, axes="yx")
    done = segment_files(network, [path], tmp_path / "out")
    np.testing.assert_array_equal(read_image(done.files[0].outputs[0]).read(), wanted)
    refused = segment_files(network, [path], tmp_path / "z", outputs=Outputs(format=".zarr"))
    assert "largest part" in str(refused.failed[0].error)


def test_mirror_images_are_averaged_in_files_too(tmp_path):
    network = random_network()
    image = np.random.default_rng(0).normal(100, 20, (40, 50)).astype(np.float32)
    path = write_image(tmp_path / "a.tif", image, axes="yx")
    wanted = network.segment(image, mirror=True)
    assert (wanted != network.segment(image)).any()
    done = segment_files(network, [path], tmp_path / "out", outputs=Outputs(mirror=True))
    np.testing.assert_array_equal(read_image(done.files[0].outputs[0]).read(), wanted)


def test_the_rule_is_for_classes(scenes):
    image, mask = scenes[0]
    labels, _ = ndimage.label(mask)
    with pytest.raises(ParameterError, match="largest part of classes"):
        Learner(target="distances", largest=True).task(image, labels)
