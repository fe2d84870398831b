"""A small Segment Anything that learns: a network of planes that answers prompts, too."""

import pytest
import torch

from stroma.backbones.sam_detail import packed, unpacked
from stroma.errors import ParameterError
from stroma.networks.sam import SIDE, PromptedSAM
from stroma.testing import check_network

TINY = {
    "features": [8, 8, 8, 16],
    "blocks": [1, 1, 1, 1],
    "heads": [1, 1, 1],
    "windows": [4, 4, 4],
    "cells": 16,
    "width": 2,
}


def test_it_keeps_the_contract():
    check_network(PromptedSAM, whole=False, **TINY)


def test_it_answers_prompts_of_every_kind():
    network = PromptedSAM(1, 3, **TINY).eval()
    maps = network.embedded(torch.randn(1, 1, SIDE, SIDE)).expand(4, -1, -1, -1)
    points, labels = torch.full((4, 1, 2), 100.0), torch.ones(4, 1, dtype=torch.long)
    logits, scores = network.answered(maps, points=points, labels=labels, several=True)
    assert logits.shape == (4, 3, SIDE // 4, SIDE // 4)
    assert scores.shape == (4, 3)
    boxes = torch.tensor([[10.0, 10.0, 90.0, 90.0]] * 4)
    asked = {"points": points, "labels": labels, "boxes": boxes}
    once, _ = network.answered(maps, **asked)
    again, _ = network.answered(maps, **asked, masks=once)
    assert once.shape == again.shape == (4, 1, SIDE // 4, SIDE // 4)
    assert not torch.equal(once, again)
    torch.testing.assert_close(once[0], once[3])


def test_what_is_packed_is_unpacked():
    cells, middle, fine = (
        torch.randn(2, 16, 4, 4),
        torch.randn(2, 4, 8, 8),
        torch.randn(2, 2, 16, 16),
    )
    maps = packed(cells, middle, fine)
    assert maps.shape == (2, 64, 4, 4)
    for found, true in zip(unpacked(maps, 16), (cells, middle, fine), strict=True):
        assert torch.equal(found, true)


def test_many_prompts_of_one_image_are_answered_as_each_alone():
    network = PromptedSAM(1, 3, **TINY).eval()
    maps = network.embedded(torch.randn(1, 1, SIDE, SIDE))
    points = torch.tensor([[20.0, 30.0], [200.0, 100.0], [90.0, 250.0]])
    labels = torch.ones(3, 1, dtype=torch.long)
    each, scores = network.answered(
        maps.expand(3, -1, -1, -1), points=points[:, None], labels=labels
    )
    together = network.sam(
        image_embeddings=maps,
        input_points=points[None, :, None],
        input_labels=labels[None],
        multimask_output=False,
    )
    torch.testing.assert_close(together.pred_masks[0], each)
    torch.testing.assert_close(together.iou_scores[0], scores)


def test_prompts_are_drawn_where_they_are():
    prompts = PromptedSAM(1, 3, **TINY).sam.prompt_encoder
    points = torch.tensor([[[[20.0, 200.0], [100.0, 60.0], [0.0, 0.0]]]])
    box = torch.tensor([[[40.0, 80.0, 120.0, 100.0]]])
    mask = torch.full((1, 1, SIDE // 4, SIDE // 4), -5.0)
    mask[..., 3, 7] = 5.0
    labels = torch.tensor([[[1, 0, -10]]])
    drawn = prompts._drawn(torch.Size((1, 1)), points, labels, box, mask)[0, 0]
    for number, (y, x) in ((0, (50, 5)), (2, (50, 5)), (1, (15, 25)), (3, (15, 25))):
        assert divmod(int(drawn[number].argmax()), SIDE // 4) == (y, x)
        assert drawn[number, 0, 0] < 0.1  # what is no click is not drawn
    assert drawn[4].sum() == 20 * 5
    assert drawn[4, 20, 10] == drawn[4, 24, 29] == 1
    assert drawn[5, 3, 7] > 0.9
    assert drawn[5].sum() < -4000
    none = prompts._drawn(torch.Size((1, 1)), points, labels, None, None)[0, 0]
    assert not none[4:].any()


def test_what_it_cannot_do_is_said():
    for wrong, message in (
        ({"ndim": 3}, "planes"),
        ({"features": [8, 8]}, "four stages"),
        ({"features": [8, 9, 8, 16], "heads": [2, 1, 1]}, "multiples of heads"),
        ({"cells": 17}, "multiple of 16"),
    ):
        with pytest.raises(ParameterError, match=message):
            PromptedSAM(1, 3, **{**TINY, **wrong})
    with pytest.raises(ParameterError, match="distances"):
        PromptedSAM(1, 2, **TINY)
