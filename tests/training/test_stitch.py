"""Objects across borders of blocks get one number, and are those of the whole image."""

import tracemalloc

import numpy as np
import pytest
from tests.targets.objects import touching

from stroma.blocks.merge import Groups, same_objects
from stroma.metrics.instances import instance_scores
from stroma.networks.unet import UNet
from stroma.targets.distances import Distances
from stroma.targets.semantic import Semantic
from stroma.training.feeding.normalise import Normalisation
from stroma.training.feeding.windows import around, lattice
from stroma.training.predicting.predict import blocks_in
from stroma.training.predicting.predictor import NetworkPredictor
from stroma.training.predicting.stitch import Stitching


def stitched(values, target, side, context):
    shape = values.shape[1:]
    labels = np.zeros(shape, np.uint32)
    stitching = Stitching(labels)
    for core in lattice(shape, (side,) * len(shape), (1,) * len(shape)):
        window = around(core, context, shape)
        stitching.add(core, window, target.decode(values[(slice(None), *window)]))
    return labels, stitching.finish()


@pytest.mark.parametrize(
    ("shape", "side"), [((150, 170), 40), ((150, 170), 64), ((40, 50, 60), 30)]
)
def test_blocks_give_the_objects_of_the_whole(shape, side):
    target = Distances(diameter=24, smallest=20)
    values = target.encode(touching(shape), shape=shape).values
    whole = target.decode(values)
    labels, count = stitched(values, target, side, target.context)
    assert count == whole.max() == labels.max()
    assert len(np.unique(labels)) == count + 1
    assert instance_scores(labels, whole)["ap 0.95"] == 1


def test_an_object_over_many_blocks_is_one():
    labels = np.zeros((60, 60), np.uint32)
    stitching = Stitching(labels)
    for core in lattice((60, 60), (10, 10), (1, 1)):
        window = around(core, 3, (60, 60))
        found = np.ones([s.stop - s.start for s in window], np.uint32)
        stitching.add(core, window, found)
    assert stitching.finish(after=7) == 8
    assert (labels == 8).all()


def test_blocks_that_wait_for_their_neighbours_hold_no_label_images():
    shape, side, context = (48, 144, 144), 16, 12
    whole = np.zeros(shape, np.uint32)
    lattice_of_objects = lattice(shape, (12, 12, 12), (1, 1, 1))
    for number, box in enumerate(lattice_of_objects, start=1):
        whole[tuple(slice(s.start + 1, s.stop - 1) for s in box)] = number
    labels = np.zeros(shape, np.uint32)
    stitching = Stitching(labels)
    held, largest = 0, 0
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for core in lattice(shape, (side,) * 3, (1, 1, 1)):
            window = around(core, context, shape)
            largest = max(largest, whole[window].nbytes)
            stitching.add(core, window, np.unique(whole[window], return_inverse=True)[1])
            held = max(held, tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert stitching.finish() == len(lattice_of_objects)
    assert instance_scores(labels, whole)["ap 0.95"] == 1
    assert held < 5 * largest, "81 blocks of a layer wait for those behind them"


def test_neighbours_that_touch_the_border_stay_two():
    one = np.zeros((4, 8), int)
    one[:2, :] = 1
    one[2:, :] = 2
    other = np.where(one == 1, 5, 0)
    other[2:, :] = 6
    assert same_objects(one, other, (slice(0, 4), slice(3, 5))) == [(1, 5), (2, 6)]
    assert same_objects(one, 0 * other, (slice(0, 4), slice(3, 5))) == []


def test_groups_are_numbered_in_order_without_gaps():
    groups = Groups(1)
    assert groups.add(4) == 1
    groups.join(2, 4)
    used = np.array([False, False, True, True, True])
    assert groups.table(used).tolist() == [0, 0, 1, 2, 1]


def test_blocks_are_smaller_where_decoding_sees_far_around_them():
    module = UNet(1, 2, ndim=3, features=(2, 2))
    predictor = NetworkPredictor(
        module, Semantic((0, 1)), Normalisation(("none",)), None, (16, 16, 16)
    )
    shape = (70, 300, 520)
    for context, sides in ((0, (64, 256, 256)), (39, (64, 128, 128)), (500, (64, 64, 64))):
        cores = blocks_in(shape, predictor, context=context)
        assert tuple(max(s.stop - s.start for s in ax) for ax in zip(*cores, strict=True)) == sides
        covered = np.zeros(shape, np.uint8)
        for core in cores:
            covered[core] += 1
        assert (covered == 1).all()
