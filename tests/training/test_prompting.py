"""Learning to answer prompts: what is asked, what it costs, and that it is learned."""

import numpy as np
import pytest
import torch
from tests.networks.test_sam import TINY
from torch import nn

from stroma.errors import ParameterError
from stroma.networks.sam import SIDE, PromptedSAM
from stroma.targets.distances import Distances
from stroma.targets.semantic import Semantic
from stroma.training import OBJECTIVES
from stroma.training.contract import Batch, Objective
from stroma.training.learning.learner import Learner
from stroma.training.ways import prompting
from stroma.training.ways.prompting import (
    UNSAID,
    Asked,
    Prompting,
    balanced,
    chosen,
    dice,
    drawn,
    loose,
    overlaps,
)


def discs(*places, radius=30):
    labels = np.zeros((SIDE, SIDE), np.int32)
    y, x = np.indices(labels.shape)
    for number, (cy, cx) in enumerate(places, 1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = number
    return labels


def batch_of(*labels, seed=0):
    """Return images of bright objects on noise, with all that is known of them."""
    noise = np.random.default_rng(seed)
    images = [2.0 * (one > 0) + noise.normal(0, 0.2, one.shape) for one in labels]
    encoded = [Distances().encode(one, shape=one.shape) for one in labels]
    return Batch(
        torch.tensor(np.array(images), dtype=torch.float32)[:, None],
        torch.tensor(np.array([one.values for one in encoded])),
        torch.tensor(np.array([one.known for one in encoded])),
        seed,
        numbers=torch.tensor(np.array(labels)).long(),
    )


def test_it_keeps_the_protocol():
    assert isinstance(OBJECTIVES["prompting"](Distances()), Objective)


def test_clicks_lie_where_they_may():
    torch.manual_seed(0)
    masks = torch.tensor(np.stack([discs((60, 60)), discs((200, 100), radius=9)]) > 0)
    for _ in range(20):
        asked = Asked().with_clicks(masks, on=True).with_clicks(~masks, on=False)
        rows = torch.arange(2)
        (x0, y0), (x1, y1) = (asked.points[:, i].long().T for i in range(2))
        assert masks[rows, y0, x0].all()
        assert not masks[rows, y1, x1].any()
    assert asked.labels.tolist() == [[1, 0], [1, 0]]
    full = torch.ones(1, 4, 4, dtype=torch.bool)
    assert Asked().with_clicks(~full, ~full, on=False).labels.tolist() == [[UNSAID]]
    none = torch.zeros_like(masks)
    other = Asked().with_clicks(none, masks, on=True).points.long()
    assert masks[rows, other[:, 0, 1], other[:, 0, 0]].all()


def test_every_pixel_of_a_mask_is_clicked_as_often():
    mask = torch.zeros(4000, 3, 3, dtype=torch.bool)
    mask[:, 0, 1] = mask[:, 2, 2] = True
    torch.manual_seed(0)
    place, nowhere = drawn(mask)
    assert not nowhere.any()
    found, counts = place.unique(return_counts=True)
    assert found.tolist() == [1, 8]
    assert abs(counts[0] - 2000) < 200


def test_objects_are_chosen_from_every_image():
    numbers = torch.tensor(np.stack([discs((60, 60), (60, 180)), discs((100, 100))]))
    numbers[1, 0, 0] = 7  # too small to be asked for
    where, masks = chosen(numbers, 5)
    assert sorted(where.tolist()) == [0, 0, 1]
    assert all(len(numbers[i][mask].unique()) == 1 for i, mask in zip(where, masks, strict=True))
    assert len(chosen(numbers, 1)[0]) == 2
    assert len(chosen(numbers * 0, 5)[0]) == 0


def test_boxes_are_about_as_large_as_objects():
    masks = torch.tensor(discs((60, 100), radius=20) > 0)[None]
    x0, y0, x1, y1 = loose(masks)[0].tolist()
    for found, true in ((x0, 81), (y0, 41), (x1, 119), (y1, 79)):
        assert abs(found - true) <= 0.1 * 39 + 1e-3


def test_dice_and_overlap_are_right():
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[:, :2] = True
    sure = torch.where(mask, 50.0, -50.0)[:, None]
    assert dice(sure, mask).item() == pytest.approx(0, abs=1e-6)
    half = torch.full((1, 1, 4, 4), 50.0)
    assert dice(half, mask).item() == pytest.approx(1 - 17 / 25)
    assert overlaps(half > 0, mask).tolist() == [[0.5]]


def test_the_object_and_what_is_beside_it_count_the_same():
    mask = torch.zeros(1, 10, 10, dtype=torch.bool)
    mask[:, 0, 0] = True
    nothing = torch.full((1, 1, 10, 10), -4.0)
    missed, right = np.log1p(np.exp(4.0)), np.log1p(np.exp(-4.0))
    assert balanced(nothing, mask).item() == pytest.approx((missed + right) / 2)
    assert balanced(-nothing, mask).item() == pytest.approx((missed + right) / 2)
    assert balanced(torch.where(mask, 50.0, -50.0)[:, None], mask).item() < 1e-6
    full = torch.ones_like(mask)
    assert balanced(-nothing, full).item() == pytest.approx(right / 2)


class Tells(PromptedSAM):
    """Answers three masks, of which one is right, and remembers what it was asked."""

    def __init__(self, mask, *, right=2):
        super().__init__(1, 3, **TINY)
        self.mask, self.right, self.asked = mask, right, []

    def answered(self, maps, *, several=False, **asked):
        self.asked.append({"several": several, **asked})
        true = torch.where(self.mask[::4, ::4], 9.0, -9.0).expand(len(maps), 1, -1, -1)
        wrong = -true
        logits = torch.cat([true if i == self.right else wrong for i in range(3)], 1)
        scores = torch.tensor([[float(i == self.right) for i in range(3)]]).expand(len(maps), 3)
        return (logits, scores) if several else (logits[:, -1:], scores[:, -1:])


def test_the_best_of_three_masks_counts_and_every_round_adds_two_clicks():
    labels = discs((120, 120), radius=60)
    network = Tells(torch.tensor(labels > 0))
    objective = Prompting(Distances(), rounds=3, again=1.0, drawing=0.0)
    for seed in range(6):
        torch.manual_seed(seed)
        network.asked.clear()
        loss, logs = objective.step(network, batch_of(labels))
        assert loss.item() < 0.2  # coarse masks are a little off
        assert float(logs["overlap"]) > 0.9
        first, second, third = network.asked
        by_box = first["boxes"] is not None
        assert first["several"] is not by_box
        assert (first["points"] is None) is by_box
        assert [a["points"].shape[1] for a in (second, third)] == ([2, 4] if by_box else [3, 5])
        assert first["masks"] is None
        assert third["masks"].shape == (1, 1, SIDE // 4, SIDE // 4)
        assert third["masks"].abs().max() <= prompting.SURE


def test_clicks_after_an_answer_lie_where_it_is_wrong():
    truth, answer = (torch.tensor(discs((120, x), radius=60) > 0) for x in (120, 150))
    network = Tells(answer)
    for seed in range(10):
        torch.manual_seed(seed)
        network.asked.clear()
        labels = truth.int().numpy()
        Prompting(Distances(), rounds=2, drawing=0.0).step(network, batch_of(labels))
        (x0, y0), (x1, y1) = network.asked[1]["points"][0, -2:].long().tolist()
        assert network.asked[1]["labels"][0, -2:].tolist() == [1, 0]
        assert truth[y0, x0]
        assert not answer[y0, x0] or _near(answer, y0, x0)
        assert not truth[y1, x1]
        assert answer[y1, x1] or _near(answer, y1, x1)


def _near(mask, y, x):
    """Tell whether a pixel lies at the border of a mask, whose coarse logits are a little off."""
    around = mask[y - 4 : y + 5, x - 4 : x + 5]
    return bool(around.any() and not around.all())


def test_a_wrong_answer_costs_more():
    labels = discs((120, 120), radius=60)
    network = Tells(torch.tensor(labels == 0))
    loss, _ = Prompting(Distances(), rounds=2, drawing=0.0).step(network, batch_of(labels))
    assert loss.item() > 1


def test_scores_of_masks_that_are_not_the_best_are_learned_too():
    """An engine shows the mask of the best score, so that those of bad masks have to be low."""
    labels = discs((120, 120), radius=60)
    batch = batch_of(labels)

    class Boasts(Tells):
        def answered(self, maps, **asked):
            logits, scores = super().answered(maps, **asked)
            return logits, torch.ones_like(scores)

    losses = []
    for kind in (Tells, Boasts):
        network, objective = kind(torch.tensor(labels > 0)), Prompting(Distances(), rounds=1)
        for seed in range(6):
            torch.manual_seed(seed)
            network.asked.clear()
            _, logs = objective.step(network, batch)
            if network.asked[0]["several"]:
                losses.append(float(logs["prompting"]))
                break
    assert losses[1] > losses[0] + 0.5


def test_images_without_objects_teach_what_is_drawn():
    network = PromptedSAM(1, 3, **TINY)
    loss, logs = Prompting(Distances()).step(network, batch_of(np.zeros((SIDE, SIDE), np.int32)))
    assert "prompting" not in logs
    loss.backward()
    assert network.decoder.out_conv.weight.grad.abs().sum() > 0


def test_it_is_learned_from_both():
    """On one batch again and again, answers become right and so does what is drawn."""
    torch.manual_seed(0)
    network = PromptedSAM(1, 3, **{**TINY, "cells": 32})
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    objective = Prompting(Distances(), objects=4, rounds=2)
    batch = batch_of(discs((60, 60), (180, 190), radius=45), discs((120, 130), radius=70))
    seen = []
    for _ in range(40):
        loss, logs = objective.step(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append({name: float(value) for name, value in logs.items()})
    early, late = (
        {k: np.mean([s[k] for s in part]) for k in seen[0]} for part in (seen[:5], seen[-5:])
    )
    assert late["overlap"] > max(0.5, early["overlap"] + 0.2)
    assert late["foreground"] < 0.85 * early["foreground"]


def test_what_does_not_go_together_is_said():
    with pytest.raises(ParameterError, match="target='distances'"):
        Prompting(Semantic((0, 1)))
    with pytest.raises(ParameterError, match="numbers from 1"):
        Prompting(Distances(), rounds=0)
    batch = batch_of(discs((60, 60)))
    with pytest.raises(ParameterError, match="network='sam'"):
        Prompting(Distances()).step(nn.Conv2d(1, 3, 1), batch)
    small = Batch(batch.images[..., :64, :64], batch.truth, batch.known, 0, numbers=batch.numbers)
    with pytest.raises(ParameterError, match="Leave patch out"):
        Prompting(Distances()).step(PromptedSAM(1, 3, **TINY), small)


def test_patches_have_the_numbers_of_objects():
    labels = discs((60, 60), (180, 190))
    image = (labels > 0) + np.random.default_rng(0).normal(0, 0.1, labels.shape)
    task = Learner(
        target="distances", network="sam", network_options=TINY, objective="prompting", steps=1
    ).task([image.astype(np.float32)], [labels])
    training = task._training(task.cases, lambda _: None, None, None)
    batch = training.batch(0)
    assert tuple(batch.images.shape[2:]) == tuple(batch.numbers.shape[1:]) == (SIDE, SIDE)
    assert set(batch.numbers.unique().tolist()) <= {-1, 0, 1, 2}
    assert torch.equal(batch.numbers > 0, batch.truth[:, 0] > 0)
    assert training.latest
