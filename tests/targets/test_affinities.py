"""Pixels that belong together, and clusters that attract and repel."""

import numpy as np
import pytest
from tests.targets.objects import touching
from tests.training.test_stitch import stitched

from stroma.errors import ParameterError, ShapeError
from stroma.metrics.instances import instance_scores
from stroma.targets.affinities import Affinities, far_offsets
from stroma.targets.contract import Facts
from stroma.targets.kernels.mutex import clustered
from stroma.targets.turns import Turn


def plainly(count, edges):
    """Return the clusters of a mutex watershed by sets, edge after edge."""
    clusters, apart = [{n} for n in range(count)], set()
    for one, other, attracts in edges:
        a, b = (next(i for i, c in enumerate(clusters) if n in c) for n in (one, other))
        if a == b:
            continue
        between = any((m, n) in apart or (n, m) in apart for m in clusters[a] for n in clusters[b])
        if not attracts:
            apart.add((one, other))
        elif not between:
            clusters[a] |= clusters[b]
            clusters[b] = set()
    return {frozenset(c) for c in clusters if c}


@pytest.mark.parametrize("seed", range(12))
def test_compiled_clusters_are_those_of_sets(seed):
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 30, (120, 2)).astype(np.int32)
    attracts = rng.random(120) < 0.5
    found = clustered(30, ends[:, 0].copy(), ends[:, 1].copy(), attracts)
    groups = {frozenset(np.flatnonzero(found == n).tolist()) for n in np.unique(found)}
    assert groups == plainly(30, [(*e, a) for e, a in zip(ends.tolist(), attracts, strict=True)])


def test_far_offsets_are_as_long_in_space_along_coarse_axes():
    assert list(far_offsets(2, (4,))) == [(4, 0), (0, 4), (4, 4), (4, -4)]
    anisotropic = set(far_offsets(3, (8,), (4.0, 1.0, 1.0)))
    assert {(2, 0, 0), (0, 8, 0), (2, 8, 0), (2, 0, -8), (0, 8, 8)} <= anisotropic
    # One plane away is a neighbour, which there is a channel for already.
    assert (1, 0, 0) not in set(far_offsets(3, (4,), (4.0, 1.0, 1.0)))
    assert not any(o[0] for o in far_offsets(3, (4,), (10.0, 1.0, 1.0)))


def test_offsets_follow_from_objects_and_pixels():
    target = Affinities.made_for(Facts(3, {}, (2.0, 1.0, 1.0), (20.0, 20.0)))
    assert {o for o in target.offsets if o[1:] == (0, 0)} == {(2, 0, 0), (6, 0, 0)}
    assert (0, 12, 0) in target.offsets


def test_pairs_across_the_border_and_with_what_nobody_knows_have_no_weight():
    labels = np.array([[1, 1, 2, -1]])
    encoded = Affinities(offsets=((0, 2),)).encode(labels, shape=(1, 4))
    assert encoded.values[2].tolist() == [[1, 0, 0, 0]]
    assert encoded.known[2].tolist() == [[1, 1, 0, 0]]
    assert encoded.known[3].tolist() == [[1, 0, 0, 0]]


def test_a_gap_between_near_pixels_is_held_shut_by_far_ones():
    # Two squares whose border is missed along two of its twelve pixels.
    labels = np.zeros((12, 24), np.int32)
    labels[:, :12], labels[:, 12:] = 1, 2
    target = Affinities(offsets=tuple(far_offsets(2, (4,))), smallest=4)
    values = target.encode(labels, shape=labels.shape).values
    values[2, 5:7, 11] = 0.9
    assert target.decode(values).max() == 2
    assert target.decode(values, repulsion=0.04).max() == 1


@pytest.mark.parametrize("side", [40, 64])
def test_blocks_give_the_objects_of_the_whole(side):
    target = Affinities(diameter=24, smallest=20)
    values = target.encode(touching((150, 170)), shape=(150, 170)).values
    whole = target.decode(values)
    labels, count = stitched(values, target, side, target.context)
    assert count == whole.max()
    assert instance_scores(labels, whole)["ap 0.75"] == 1


@pytest.mark.parametrize("offsets", [(), ((0, 1),), ((0, 9), (0, 0, 9))])
def test_offsets_that_cannot_be_are_refused(offsets):
    with pytest.raises(ParameterError, match="offsets"):
        Affinities(offsets=offsets)


def test_labels_with_other_axes_and_turns_without_an_offset_are_refused():
    with pytest.raises(ShapeError, match=r"2 axes .*, these labels have 3"):
        Affinities().encode(np.zeros((4, 5, 6), int), shape=(4, 5, 6))
    target = Affinities(offsets=((0, 5),))
    with pytest.raises(ParameterError, match="not predicted"):
        target.turned_back(np.zeros((4, 6, 6), np.float32), Turn((1, 0), (False, False)))
