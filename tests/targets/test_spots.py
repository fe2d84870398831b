"""Points come back between pixels."""

import numpy as np
import pytest

from stroma.targets.contract import Facts
from stroma.targets.spots import Spots


@pytest.mark.parametrize("shape", [(64, 70), (24, 30, 32)])
def test_points_come_back_to_a_hundredth_of_a_pixel(shape):
    rng = np.random.default_rng(0)
    points = np.array(list(np.ndindex(*(n // 8 for n in shape)))) * 8 + 4
    points = points + rng.uniform(-1, 1, points.shape)
    target = Spots(len(shape), width=1.5)
    found = target.decode(target.encode(points, shape=shape).values)
    nearest = np.abs(found[:, None, :-1] - points[None]).max(-1).min(0)
    assert len(found) == len(points)
    assert nearest.max() < 0.01


def test_no_points_are_no_heat():
    encoded = Spots().encode(np.zeros((0, 2)), shape=(8, 9))
    assert encoded.values.max() == 0
    assert Spots().decode(encoded.values).shape == (0, 3)


def test_the_width_follows_the_distance_between_neighbours():
    assert Spots.made_for(Facts(2, diameters=(9.0, 10.0, 30.0))).width == 2.5
    assert Spots.made_for(Facts(3, diameters=(200.0,))) == Spots(3, width=4.0)
    assert Spots.made_for(Facts(2)).width == 2.5
