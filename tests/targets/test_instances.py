"""Objects that touch are told apart after a round trip through their channels."""

import tracemalloc

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import reconstruction
from skimage.segmentation import watershed
from tests.targets.objects import LEAST, touching

from stroma.metrics.instances import instance_scores
from stroma.targets import TARGETS
from stroma.targets.borders import Borders
from stroma.targets.contract import Facts
from stroma.targets.distances import Distances
from stroma.targets.instances import boxes, grown, summits
from stroma.targets.kernels.domes import reconstructed

SHAPES = [(160, 190), (48, 56, 60)]


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("shape", SHAPES)
def test_touching_objects_come_back(name, shape):
    labels = touching(shape)
    target = TARGETS[name].made_for(Facts(len(shape), {}, (1.0,) * len(shape), (10.0, 18.0)))
    encoded = target.encode(labels, shape=shape)
    found = target.decode(encoded.values)
    assert target.score([found], [labels])["ap50"] >= LEAST[name]


@pytest.mark.parametrize("number", [3, 1_000_000_000])
def test_boxes_need_no_more_memory_where_numbers_are_large(number):
    labels = np.zeros((12, 40), np.int32)
    labels[2:6, 30:34] = number
    tracemalloc.start()
    found = boxes(labels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(number, (slice(2, 6), slice(30, 34)))]
    assert peak < 2**20


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
    known = Distances().encode(labels, shape=(1, 4)).known.tolist()
    # The object may go on: where its middle and its border are nobody knows either.
    assert known == [[[1, 1, 0, 1]], [[0, 0, 0, 1]], [[0, 0, 0, 1]]]


def test_foreground_without_a_seed_is_an_object_and_litter_is_none():
    prediction = np.zeros((3, 12, 24), np.float32)
    prediction[0, 2:8, 2:8] = prediction[0, 4:6, 20:22] = 1
    found = Distances(smallest=10).decode(prediction)
    assert found.max() == 1
    assert (found > 0).sum() == 36


def test_summits_are_told_apart_by_how_far_down_it_goes_between_them():
    x = np.arange(61.0)
    ridge = np.maximum(0.3 - 0.02 * abs(x - 10), 0.9 - 0.05 * abs(x - 30))
    ridge = np.maximum(ridge, 0.8 - 0.05 * abs(x - 34))  # 0.05 down from 0.8 to the saddle
    land = np.tile(np.maximum(ridge, 0), (7, 1))
    front = land > 0.02

    def tops(**how):
        found = summits(land, front, **how)
        return [
            int(np.flatnonzero(found[3] == n).mean().round()) for n in range(1, found.max() + 1)
        ]

    assert tops(rise=0.04) == [10, 30, 34]
    assert tops(rise=0.1) == [10, 30]
    assert tops(rise=0.1, least=0.5) == [30]
    assert summits(land, np.zeros_like(front), rise=0.1).max() == 0


@pytest.mark.parametrize("shape", [(1, 1), (23, 31), (9, 11, 13)])
@pytest.mark.parametrize("rise", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("levels", [6, 1000])
def test_compiled_reconstruction_is_that_of_scikit_image(shape, rise, levels):
    """On land with plateaus and without, with holes that keep parts of it from each other."""
    rng = np.random.default_rng(levels)
    rough = ndimage.gaussian_filter(rng.random(shape), 0.8)
    front = rng.random(shape) < 0.7
    land = np.where(front, np.round(rough * levels) / levels, 0).astype(np.float32)
    low = np.maximum(land - np.float32(rise), 0)
    found = reconstructed(low, land, front)
    assert np.array_equal(found, reconstruction(low, land).astype(np.float32))


def test_a_low_object_is_whole_and_two_high_ones_that_touch_are_two():
    """By a threshold of height the long one would be in parts, or the round ones together."""
    target = Distances(smallest=5)
    labels = np.zeros((40, 60), np.int32)
    y, x = np.mgrid[:40, :60]
    labels[(abs(y - 8) <= 2) & (abs(x - 30) <= 28)] = 1
    labels[(y - 26) ** 2 + (x - 20) ** 2 < 64] = 2
    labels[((y - 26) ** 2 + (x - 34) ** 2 < 64) & (labels == 0)] = 3
    values = target.encode(labels, shape=labels.shape).values.copy()
    values[1:] = ndimage.gaussian_filter(values[1:], (0, 1.0, 1.0)) * 0.6
    found = target.decode(values)
    assert instance_scores(found, labels)["f1"] == 1


@pytest.mark.parametrize("shape", [(60, 70), (16, 30, 34)])
def test_objects_grow_from_the_rims_of_seeds_as_from_all_of_them(shape):
    rng = np.random.default_rng(0)
    land = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    seeds, count = ndimage.label(land > np.percentile(land, 80))
    front = land > np.percentile(land, 40)
    height = rng.normal(size=shape) - land
    found = watershed(height, seeds, mask=front)
    lone, _ = ndimage.label(front & (found == 0))
    plain = np.where(lone > 0, lone + count, found)
    assert np.array_equal(grown(height, seeds, front, least=1), plain)


@pytest.mark.parametrize("ndim", [2, 3])
def test_seeds_of_boundary_lie_deep_enough_that_a_hole_in_a_border_joins_nothing(ndim):
    labels = np.zeros((24,) * ndim, np.int32)
    inner = (slice(2, 22),) * (ndim - 1)
    labels[(*inner, slice(2, 12))], labels[(*inner, slice(12, 22))] = 1, 2
    target = Borders()
    values = target.encode(labels, shape=labels.shape).values.copy()
    values[(1, *(slice(11, 12),) * (ndim - 1), slice(11, 13))] = 0
    assert target.decode(values).max() == 1
    assert np.array_equal(target.decode(values, seed=1.0) > 0, labels > 0)
    assert target.score([target.decode(values, seed=1.0)], [labels])["ap50"] == 1
