"""Rays in volumes: ways over a sphere, and the best of the solids that they make."""

from functools import lru_cache

import numpy as np
import pytest
from tests.targets.objects import touching
from tests.targets.test_rays import chosen, drawn_at_random
from tests.training.test_stitch import stitched

from stroma.metrics.instances import instance_scores
from stroma.targets.contract import Facts
from stroma.targets.instances import without_small
from stroma.targets.kernels.sphere import sphere
from stroma.targets.rays import Rays


def ball(shape, middle, radii):
    grid = np.indices(shape) - np.array(middle).reshape(3, 1, 1, 1)
    return (grid / np.array(radii).reshape(3, 1, 1, 1)) ** 2


def test_ways_are_even_over_the_sphere_and_triangles_cover_it():
    found = sphere(96)
    assert np.linalg.norm(found.ways, axis=1) == pytest.approx(1)
    near = np.sort(found.ways @ found.ways.T, 1)[:, -2]
    assert np.degrees(np.arccos(near)).min() > 11
    assert len(found.triangles) == 2 * 96 - 4
    # Every way is that of its own corner, and lies between the corners of one triangle.
    assert found.between(found.ways) == pytest.approx(np.eye(96), abs=1e-9)


def test_ways_are_as_even_in_space_as_voxels_are_not():
    flat = sphere(96, (3.0, 1.0, 1.0)).ways
    in_space = flat * (3, 1, 1)
    in_space /= np.linalg.norm(in_space, axis=1, keepdims=True)
    assert in_space == pytest.approx(sphere(96).ways)


def test_rays_of_a_ball_have_its_radius_and_give_it_back():
    labels = (ball((33, 34, 35), (16, 16, 17), (1, 1, 1)).sum(0) <= 144).astype(np.int32)
    target = Rays(ndim=3, rays=96)
    values = target.encode(labels, shape=labels.shape).values
    assert values[1:, 16, 16, 17] == pytest.approx(12, abs=1)
    found = target.decode(values)
    assert found.max() == 1
    assert (found > 0).sum() == pytest.approx(labels.sum(), rel=0.1)


def test_flat_objects_come_back_in_voxels_that_are_deeper_than_wide():
    labels = (ball((15, 40, 40), (7, 19, 20), (4, 12, 12)).sum(0) <= 1).astype(np.int32)
    target = Rays.made_for(Facts(3, {}, (3.0, 1.0, 1.0), (15.0,)))
    assert (target.spacing, target.rays) == ((3.0, 1.0, 1.0), 96)
    found = target.decode(target.encode(labels, shape=labels.shape).values)
    assert instance_scores(found, labels)["ap 0.75"] == 1


def test_the_better_of_two_solids_stays_and_a_copy_goes():
    values = np.zeros((97, 24, 24, 50), np.float32)
    places = [(12, 12, 12), (12, 12, 15), (12, 12, 27)]
    for probability, place in zip((0.9, 0.8, 0.7), places, strict=True):
        values[(0, *place)] = probability
        values[(slice(1, None), *place)] = 9.0
    target = Rays(ndim=3, rays=96)
    found = target.decode(values)
    assert found.max() == 2
    assert found[12, 12, 20] == 1
    assert found[12, 12, 22] == 2
    assert (found == 1).sum() == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.1)
    assert target.decode(values, overlap=0.01).max() == 1
    assert target.decode(values, overlap=1.0).max() == 3


@lru_cache
def around(count):
    """Return places around a middle, the triangle each is seen in, and its share of the corners."""
    found = sphere(count)
    grid = np.indices((19, 19, 19)).reshape(3, -1).T - 9
    parts = np.einsum("tij,nj->nti", found.parts, grid)
    triangle = parts.min(2).argmax(1)
    share = np.take_along_axis(parts, triangle[:, None, None], 1)[:, 0]
    return grid, found.triangles[triangle], share


def filled(middle, lengths, shape):
    """Return the voxels of a solid, and its volume."""
    grid, corners, share = around(len(lengths))
    inside = grid[(share / np.maximum(lengths, 0.5)[corners]).sum(1) <= 1]
    places = inside + middle
    mask = np.zeros(shape, bool)
    mask[tuple(places[((places >= 0) & (places < shape)).all(1)].T)] = True
    return mask, volume(np.maximum(lengths, 0.5))


def volume(lengths):
    """Return that of a solid: of the tetrahedra between its middle and its triangles."""
    found = sphere(len(lengths))
    corners = lengths[found.triangles, None] * found.ways[found.triangles]
    return np.abs(np.linalg.det(corners)).sum() / 6


@pytest.mark.parametrize("overlap", [0.2, 0.4])
def test_those_that_stay_are_those_of_the_plain_way(overlap):
    shape = (12, 22, 24)
    target = Rays(ndim=3, rays=24, smallest=20)
    values = target.encode(touching(shape, spacing=12), shape=shape).values
    values[0] += np.random.default_rng(0).normal(0, 0.1, shape) * (values[0] > 0)
    found = target.decode(values, overlap=overlap)
    plain = without_small(chosen(values, filled, overlap), 20)
    assert found.max() == plain.max()
    assert instance_scores(found, plain)["ap 0.75"] == 1


@pytest.mark.parametrize("overlap", [0.2, 0.4, 0.8])
@pytest.mark.parametrize("seed", [0, 1])
def test_of_solids_of_any_size_and_shape_those_stay_too(overlap, seed):
    values = drawn_at_random((9, 11, 12), 24, seed, most=4)
    found = Rays(ndim=3, rays=24, smallest=1).decode(values, overlap=overlap)
    plain = without_small(chosen(values, filled, overlap), 1)
    assert found.max() == plain.max()
    assert (found != plain).sum() <= 3  # voxels that lie on a surface, seen in the next triangle


def test_rays_into_what_nobody_knows_have_no_weight():
    labels = np.ones((3, 3, 6), np.int32)
    labels[..., 5] = -1
    target = Rays(ndim=3, rays=12)
    known = target.encode(labels, shape=labels.shape).known[1:, 1, 1, 4]
    ways = sphere(12).ways
    assert known[ways[:, 2] > 0.9].max(initial=0) == 0
    assert known[ways[:, 2] < -0.5].min() == 1


def test_blocks_give_the_objects_of_the_whole():
    shape = (24, 40, 44)
    target = Rays.made_for(Facts(3, {}, (1.0,) * 3, (14.0, 18.0)))
    values = target.encode(touching(shape), shape=shape).values
    whole = target.decode(values)
    labels, count = stitched(values, target, 24, target.context)
    assert count == whole.max()
    assert instance_scores(labels, whole)["ap 0.75"] == 1
