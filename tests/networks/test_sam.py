"""A small Segment Anything that learns: a network of planes that answers prompts, too."""

import pytest
import torch

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
