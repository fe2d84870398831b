"""Losses are what their formulas say, on examples that are computed by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from stroma.targets import LOSSES
from stroma.targets.boundary import Boundary, soft_border
from stroma.targets.losses import (
    CrossEntropy,
    Dice,
    Focal,
    GeneralisedDice,
    Tversky,
    class_weights,
    dice_ce,
)

SHAPES = [(2, 3, 6, 7), (1, 3, 4, 5, 6)]


def example(shape, seed=0):
    """Return outputs, truth, and weights that are all 1."""
    rng = np.random.default_rng(seed)
    output = torch.from_numpy(rng.normal(size=shape))
    index = torch.from_numpy(rng.integers(0, shape[1], (shape[0], *shape[2:])))
    truth = torch.nn.functional.one_hot(index, shape[1]).movedim(-1, 1).double()
    return output, truth, torch.ones(shape[0], 1, *shape[2:]).double()


def perfect(truth):
    return (truth - 0.5) * 200


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_loss_is_near_0_for_what_is_right_and_larger_for_what_is_not(name, shape):
    # Of noise, every pixel is near some border.
    loss = LOSSES[name](**({"tolerance": 0} if name == "boundary" else {}))
    output, truth, known = example(shape)
    right = loss(perfect(truth), truth, known)
    assert float(right) == pytest.approx(0, abs=0.02)
    assert float(loss(output, truth, known)) > float(right) + 0.1
    assert float(loss(perfect(1 - truth), truth, known)) > float(loss(output, truth, known))


@pytest.mark.parametrize("name", LOSSES)
def test_pixels_that_nobody_knows_do_not_count(name):
    loss = LOSSES[name]()
    output, truth, known = example((2, 3, 12, 8))
    known[:, :, :6] = 0
    other = output.clone()
    other[:, :, :6] = -output[:, :, :6] * 7
    assert float(loss(output, truth, known)) == pytest.approx(float(loss(other, truth, known)))


@pytest.mark.parametrize("name", LOSSES)
def test_pixels_that_all_count_alike_count_as_if_they_were_known(name):
    loss = LOSSES[name]()
    output, truth, known = example((2, 3, 12, 8))
    expected = float(loss(output, truth, known))
    for weight in (0.05, 5.0):
        assert float(loss(output, truth, weight * known)) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("name", LOSSES)
def test_what_counts_more_is_told_more_by_the_loss(name):
    loss = LOSSES[name](**({"tolerance": 0} if name == "boundary" else {}))
    output, truth, known = example((2, 3, 12, 8))
    output[:, :, 6:] = perfect(truth[:, :, 6:])  # the lower half is right
    known[:, :, 6:] = 0.05
    wrong_counts = float(loss(output, truth, known))
    assert wrong_counts > float(loss(output, truth, 1.05 - known))


# Two pixels, two classes; p of class 0 and 1 in each.
P = torch.tensor([[[0.8, 0.4]], [[0.2, 0.6]]]).double()[None]
T = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]).double()[None]
K = torch.ones(1, 1, 1, 2).double()


def two_pixels(loss):
    return float(loss(P.log(), T, K))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (CrossEntropy(), -(math.log(0.8) + math.log(0.6)) / 2),
        (
            CrossEntropy(weights=(1.0, 3.0)),
            -(math.log(0.8) + 3 * math.log(0.6)) / 4,
        ),
        (Focal(gamma=2), -(0.2**2 * math.log(0.8) + 0.4**2 * math.log(0.6)) / 2),
        (Focal(gamma=0), -(math.log(0.8) + math.log(0.6)) / 2),
        (Dice(smooth=0), 1 - (1.6 / 2.2 + 1.2 / 1.8) / 2),
        (Dice(smooth=0, background=False), 1 - 1.2 / 1.8),
        (
            Dice(smooth=0, squared=True),
            1 - (1.6 / (0.64 + 0.16 + 1) + 1.2 / (0.04 + 0.36 + 1)) / 2,
        ),
        (GeneralisedDice(smooth=0), 1 - 2 * (0.8 + 0.6) / (2.2 + 1.8)),
        (
            Tversky(smooth=0, false_positives=0.3, false_negatives=0.7),
            1 - (0.8 / (0.8 + 0.3 * 0.4 + 0.7 * 0.2) + 0.6 / (0.6 + 0.3 * 0.2 + 0.7 * 0.4)) / 2,
        ),
        (dice_ce(), 1 - 1.2 / 1.8 - (math.log(0.8) + math.log(0.6)) / 2),
    ],
)
def test_losses_of_two_pixels(loss, expected):
    assert two_pixels(loss) == pytest.approx(expected, abs=1e-5)


def test_tversky_of_halves_is_dice():
    output, truth, known = example(SHAPES[0])
    half = Tversky(false_positives=0.5, false_negatives=0.5)
    assert float(half(output, truth, known)) == pytest.approx(
        float(Dice()(output, truth, known)), abs=1e-5
    )


def test_generalised_dice_weighs_classes_by_their_size():
    # 1 pixel of class 0 that is missed, 99 of class 1 that are found.
    truth = torch.zeros(1, 2, 1, 100).double()
    truth[:, 0, :, 0], truth[:, 1, :, 1:] = 1, 1
    found = torch.zeros_like(truth)
    found[:, 1] = 1
    output, known = perfect(found), torch.ones(1, 1, 1, 100).double()
    w0, w1 = 1.0, 1 / 99**2
    expected = 1 - 2 * (w1 * 99) / (w0 * 1 + w1 * (100 + 99))
    assert float(GeneralisedDice(smooth=0)(output, truth, known)) == pytest.approx(expected)


def test_class_weights_make_classes_count_equally():
    weights = class_weights([90, 10, 0])
    assert weights == pytest.approx((100 / 180, 100 / 20, 0))
    assert weights[0] * 90 == pytest.approx(weights[1] * 10)


def square(left):
    sets = torch.zeros(1, 1, 20, 20).double()
    sets[..., 5:13, left : left + 8] = 1
    return sets


def test_the_border_of_a_square_is_its_outermost_pixels():
    border = soft_border(square(5))
    assert int(border.sum()) == 4 * 7
    assert border[0, 0, 5, 5] == 1
    assert border[0, 0, 6, 6] == 0


@pytest.mark.parametrize(("shift", "tolerance", "low", "high"), [(1, 1, 0, 0.01), (3, 1, 0.3, 1)])
def test_borders_agree_within_the_tolerance(shift, tolerance, low, high):
    loss = Boundary("sigmoid", tolerance=tolerance)
    known = torch.ones(1, 1, 20, 20).double()
    found = float(loss(perfect(square(5 + shift)), square(5), known))
    assert low <= found <= high


def test_a_grey_image_is_learned_by_bce_dice():
    from stroma.targets.losses import bce_dice

    truth = torch.rand(1, 1, 8, 8).double()
    known = torch.ones_like(truth)
    right, wrong = torch.logit(truth.clamp(1e-6, 1 - 1e-6)), torch.zeros_like(truth)
    assert float(bce_dice()(right, truth, known)) < float(bce_dice()(wrong, truth, known))


TABLE = json.loads(Path(__file__).with_name("oracles").joinpath("losses.json").read_text())
SAME = {
    "dice": Dice(),
    "dice squared": Dice(squared=True),
    "dice of the batch": Dice(batch=True),
    "dice without background": Dice(background=False),
    "dice sigmoid": Dice("sigmoid"),
    "generalised dice": GeneralisedDice(),
    "tversky": Tversky(),
    "focal": Focal(),
    "focal sigmoid": Focal("sigmoid"),
    "dice and cross entropy": dice_ce(background=True, batch=False),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("number", range(len(TABLE)))
def test_losses_are_those_of_monai(name, number):
    row = TABLE[number]
    output = torch.tensor(row["output"], dtype=torch.double)
    index = torch.tensor(row["classes"])
    truth = torch.nn.functional.one_hot(index, output.shape[1]).movedim(-1, 1).double()
    known = torch.ones_like(truth[:, :1])
    found = float(SAME[name](output, truth, known))
    assert found == pytest.approx(row["losses"][name], rel=1e-5)
