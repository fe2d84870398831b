"""Registered means tested: every target keeps its contract."""

import re
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from stroma.errors import ContractError, LabelError
from stroma.targets import TARGETS
from stroma.targets.affinities import Affinities
from stroma.targets.borders import Borders
from stroma.targets.centres import Centres
from stroma.targets.classify import Classify
from stroma.targets.contract import Encoded, Facts
from stroma.targets.counts import Counts
from stroma.targets.distances import Distances
from stroma.targets.flows import Flows
from stroma.targets.membranes import Membranes
from stroma.targets.rays import Rays
from stroma.targets.restore import Denoise, Restore
from stroma.targets.semantic import Semantic
from stroma.targets.several import Several
from stroma.targets.spots import Spots
from stroma.targets.turns import Turn, mirrors
from stroma.testing import check_target

RNG = np.random.default_rng(0)


def several(*heads, ndim=2):
    facts = Facts(ndim, {0: 90, 1: 20, 2: 20}, diameters=(4.0, 9.0))
    return Several.made_for(facts, heads=heads, weights={heads[0]: 2.0})


KINDS = {"divisor": 1000, "classes": (1, 3)}
ANISOTROPIC = Rays(rays=48, ndim=3, spacing=(2, 1, 1))
EXAMPLES = {
    "semantic": [Semantic((0, 1, 2)), Semantic((1, 2, 0), loss_name="focal")],
    "distances": [Distances(), Distances(spacing=(2, 1, 1))],
    "flows": [Flows(), Flows(ndim=3)],
    "rays": [
        *(Rays(), Rays(rays=12), Rays(rays=96, ndim=3), ANISOTROPIC),
        *(Rays(rays=12, **KINDS), Rays(rays=96, ndim=3, **KINDS)),
    ],
    "boundary": [Borders()],
    "affinities": [Affinities(), Affinities.made_for(Facts(3, spacing=(2.0, 1.0, 1.0)))],
    "centres": [Centres(), Centres(ndim=3), Centres(**KINDS)],
    "membranes": [Membranes((0, 1, 2))],
    "counts": [Counts(), Counts(ndim=3)],
    "spots": [Spots(2), Spots(3, width=2.0)],
    "restore": [Restore(2), Restore(2, squared=True), Restore(2, probabilistic=True)],
    "denoise": [Denoise(2)],
    "classify": [Classify((1, 2, 5))],
    "several": [
        several("semantic", "boundary", "counts"),
        several("semantic", "distances", ndim=3),
    ],
}
BETWEEN = 0.15
"""What is found between rays of a turned sphere is near the rays only."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_registered_target_keeps_the_contract(name):
    for target in EXAMPLES[name]:
        between = BETWEEN if name == "rays" and target.ndim == 3 else 1e-3
        check_target(target, turned=between)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_names_the_work_it_is_after(name):
    kind = TARGETS[name]
    said = f"{sys.modules[kind.__module__].__doc__} {kind.__doc__}"
    assert re.search(r"doi 10\.\d+/|doi\n10\.\d+/|arXiv:\d{4}\.\d+|et al\.\s20\d\d", said)


@dataclass(frozen=True)
class Forgetful(Semantic):
    """Counts pixels that nobody knows."""

    def loss(self, output, truth, known, /):
        return super().loss(output, truth, torch.ones_like(known))


@dataclass(frozen=True)
class Unturned(Semantic):
    """Leaves predictions as they are."""

    def turned_back(self, prediction, turn, /):
        return prediction.reshape(len(prediction), *[prediction.shape[1 + i] for i in turn.order])


@dataclass(frozen=True)
class Wrong(Semantic):
    """Encodes another class."""

    def encode(self, truth, /, *, shape):
        good = super().encode(truth, shape=shape)
        return Encoded(np.roll(good.values, 1, 0), good.known)


@pytest.mark.parametrize(
    ("kind", "said"),
    [(Forgetful, "nobody knows"), (Unturned, "turned"), (Wrong, "decoding what it encoded")],
)
def test_a_target_that_breaks_a_promise_is_told_which(kind, said):
    with pytest.raises(ContractError, match=said):
        check_target(kind((0, 1, 2)))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_turns_are_undone(order):
    image = RNG.normal(size=(3, 4, 5))
    for mirror in mirrors(2):
        turn = Turn(order, mirror.flips)
        assert np.array_equal(turn.undo(turn.apply(image)), image)


def test_vectors_that_point_somewhere_point_there_after_a_turn():
    # Vectors from every pixel to one point, of the image and of the turned image.
    shape, point = (6, 8), np.array([1.0, 5.0])
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).astype(float)
    vectors = point[:, None, None] - grid
    mark = np.zeros(shape)
    mark[1, 5] = 1
    for order in [(0, 1), (1, 0)]:
        for mirror in mirrors(2):
            turn = Turn(order, mirror.flips)
            moved = turn.apply(mark)
            there = np.argwhere(moved)[0]
            grid_t = np.stack(np.meshgrid(*map(np.arange, moved.shape), indexing="ij"))
            turned = there[:, None, None] - grid_t.astype(float)
            assert np.allclose(turn.undo_vectors(turned), vectors)


def test_the_class_of_an_image_is_what_its_pixels_say_together():
    """Many pixels that are a little for a class outweigh few that are very much for another."""
    target = Classify((3, 7))
    evidence = np.zeros((2, 4, 5), np.float32)
    evidence[1], evidence[0, 0, 0] = 1.0, 9.0
    found = target.decode(evidence)
    assert found.sum() == pytest.approx(1)
    assert target.labels[found.argmax()] == 7
    parts = [evidence[:, :2], evidence[:, 2:]]
    mean = np.mean([p.reshape(2, -1).mean(1) for p in parts], axis=0)
    assert target.decode(mean) == pytest.approx(found)


def test_an_image_of_which_nothing_is_known_does_not_count_among_images():
    output = torch.ones(2, 2, 4, 4) * torch.tensor([0.0, 1.0])[:, None, None]
    truth = torch.ones(2, 2, 4, 4) * torch.tensor([1.0, 0.0])[:, None, None]
    known = torch.ones(2, 1, 4, 4)
    known[1] = 0
    both, _ = Classify((1, 2)).loss(output, truth, known)
    one, _ = Classify((1, 2)).loss(output[:1], truth[:1], known[:1])
    assert both.item() == pytest.approx(one.item()) == pytest.approx(np.log1p(np.e))


def test_images_of_one_class_are_refused_with_advice():
    with pytest.raises(LabelError, match="takes two"):
        Classify.made_for(Facts(2, {3: 10}))


def test_classes_are_those_that_occur():
    target = Semantic.made_for(Facts(2, {3: 10, 1: 5}))
    assert target.labels == (1, 3)
    labels = np.array([[1, 3], [-1, 3]])
    encoded = target.encode(labels, shape=(2, 2))
    assert encoded.known[0].tolist() == [[1, 1], [0, 1]]
    assert target.decode(encoded.values).tolist() == [[1, 3], [1, 3]]


@pytest.mark.parametrize(
    ("counts", "said"),
    [({}, "no class"), ({4: 9}, "one value only"), (dict.fromkeys(range(90), 1), "like objects")],
)
def test_labels_that_are_no_classes_are_refused_with_advice(counts, said):
    with pytest.raises(LabelError, match=said):
        Semantic.made_for(Facts(2, counts))


def test_score_is_over_all_pixels_and_leaves_out_what_nobody_knows():
    target = Semantic((0, 1))
    truth = [np.array([[0, 1, -1]]), np.array([[1, 1, 1]])]
    result = [np.array([[0, 1, 1]]), np.array([[1, 0, 1]])]
    scores = target.score(result, truth)
    assert scores["iou 1"] == pytest.approx(3 / 4)
    assert scores["iou 0"] == pytest.approx(1 / 2)
    assert scores["mean iou"] == pytest.approx(5 / 8)


def test_clean_images_of_which_nothing_is_known_have_no_say_in_scores():
    clean = np.random.default_rng(0).random((1, 12, 14)).astype(np.float32)
    nothing, found = np.full_like(clean, np.nan), clean + 0.1
    target = Restore()
    assert target.score([found, found], [clean, nothing]) == target.score([found], [clean])
    with pytest.raises(LabelError, match="not known anywhere"):
        target.score([found], [nothing])
