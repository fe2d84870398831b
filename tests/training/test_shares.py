"""Labels that are not sure: how likely classes are is learned, and how much a pixel counts."""

from dataclasses import replace

import numpy as np
import pytest
from tests.training.conftest import SMALL, scene

from stroma.data.image import Image
from stroma.errors import ShapeError
from stroma.targets.contract import Facts
from stroma.targets.semantic import Semantic
from stroma.training.feeding.augment import NONE
from stroma.training.feeding.cases import UNKNOWN
from stroma.training.feeding.crop import cropped_cases
from stroma.training.feeding.data import cases_of, fingerprint
from stroma.training.feeding.patches import Patches
from stroma.training.feeding.resample import on_pixels_of
from stroma.training.feeding.shares import Shares
from stroma.training.learning.learner import Learner
from stroma.training.learning.task import Task

IMAGE, LABELS = scene()


def guesses(labels, *, sure, weight=1.0):
    """Return shares of the classes 1 and 2, where the first is 1 and elsewhere."""
    first = np.where(labels == 1, sure, 1 - sure) * weight
    return Shares((1, 2), np.stack([first, weight - first]).astype(np.float16))


def test_the_most_likely_class_is_the_label_and_what_nobody_knows_is_unknown():
    said = guesses(LABELS, sure=0.75).within(np.arange(64) < 40)
    [case] = cases_of(IMAGE, said)
    assert (case.labels[:, 40:] == UNKNOWN).all()
    assert np.array_equal(case.labels[:, :40] == 1, LABELS[:, :40] == 1)
    assert set(np.unique(case.labels)) == {UNKNOWN, 1, 2}


def test_a_patch_is_told_how_likely_classes_are_and_how_much_its_pixels_count():
    painted = np.where(np.arange(64)[:, None] < 20, np.float16(1), np.float16(0.25))
    said = guesses(LABELS, sure=0.75)
    said = replace(said, values=said.values * painted)
    cases = cases_of(IMAGE, said)
    target = Semantic.made_for(Facts(2, {1: 1, 2: 1}))
    task = Learner(**SMALL).task(IMAGE, said)
    found = Patches(cases, target, task.scale, (64, 64), 1, NONE).patch(0)[1]
    assert found.values[0] == pytest.approx(np.where(LABELS == 1, 0.75, 0.25), abs=1e-3)
    assert found.values.sum(0) == pytest.approx(np.ones((64, 64)), abs=1e-3)
    assert found.known[0] == pytest.approx(np.broadcast_to(painted, (64, 64)), abs=1e-3)


def test_beyond_the_image_and_the_part_that_may_be_used_nothing_is_known():
    [case] = cases_of(IMAGE, guesses(LABELS, sure=1.0))
    part = replace(case, allowed=(slice(0, 64), slice(0, 30)))
    found = part.shared((slice(-8, 24), slice(16, 48)), (2, 1, 9))
    assert not found[:, :8].any()
    assert not found[:, :, 14:].any()
    assert not found[2].any()
    assert np.array_equal(found[1, 8:, :14], LABELS[:24, 16:30] == 1)


def test_planes_of_a_stack_have_shares_of_their_own():
    stack, labels = np.stack([IMAGE] * 2), np.stack([LABELS, 1 - LABELS])
    every = cases_of(Image(stack, "zyx"), guesses(labels, sure=1.0))
    for case, plane in zip(every, labels, strict=True):
        assert np.array_equal(case.shares.values[0], plane == 1)


def test_a_region_leaves_nothing_known_outside_of_it():
    region = np.zeros_like(LABELS)
    region[:30] = 1
    [case] = cases_of(IMAGE, guesses(LABELS, sure=0.75), regions=[region])
    assert not case.shares.values[:, 30:].any()
    assert case.shares.values[:, :30].any(0).all()


def test_shares_follow_their_image_to_other_pixels_and_into_a_crop():
    image = np.pad(IMAGE, 32)
    labels = np.pad(LABELS, 32)
    opened = Image(image, "yx", spacing={"y": 1.0, "x": 1.0}, unit="µm")
    cases = cases_of(opened, guesses(labels, sure=1.0))
    [coarse] = on_pixels_of(cases, (2.0, 2.0), "µm")
    assert coarse.shares.shape == coarse.labels.shape == (64, 64)
    assert coarse.shares.values.sum(0) == pytest.approx(np.ones((64, 64)), abs=2e-3)
    inside = replace(cases[0], labels=np.where(labels == 1, 1, 0).astype(np.int32))
    [crop], _ = cropped_cases([inside])
    assert crop.shares.shape == (64, 64)
    assert np.array_equal(crop.shares.values[0], LABELS == 1)


def test_a_network_follows_what_is_painted_where_guesses_tell_nothing(scenes):
    images, labels = zip(*scenes[:4], strict=True)
    rng = np.random.default_rng(0)
    every = []
    for one in labels:
        painted = rng.random(one.shape) < 0.1
        known, unsure = guesses(one, sure=1.0), guesses(one, sure=0.5, weight=1 / 30)
        every.append(replace(known, values=np.where(painted, known.values, unsure.values)))
    network = Learner(steps=80, **SMALL).fit(list(images), every)
    assert network.about.training["scores"] == pytest.approx(
        {k: v for k, v in network.history_[-1].items() if k in network.about.training["scores"]}
    )
    image, truth = scenes[5]
    found = network.segment(image) == 1
    assert (found & (truth == 1)).sum() / (found | (truth == 1)).sum() > 0.7


def test_all_images_are_learned_from_where_labels_are_guesses(scenes):
    images, labels = zip(*scenes[:5], strict=True)
    task = Learner(**SMALL).task(list(images), [guesses(one, sure=0.9) for one in labels])
    learned, kept = task.parts()
    assert len(learned) == len(kept) == 5
    assert task.latest
    sure = Learner(**SMALL).task(list(images), list(labels))
    assert len(sure.parts()[0]) == 4
    assert not sure.latest


def test_every_fold_learns_from_all_guesses(scenes, monkeypatch):
    images, labels = zip(*scenes[:4], strict=True)
    seen = []
    run = Task.run

    def watched(self, *, parts=None, **how):
        seen.append(tuple(map(len, parts)))
        return run(self, parts=parts, **how)

    monkeypatch.setattr(Task, "run", watched)
    learner = Learner(steps=1, folds=2, **SMALL)
    network = learner.fit(list(images), [guesses(one, sure=0.9) for one in labels])
    assert seen == [(4, 4)] * 2
    assert network.about.members == 2


def test_a_training_is_another_one_with_other_shares():
    names = [fingerprint(cases_of(IMAGE, guesses(LABELS, sure=s))) for s in (0.7, 0.8)]
    assert names[0] != names[1]


def test_shares_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"3 classes .labels., 2 shares"):
        Shares((1, 2, 3), np.zeros((2, 4, 4), np.float16))
    with pytest.raises(ShapeError, match=r"64, 64. pixels, its labels have .50, 64."):
        cases_of(Image(IMAGE, "yx"), guesses(LABELS[:50], sure=1.0))


def test_what_is_ignored_is_of_no_weight_where_it_is_the_most_likely():
    said = guesses(LABELS, sure=0.75)
    [case] = cases_of(IMAGE, said, ignore=(2,))
    assert np.array_equal(case.labels == UNKNOWN, LABELS != 1)
    assert np.array_equal(case.shares.values.any(0), LABELS == 1)
