"""What others compute, where they are installed: StarDist's rays and matching, Cellpose's flows.

They are no dependencies. ``pip install --no-deps stardist csbdeep cellpose fastremap fill-voids``
into an environment of its own brings what is needed here, without TensorFlow and torchvision.
"""

import importlib

import numpy as np
import pytest
import torch
from tests.targets.objects import touching

from stroma.metrics.instances import instance_scores
from stroma.targets.flows import Flows, flows_of
from stroma.targets.rays import Rays

SHAPES = [(96, 110), (32, 40, 44)]


@pytest.fixture
def geometry():
    pytest.importorskip("stardist", reason="StarDist as an oracle: pip install stardist")
    return importlib.import_module("stardist.geometry")


@pytest.fixture
def dynamics(monkeypatch):
    """Flows of Cellpose; it imports torchvision, which flows do not use, for its networks."""
    pytest.importorskip("fastremap", reason="Cellpose as an oracle: pip install cellpose")
    pytest.importorskip("cellpose", reason="Cellpose as an oracle: pip install cellpose")
    try:
        return importlib.import_module("cellpose.dynamics")
    except ImportError as error:
        pytest.skip(f"Cellpose does not import here: {error}")


def test_rays_of_planes_are_those_of_stardist(geometry):
    """Ours go from the last axis towards the first, StarDist's from the first to the last."""
    labels = touching(SHAPES[0])
    ours = Rays().encode(labels, shape=labels.shape).values[1:]
    theirs = np.moveaxis(geometry.star_dist(labels.astype(np.int32), n_rays=32, mode="cpp"), -1, 0)
    front = labels > 0
    best = min(
        np.abs(ours[:, front] - np.roll(theirs[::way], turn, 0)[:, front]).mean()
        for way in (1, -1)
        for turn in range(32)
    )
    assert best < 0.05


def test_rays_of_volumes_are_those_of_stardist(geometry):
    rays = pytest.importorskip("stardist.rays3d")
    labels = touching(SHAPES[1])
    spiral = rays.Rays_GoldenSpiral(96)
    theirs = np.moveaxis(geometry.star_dist3D(labels.astype(np.int32), spiral, mode="cpp"), -1, 0)
    target = Rays(rays=96, ndim=3)
    ours = target.encode(labels, shape=labels.shape).values[1:]
    place = (spiral.vertices @ target._sphere.ways.T).argmax(1)
    assert len(set(place)) == 96
    front = labels > 0
    # Ours end half a voxel before the first one outside, measured across the border.
    more = 1 - 0.5 / abs(target._sphere.ways).max(1)
    apart = np.abs((ours + more[:, None, None, None])[place][:, front] - theirs[:, front])
    # Where between two voxels a slanted ray ends is measured in another way.
    assert np.quantile(apart, 0.99) < 0.7
    assert np.median(apart) < 0.3


@pytest.mark.parametrize("shape", SHAPES)
def test_objects_match_as_stardist_says(geometry, shape):
    oracle = importlib.import_module("stardist.matching")
    truth, found = touching(shape), touching(shape, radius=0.6, seed=0)
    found = np.roll(np.where(found % 3 == 0, 0, found), 2, -1)
    ours = instance_scores(found, truth)
    for threshold in (0.5, 0.6, 0.7, 0.8):
        theirs = oracle.matching(truth, found, thresh=threshold)
        assert ours[f"ap {threshold:.2f}"] == pytest.approx(theirs.accuracy)
    half = oracle.matching(truth, found, thresh=0.5)
    assert 0 < half.accuracy < 1
    assert ours["f1"] == pytest.approx(half.f1)
    assert ours["pq"] == pytest.approx(half.panoptic_quality)


def test_arrows_are_those_of_cellpose(dynamics):
    labels = touching(SHAPES[0])
    theirs = dynamics.labels_to_flows([labels.astype(np.int32)])[0][-2:]
    ours = flows_of(labels)
    front = labels > 0
    cosine = (ours * theirs).sum(0)[front]
    assert np.median(cosine) > 0.99
    assert (cosine > 0.9).mean() > 0.95


@pytest.mark.filterwarnings("ignore:Sparse invariant")
def test_arrows_of_either_are_followed_to_the_same_objects(dynamics):
    labels = touching(SHAPES[0])
    target = Flows(diameter=24, smallest=15)
    front = (labels > 0).astype(np.float32)[None]
    theirs = np.asarray(dynamics.labels_to_flows([labels.astype(np.int32)])[0][-2:], np.float32)
    assert instance_scores(target.decode(np.concatenate([front, theirs])), labels)["ap 0.75"] == 1
    made = dynamics.compute_masks(
        5 * flows_of(labels), np.where(labels > 0, 5.0, -5.0), device=torch.device("cpu")
    )
    assert instance_scores(made[0] if isinstance(made, tuple) else made, labels)["ap 0.75"] == 1
