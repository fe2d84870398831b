"""Stamps as wide as the boxes they are on."""

import numpy as np
import pytest

from stroma.targets.contract import Facts
from stroma.targets.counts import Counts, middles_of
from stroma.targets.membranes import Membranes


def test_stamps_are_as_wide_as_their_boxes():
    labels = np.zeros((60, 90), np.int32)
    labels[10:31, 10:31] = 1
    labels[20:25, 60:81] = 2
    stamp = Counts(share=0.2).encode(labels, shape=labels.shape).values[0]
    assert stamp[20, 20] == stamp[22, 70] == 1
    # One width (a fifth of the side, 4.2) from the middle, and two widths of 1 along y.
    assert stamp[20, 24] == pytest.approx(np.exp(-((4 / 4.2) ** 2) / 2))
    assert stamp[24, 70] == pytest.approx(np.exp(-2.0))
    assert not stamp[40:].any()


def test_points_are_the_middles_of_objects_that_touch_and_of_all_sizes():
    labels = np.zeros((60, 90), np.int32)
    labels[10:40, 10:40], labels[10:40, 40:50], labels[50:53, 80:83] = 1, 2, 3
    target = Counts.made_for(Facts(2, {}, (), (3.0, 10.0, 30.0)))
    assert target.radius == 5
    found = target.decode(target.encode(labels, shape=labels.shape).values)
    assert len(found) == 3
    assert target.score([found], [labels])["f1"] == 1
    assert target.score([found[:2]], [labels])["count error"] == pytest.approx(1 / 3)


def test_points_where_nobody_knows_do_not_count():
    labels = np.zeros((20, 20), np.int32)
    labels[2:7, 2:7] = 1
    labels[:, 10:] = -1
    found = np.array([[4.0, 4.0, 0.9], [10.0, 15.0, 0.8]])
    assert Counts().score([found], [labels])["precision"] == 1
    assert middles_of(labels).tolist() == [[4, 4]]


def test_a_membrane_a_pixel_away_agrees_and_one_farther_does_not():
    truth = np.zeros((30, 30), np.int32)
    truth[10] = 1
    target = Membranes((0, 1))
    for shift, score in ((1, 1.0), (3, 0.0)):
        scores = target.score([np.roll(truth, shift, 0)], [truth])
        assert next(iter(scores.items())) == ("surface dice", score)
    unknown = np.where(np.indices(truth.shape)[0] > 11, -1, truth)
    both = np.where(np.indices(truth.shape)[0] == 20, 1, truth)
    assert target.score([both], [unknown])["surface dice"] == 1
