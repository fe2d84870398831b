"""Objects that touch are told apart after a round trip through their channels."""

import numpy as np
import pytest
from tests.targets.objects import touching

from stroma.targets import TARGETS
from stroma.targets.contract import Facts
from stroma.targets.distances import Distances

LEAST = {"distances": 0.95, "boundary": 0.95, "flows": 0.98, "rays": 0.98, "affinities": 0.98}
SHAPES = [(160, 190), (48, 56, 60)]


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("shape", SHAPES)
def test_touching_objects_come_back(name, shape):
    labels = touching(shape)
    target = TARGETS[name].made_for(Facts(len(shape), {}, (1.0,) * len(shape), (10.0, 18.0)))
    encoded = target.encode(labels, shape=shape)
    found = target.decode(encoded.values)
    assert target.score([found], [labels])["ap50"] >= LEAST[name]


def test_sizes_come_from_the_data():
    target = Distances.made_for(Facts(2, {}, (), (8.0, 10.0, 40.0)))
    assert target.diameter == 40
    assert target.context == 60
    assert target.smallest == round(0.25 * np.pi / 4 * 8.2**2)
    assert Distances.made_for(Facts(2, {}, (), (8.0, 9.0)), smallest=3).smallest == 3


def test_an_object_with_a_hole_in_its_middle_and_one_that_fills_the_image_have_channels():
    ring = np.zeros((20, 20), np.int32)
    ring[2:18, 2:18] = 5
    ring[6:14, 6:14] = 0
    values = Distances().encode(ring, shape=ring.shape).values
    assert values[1].max() == pytest.approx(1)
    assert values[1:, ring == 0].max() == 0
    full = Distances().encode(np.ones((9, 9), np.int32), shape=(9, 9)).values
    assert full[2].min() == 1


def test_what_nobody_knows_has_no_weight():
    labels = np.array([[1, 1, -1, 0]])
    assert Distances().encode(labels, shape=(1, 4)).known.tolist() == [[[1, 1, 0, 1]]]


def test_foreground_without_a_seed_is_an_object_and_litter_is_none():
    prediction = np.zeros((3, 12, 24), np.float32)
    prediction[0, 2:8, 2:8] = prediction[0, 4:6, 20:22] = 1
    found = Distances(smallest=10).decode(prediction)
    assert found.max() == 1
    assert (found > 0).sum() == 36
