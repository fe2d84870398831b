"""Sets of several kinds are noticed, and only what differs in them is varied."""

from dataclasses import replace

import numpy as np
import pytest

from stroma.training.feeding.augment import NONE
from stroma.training.feeding.data import cases_of
from stroma.training.feeding.splits import split
from stroma.training.learning.learner import Learner
from stroma.training.learning.task import LOOKED_AT, some
from stroma.training.planning.kinds import INVERTED, MIXED, varied

SIDE = 24


def picture(*, bright=True, colours=False):
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[4:12, 4:12] = 1
    values = np.where(labels > 0, 200.0, 20.0) if bright else np.where(labels > 0, 20.0, 200.0)
    values = values + np.arange(SIDE)
    if colours:
        values = np.stack([values, values / 2, values / 3], -1)
    return values.astype(np.float32), labels


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([{}, {}], (0, 0)),
        ([{}, {"bright": False}], (INVERTED, 0)),
        ([{"colours": True}, {"colours": True, "bright": False}], (INVERTED, 0)),
        ([{}, {"colours": True}], (0, MIXED)),
        ([{}, {"bright": False, "colours": True}], (INVERTED, MIXED)),
    ],
)
def test_only_what_differs_is_varied(kinds, expected):
    images, labels = zip(*(picture(**kind) for kind in kinds), strict=True)
    assert varied(cases_of(list(images), list(labels), truth="instances")) == expected
    task = Learner(target="distances").task(list(images), list(labels))
    augmentation = task._augmentation()
    assert (augmentation.invert, augmentation.mix) == expected


def test_classes_are_never_inverted():
    images, labels = zip(picture(), picture(bright=False), strict=True)
    augmentation = Learner(target="semantic").task(list(images), list(labels))._augmentation()
    assert (augmentation.invert, augmentation.mix) == (0, 0)


def test_inverted_patches_are_their_negative_and_mixtures_lie_between_colours():
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (3, 8, 8)).astype(np.float32)
    assert np.array_equal(replace(NONE, invert=1.0).intensities(image, rng), -image)
    greys = 0
    for _ in range(20):
        mixed = replace(NONE, mix=1.0).intensities(image, rng)
        assert (mixed >= image.min(0) - 1e-6).all()
        assert (mixed <= image.max(0) + 1e-6).all()
        greys += bool((mixed == mixed[:1]).all())
    assert 0 < greys < 20


def test_of_several_kinds_a_strip_of_each_is_kept_for_scores():
    images, labels = zip(*(picture(bright=n % 2 == 0) for n in range(6)), strict=True)
    alike = [picture() for _ in range(6)]
    several = Learner(target="distances").task(list(images), list(labels))
    same = Learner(target="distances").task(*map(list, zip(*alike, strict=True)))
    learned, kept = split(several.cases, strips=any(several.varied))
    assert len(learned) == len(kept) == 6
    assert len(split(same.cases, strips=any(same.varied))[1]) == 1
    assert 1 < len(some(kept * 3)) <= LOOKED_AT
    assert list(some(kept)) == kept
