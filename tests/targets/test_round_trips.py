"""Objects come back from their channels: at borders, tiny, bent, in flat voxels, none, and one."""

import numpy as np
import pytest
from tests.targets.objects import LEAST, touching

from stroma.metrics.instances import instance_scores
from stroma.targets import TARGETS
from stroma.targets.contract import Facts

SHAPES = {2: (96, 110), 3: (40, 44, 48)}


def diameters(labels):
    """Return those of discs and balls as large as the objects."""
    sizes = np.bincount(labels.ravel())[1:]
    area = sizes[sizes > 0]
    found = 2 * np.sqrt(area / np.pi) if labels.ndim == 2 else 2 * np.cbrt(0.75 * area / np.pi)
    return tuple(np.sort(found).tolist())


def ap(name, labels, spacing=(), *, sizes=None):
    """Return AP at 0.5 after a round trip of a target that was made for such objects."""
    facts = Facts(labels.ndim, {}, spacing or (1.0,) * labels.ndim, sizes or diameters(labels))
    target = TARGETS[name].made_for(facts)
    found = target.decode(target.encode(labels, shape=labels.shape).values)
    return instance_scores(found, labels)["ap 0.50"]


def tiles(shape, side, every):
    """Return cubes on a lattice."""
    labels = np.zeros(shape, np.int32)
    for number, cell in enumerate(np.ndindex(*(n // every for n in shape)), start=1):
        labels[tuple(slice(every * i, every * i + side) for i in cell)] = number
    return labels


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("ndim", SHAPES)
def test_objects_at_the_border_and_with_numbers_above_16_bits_come_back(name, ndim):
    labels = touching([n + 12 for n in SHAPES[ndim]])[(slice(6, -6),) * ndim]
    assert all((labels.take(end, axis) > 0).any() for axis in range(ndim) for end in (0, -1))
    large = np.where(labels > 0, labels + 70_000, 0)
    assert ap(name, large, sizes=diameters(labels)) >= LEAST[name]


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("ndim", SHAPES)
@pytest.mark.parametrize("every", [3, 8])
def test_objects_of_three_pixels_a_side_come_back_also_where_they_touch(name, ndim, every):
    assert ap(name, tiles(SHAPES[ndim], 3, every)) >= LEAST[name]


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("shape", SHAPES.values())
def test_objects_of_three_pixels_come_back(name, shape):
    labels = tiles(shape, 3, 8)
    thin = np.zeros_like(labels)
    keep = tuple(slice(None, None, 8) for _ in shape[:-1])
    thin[keep] = labels[keep]
    assert ap(name, thin) >= LEAST[name]


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("shape", SHAPES.values())
def test_nothing_stays_nothing_and_an_object_that_fills_all_is_one(name, shape):
    small = tuple(n // 2 for n in shape)
    nothing = np.zeros(small, np.int32)
    assert ap(name, nothing, sizes=(12.0,)) == 1
    assert ap(name, nothing + 1) == 1


@pytest.mark.parametrize("name", LEAST)
def test_objects_of_voxels_that_are_four_times_as_deep_come_back(name):
    fine = touching((80, 64, 64), spacing=18)
    flat = np.ascontiguousarray(fine[::4])
    assert ap(name, flat, (4.0, 1.0, 1.0)) >= LEAST[name]


@pytest.mark.parametrize("name", LEAST)
def test_objects_of_pixels_that_are_twice_as_high_come_back(name):
    flat = np.ascontiguousarray(touching((120, 120), spacing=18)[::2])
    assert ap(name, flat, (2.0, 1.0)) >= LEAST[name]


def bent(ndim):
    """Return two angles that lie in each other, and touch."""
    labels = np.zeros((60, 70), np.int32)
    labels[5:50, 5:15] = labels[40:50, 5:60] = 1
    labels[5:40, 15:24] = labels[30:40, 15:60] = 2
    return labels if ndim == 2 else np.repeat(labels[None], 12, 0)


@pytest.mark.parametrize("name", [name for name in LEAST if name != "rays"])
@pytest.mark.parametrize("ndim", [2, 3])
def test_bent_objects_that_touch_come_back(name, ndim):
    assert ap(name, bent(ndim)) >= LEAST[name]
