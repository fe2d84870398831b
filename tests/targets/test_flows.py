"""Arrows lead to the middle of objects, and those that do not make none."""

import numpy as np
import pytest
from tests.targets.objects import touching
from tests.training.test_stitch import stitched

from stroma.errors import ShapeError
from stroma.metrics.instances import instance_scores
from stroma.targets.contract import Facts
from stroma.targets.flows import Flows, flows_of


def test_arrows_have_length_one_and_point_to_the_middle():
    labels = np.zeros((21, 25), np.int32)
    labels[3:18, 4:23] = 7
    down, along = flows_of(labels)
    inside = np.hypot(down, along)[labels > 0].reshape(15, 19)
    assert inside[7, 9] == 0
    assert np.delete(inside.ravel(), 7 * 19 + 9) == pytest.approx(1)
    assert (down[3:10, 13] == 1).all()
    assert (down[11:18, 13] == -1).all()
    assert (along[10, 4:13] == 1).all()
    assert not np.hypot(down, along)[labels == 0].any()


@pytest.mark.parametrize("steps", [1, 1000])
def test_objects_in_two_parts_and_of_one_pixel_have_finite_arrows(steps):
    labels = np.zeros((12, 40), np.int32)
    labels[2:6, 2:6] = labels[2:6, 30:34] = 1_000_000 * steps
    labels[9, 9] = 5
    found = flows_of(labels)
    assert np.isfinite(found).all()
    assert not found[:, 9, 9].any()


def test_a_crooked_object_stays_one():
    labels = np.zeros((80, 60), np.int32)
    labels[5:75, 5:13] = labels[67:75, 5:55] = labels[20:75, 47:55] = 1
    target = Flows(diameter=80)
    found = target.decode(target.encode(labels, shape=labels.shape).values)
    assert found.max() == 1
    assert instance_scores(found, labels)["ap 0.95"] == 1


def test_arrows_that_no_object_has_are_left_out_unless_wanted():
    labels = np.zeros((30, 60), np.int32)
    labels[5:25, 5:25] = 1
    labels[5:25, 25:55] = 2
    target = Flows(diameter=30)
    values = target.encode(labels, shape=labels.shape).values
    values[1:, labels == 2] *= 0.2  # An error of 0.8 squared.
    assert target.decode(values, flow_error=1.0).max() == 2
    kept = target.decode(values)
    assert not kept[labels == 2].any()
    assert (kept[labels == 1] == 1).all()


def test_a_hole_is_filled_and_foreground_alone_is_nothing():
    values = np.zeros((3, 40, 40), np.float32)
    assert Flows().decode(values).max() == 0
    labels = np.zeros((40, 40), np.int32)
    labels[8:30, 8:30] = 1
    values = Flows().encode(labels, shape=labels.shape).values
    values[0, 14, 14] = 0
    assert Flows().decode(values)[14, 14] == 1


def test_what_nobody_knows_has_no_weight():
    labels = np.array([[1, 1, -1, 0]])
    known = Flows().encode(labels, shape=(1, 4)).known.tolist()
    # The object may go on: where its middle is nobody knows either.
    assert known == [[[1, 1, 0, 1]], [[0, 0, 0, 1]], [[0, 0, 0, 1]]]


def test_labels_with_other_axes_are_refused():
    with pytest.raises(ShapeError, match=r"2 axes .*, these labels have 3"):
        Flows().encode(np.zeros((4, 5, 6), int), shape=(4, 5, 6))


def test_arrows_of_a_ball_point_to_its_middle():
    grid = np.indices((21, 23, 25)) - np.array([10, 11, 12])[:, None, None, None]
    away = np.sqrt((grid**2).sum(0))
    flows = Flows(ndim=3).encode((away < 9).astype(np.int32), shape=away.shape).values[1:]
    shell = (away < 8) & (away > 3)
    along = -(flows * grid).sum(0)[shell] / away[shell]
    assert along.min() > 0.97
    assert not flows[:, away >= 9].any()


def test_sizes_are_recorded():
    target = Flows.made_for(Facts(2, {}, (), (8.0, 10.0, 140.0)))
    assert (target.diameter, target.context) == (140, 210)


@pytest.mark.parametrize("side", [40, 64])
def test_blocks_give_the_objects_of_the_whole(side):
    target = Flows(diameter=24, smallest=20)
    values = target.encode(touching((150, 170)), shape=(150, 170)).values
    whole = target.decode(values)
    labels, count = stitched(values, target, side, target.context)
    assert count == whole.max()
    assert instance_scores(labels, whole)["ap 0.95"] == 1
