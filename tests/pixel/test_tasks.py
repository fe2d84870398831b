"""Blocks get their features together where that pays, and nothing is read or computed twice."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from stroma import ConvpaintModel, Image
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap, Wants
from stroma.features.part import Part
from stroma.features.pipeline import VALUES_AT_ONCE, Pipeline
from stroma.pixel.door import open_image
from stroma.pixel.predicting.plan import plan
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.tasks import Task, each


@dataclass(frozen=True)
class Together:
    """Smooth copies of a channel, and a record of how many blocks came at once."""

    batch_pixels: int = 4 * 16 * 16
    features: int = 2

    sizes: ClassVar[list[int]] = []
    halo = 0
    stride = 1
    wants = Wants(channels=1)

    def names(self, channels):
        return [f"f{i}" for i in range(self.features)]

    def __call__(self, block):
        return self.batch([block])[0]

    def batch(self, blocks):
        self.sizes.append(len(blocks))
        return [[FeatureMap(np.repeat(b, self.features, axis=0) + len(b))] for b in blocks]


@pytest.fixture
def stack():
    random = np.random.default_rng(0)
    return Image(random.normal(size=(10, 16, 16)).astype(np.float32), "zyx")


@pytest.fixture(autouse=True)
def no_sizes():
    Together.sizes.clear()


def tasks_for(image, extractor):
    source = open_image(image, "single")
    recipe = Recipe(Pipeline((Part(extractor),)), 1, 1, 0, 0)
    plans = [(p, plan(source, p, recipe)) for p in source.positions]
    return [Task(p, current, block) for p, current in plans for block in current.blocks()]


def values(number, task, maps):
    return task.position["z"], maps[0].values[:, 0]


def test_planes_of_a_stack_are_computed_together_as_far_as_the_extractor_wishes(stack):
    found = list(each(values, tasks_for(stack, Together()), FeatureCache(0), workers=1))
    assert Together.sizes == [4, 4, 2]
    assert [z for z, _ in found] == list(range(10))
    for z, features in found:
        np.testing.assert_array_equal(features[0], stack.array[z] + 1)


def test_what_is_computed_together_is_bounded_in_memory(stack):
    wide = Together(batch_pixels=2**40, features=VALUES_AT_ONCE // (16 * 16) // 3)
    tasks = tasks_for(stack, wide)[:7]
    list(each(lambda *_: None, tasks, FeatureCache(0), workers=1))
    assert Together.sizes == [3, 3, 1]


class Sharing(Together):
    """The same features, in one array for all blocks."""

    def batch(self, blocks):
        self.sizes.append(len(blocks))
        whole = np.stack([np.repeat(b, self.features, axis=0) for b in blocks])
        return [[FeatureMap(features)] for features in whole]


def test_features_of_one_block_do_not_keep_those_of_its_neighbours_in_memory(stack):
    kept = each(
        lambda number, task, maps: maps[0].values, tasks_for(stack, Sharing()), FeatureCache(0)
    )
    for z, features in enumerate(kept):
        np.testing.assert_array_equal(features, np.repeat(stack.array[None, z : z + 1], 2, axis=0))
        assert features.base is None or features.base.nbytes == features.nbytes
    assert max(Sharing.sizes) > 1


def test_only_blocks_that_are_not_known_are_computed(stack):
    tasks, cache = tasks_for(stack, Together()), FeatureCache(2**20)
    list(each(values, [tasks[1]], cache))
    list(each(values, tasks, cache, workers=3))
    assert sorted(Together.sizes) == [1, 2, 3, 4]
    list(each(values, tasks, cache))
    assert len(Together.sizes) == 4


def test_threads_and_batches_give_what_one_block_after_the_other_gives(stack):
    alone = [t.plan.features(t.block, FeatureCache(0)) for t in tasks_for(stack, Together())]
    found = each(values, tasks_for(stack, Together()), FeatureCache(0), workers=4)
    for (maps,), (_, features) in zip(alone, found, strict=True):
        np.testing.assert_array_equal(features, maps.values[:, 0])


class Counting:
    """An array that counts how many values were read."""

    def __init__(self, values):
        self.values, self.read = values, 0

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    def __getitem__(self, key):
        found = self.values[key]
        self.read += found.size
        return found


def test_the_next_round_reads_nothing_of_an_image_that_is_read_lazily(disks):
    values, _, strokes = disks
    array = Counting(values)
    image, model = Image(array, "yx"), ConvpaintModel("stroma")
    model.train(image, strokes)
    first = model.segment(image)
    assert array.read > 0
    array.read = 0
    model.train(image, strokes)
    np.testing.assert_array_equal(model.segment(image), first)
    assert array.read == 0


def test_another_image_read_lazily_is_read_though_it_looks_alike(disks):
    values, _, strokes = disks
    model = ConvpaintModel("stroma")
    model.train(Image(Counting(values), "yx"), strokes)
    bright, plain = Image(Counting(values + values**2), "yx"), Image(Counting(values), "yx")
    assert (model.predict_probas(bright) != model.predict_probas(plain)).any()
