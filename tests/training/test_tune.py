"""Options of decoding are chosen by the score, and used afterwards."""

from typing import ClassVar

import numpy as np
import pytest
from PIL import Image as Picture
from tests.targets.objects import touching

import stroma
from stroma.targets.centres import Centres
from stroma.targets.distances import Distances
from stroma.training.feeding.data import cases_of
from stroma.training.learning.examination import Examination
from stroma.training.learning.learner import Learner
from stroma.training.predicting import tune as tuning
from stroma.training.predicting.tune import held, tune

TARGET = Distances(diameter=18, smallest=20)


def predictions(count, factor):
    """Return faint predictions: nothing is above one half where the factor is below it."""
    truths = [touching((60, 70), radius=0.4, seed=n) for n in range(count)]
    return [factor * TARGET.encode(t, shape=t.shape).values for t in truths], truths


def test_faint_predictions_get_lower_thresholds():
    found, truths = predictions(2, 0.45)
    assert TARGET.score([TARGET.decode(p) for p in found], truths)["ap50"] == 0
    chosen, scores = tune(TARGET, found, truths)
    assert chosen["foreground"] in (0.3, 0.4)
    assert scores["ap50"] > 0.9
    again = TARGET.score([TARGET.decode(p, **chosen) for p in found], truths)
    assert again == scores


def test_defaults_win_where_nothing_is_better():
    found, truths = predictions(1, 1.0)
    chosen, scores = tune(TARGET, found, truths)
    assert chosen == {name: values[0] for name, values in TARGET.tunable.items()}
    assert scores["ap50"] == 1


def test_the_scores_that_a_target_names_decide_together():
    class Named:
        deciding = ("one", "other")
        tunable: ClassVar = {"way": (0, 1)}

        def decode(self, prediction, *, way):
            return way

        def score(self, results, truths):
            return {"one": 0.5 - 0.1 * results[0], "other": 0.2 + 0.3 * results[0]}

    assert tune(Named(), [None], [None]) == ({"way": 1}, {"one": 0.4, "other": 0.5})


def test_options_that_depend_on_each_other_are_found_together():
    """The first is better changed only after the second is."""

    class Dependent:
        tunable: ClassVar = {"first": (0, 1), "second": (0, 1)}

        def decode(self, prediction, *, first, second):
            return {(0, 0): 0.0, (1, 0): -1.0, (0, 1): 1.0, (1, 1): 2.0}[first, second]

        def score(self, results, truths):
            return {"value": results[0]}

    assert tune(Dependent(), [None], [None]) == ({"first": 1, "second": 1}, {"value": 2.0})


class Told:
    """Every way scores as it is told to, image by image."""

    def __init__(self, *ways):
        self.ways = ways
        self.tunable = {"way": tuple(range(len(ways)))}

    def decode(self, prediction, *, way):
        return self.ways[way][prediction]

    def score(self, results, truths):
        return {"value": float(np.mean(results))}

    def tuned(self):
        numbers = range(len(self.ways[0]))
        return tune(self, numbers, numbers)


def test_a_gain_that_may_be_chance_changes_nothing():
    """One image of four gains a lot, the others lose: 0.05 on average, with an error of 0.15."""
    chosen, scores = Told([0.5] * 4, [1.0, 0.4, 0.4, 0.4]).tuned()
    assert chosen == {"way": 0}
    assert scores == {"value": 0.5}


def test_a_smaller_gain_of_every_image_counts():
    chosen, scores = Told([0.1, 0.5, 0.9], [0.12, 0.51, 0.93]).tuned()
    assert chosen == {"way": 1}
    assert scores["value"] == pytest.approx(0.52)


def test_the_best_of_those_that_surely_gain_is_chosen():
    """The last has the highest mean, by chance; the one before it less, but everywhere."""
    ways = [0.5, 0.5, 0.5], [0.6, 0.6, 0.6], [0.7, 0.7, 0.7], [0.2, 0.2, 1.9]
    assert Told(*ways).tuned()[0] == {"way": 2}


def test_of_a_single_image_every_gain_counts():
    assert Told([0.5], [0.51]).tuned()[0] == {"way": 1}


def test_images_where_a_class_is_not_do_not_stop_the_choice_for_classes():
    target = Centres(classes=(1, 2), divisor=10)
    empty = np.zeros((60, 70), np.int32)
    full = np.where(touching((60, 70)) > 0, 10 + touching((60, 70)), 0)
    found = [target.encode(t, shape=t.shape).values for t in (empty, full)]
    assert tune(target, found, [empty, full])[0] == {n: v[0] for n, v in target.tunable.items()}


def test_few_predictions_are_held(monkeypatch):
    monkeypatch.setattr(tuning, "MOST", 10)
    assert len(held(np.zeros((1, 2, 2), np.float32) for _ in range(9))) == 2
    assert len(held(np.zeros((1, 9, 9), np.float32) for _ in range(9))) == 1


@pytest.fixture(scope="module")
def network():
    labels = [touching((48, 50), seed=n) for n in range(4)]
    options = {"target": "distances", "steps": 2, "patch": [32, 32], "device": "cpu"}
    learner = Learner(**options, network_options={"features": [4, 8]})
    return learner.fit([(one > 0).astype(np.float32) for one in labels], labels)


def test_options_are_tuned_by_what_is_predicted_in_use(network):
    image = (touching((48, 50), seed=9) > 0).astype(np.float32)
    cases = cases_of([image], [touching((48, 50), seed=9)], truth="instances")
    about = network.about
    examined = Examination(cases, network.target, about.scale(), about.patch, mirror=True)
    [found] = examined.outcome(network.module).predictions
    np.testing.assert_array_equal(found, network.predict_probas(image, mirror=True))
    assert not np.array_equal(found, network.predict_probas(image, mirror=False))


def test_scores_and_pictures_of_a_training_are_those_of_the_tuned_network(tmp_path, monkeypatch):
    labels = np.zeros((6, 48, 48), np.uint8)
    for n, one in enumerate(labels):
        one[8 + n : 30 + n, 10:36] = 1
    options = {"target": "distances", "steps": 40, "patch": [32, 32], "rate": 1e-2, "device": "cpu"}
    learner = Learner(**options, network_options={"features": [4, 8]})
    monkeypatch.setattr(Distances, "tunable", {"foreground": (1.0,)})  # with it nothing is found
    network = learner.fit(list(labels * np.float32(1)), list(labels), folder=tmp_path)
    assert network.about.training["scores"]["f1"] > 0
    assert set(network.scores_.values()) == {0.0}
    with Picture.open(tmp_path / "validation.png") as shown:
        _, truth, found = np.split(np.asarray(shown)[:48], 3, axis=1)
    assert truth[:, :48].any()
    assert not found[:, :48].any()


def test_what_was_tuned_is_kept_and_used(network, tmp_path):
    said = network.about.training
    assert set(network.decoding_) == {"foreground", "rise", "smallest"}
    assert set(said["tuned scores"]) == {"ap50", "mean ap", "f1", "pq"}
    again = stroma.load(network.save(tmp_path / "m.safetensors"))
    assert again.decoding_ == network.decoding_
    image = (touching((48, 50), seed=9) > 0).astype(np.float32)
    used = network.target.decode(network.predict_probas(image), **network.decoding_)
    assert np.array_equal(again.segment(image), used)
    # Nothing is above 1, so nothing is found: options that are given win.
    assert again.segment(image, foreground=1.0).max() == 0
