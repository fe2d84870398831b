"""Points come back between pixels."""

import numpy as np
import pytest
import torch

from stroma.targets.contract import Facts
from stroma.targets.spots import Spots
from stroma.training.contract import Batch
from stroma.training.ways.objectives import Supervised, sampled


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


@pytest.mark.parametrize("shape", [(64, 64), (16, 32, 32)])
@pytest.mark.parametrize("step", [4, 8])
def test_coarser_resolutions_are_taught_every_point(shape, step):
    """Of the nearest pixels alone, most points would be lost."""
    rng = np.random.default_rng(0)
    places = np.argwhere(rng.random([n // 8 for n in shape]) < 0.5)
    points = 8 * places + rng.uniform(0, 7, places.shape)
    target = Spots(len(shape), width=1.0)
    encoded = target.encode(points, shape=shape)
    values, known = (torch.from_numpy(v)[None] for v in (encoded.values, encoded.known))
    space = [n // step for n in shape]
    coarse, seen = target.coarser(values, known, space)
    assert coarse.shape == seen.shape == (1, 1 + len(shape), *space)
    cells = tuple((points + 0.5).astype(int).T // step)
    assert (coarse[0, 0].numpy()[cells] > 0.6).all()
    nearest = sampled(values, space)
    assert (nearest[0, 0].numpy()[cells] < 0.6).mean() > 0.5
    assert torch.equal(coarse[:, 1:], nearest[:, 1:])


def test_networks_of_several_resolutions_learn_points_at_all_of_them():
    target, seen = Spots(2, width=1.0), []

    class Deep(torch.nn.Module):
        def forward(self, images):
            return [torch.zeros(1, 3, n, n, requires_grad=True) for n in (32, 16, 8)]

    class Watching(Spots):
        def loss(self, output, truth, known, /):
            seen.append(float(truth[:, 0].max()))
            return super().loss(output, truth, known)

    encoded = target.encode(np.array([[9.0, 21.0]]), shape=(32, 32))
    values, known = (torch.from_numpy(v)[None] for v in (encoded.values, encoded.known))
    batch = Batch(torch.zeros(1, 1, 32, 32), values, known, seed=0)
    Supervised(Watching(2, width=1.0)).step(Deep(), batch).loss.backward()
    assert seen == [1.0, 1.0, 1.0]
