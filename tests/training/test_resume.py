"""A training that was cut off goes on where it was, and ends as one that was not."""

import csv

import pytest
import torch
from tests.training.conftest import SMALL

from stroma.errors import Cancelled, FormatError, ParameterError
from stroma.training.learning.examination import Examination
from stroma.training.learning.learner import Learner

STEPS = 30


def fit(scenes, **how):
    images, labels = zip(*scenes[:5], strict=True)
    return Learner(steps=STEPS, **SMALL).fit(list(images), list(labels), **how)


def killed_at(step):
    """Return a cancel that comes after so many steps."""
    asked = []
    return lambda: asked.append(1) or len(asked) > step


def test_a_killed_training_ends_as_if_it_had_not_been(scenes, tmp_path):
    whole = fit(scenes)
    for step in (7, 12):
        with pytest.raises(Cancelled):
            fit(scenes, folder=tmp_path, cancel=killed_at(step))
    assert (tmp_path / "checkpoint.safetensors").exists()
    resumed = fit(scenes, folder=tmp_path)
    for name, tensor in whole.module.state_dict().items():
        assert torch.equal(tensor, resumed.module.state_dict()[name]), name
    plain = [{k: v for k, v in r.items() if k != "seconds"} for r in whole.history_]
    again = [{k: v for k, v in r.items() if k != "seconds"} for r in resumed.history_]
    assert plain == again
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_another_training_does_not_go_on_with_it(scenes, tmp_path):
    with pytest.raises(Cancelled):
        fit(scenes, folder=tmp_path, cancel=killed_at(5))
    images, labels = zip(*scenes[:5], strict=True)
    other = Learner(steps=STEPS, seed=1, **SMALL)
    with pytest.raises(ParameterError, match="other data or settings"):
        other.fit(list(images), list(labels), folder=tmp_path)
    assert other.fit(list(images), list(labels), folder=tmp_path, overwrite=True)


def test_a_damaged_state_is_told(scenes, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="Delete it to start over"):
        fit(scenes, folder=tmp_path)


def test_a_training_leaves_history_curves_and_pictures(scenes, tmp_path, monkeypatch):
    looked = []
    real = Examination.prediction

    def prediction(self, module, case):
        looked.append(case)
        return real(self, module, case)

    monkeypatch.setattr(Examination, "prediction", prediction)
    network = fit(scenes, folder=tmp_path)
    # One image of five is kept for validation, and looked at once a round.
    assert len(looked) == len(network.history_)
    with (tmp_path / "history.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(r["step"]) for r in rows] == [r["step"] for r in network.history_]
    assert float(rows[-1]["loss"]) == pytest.approx(network.history_[-1]["loss"])
    for name in ("curves.png", "validation.png"):
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"


def test_progress_counts_up_to_the_end(scenes):
    told = []
    network = fit(scenes, tell=told.append)
    assert [t.step for t in told] == list(range(1, STEPS + 1))
    assert told[-1].seconds_left == 0
    assert told[0].score is None
    assert told[-1].score == network.history_[-1]["mean iou"]
    assert {t.steps for t in told} == {STEPS}


def test_steps_are_planned_by_the_time_there_is(scenes):
    images, labels = zip(*scenes[:5], strict=True)
    network = Learner(minutes=0.05, **SMALL).fit(list(images), list(labels))
    assert network.about.training["steps"] >= 1
    assert network.history_
