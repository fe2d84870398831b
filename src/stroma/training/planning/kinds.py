"""Whether images are of several kinds: dark or bright objects, in grey or in colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stroma.training.feeding.cases import Case
from stroma.training.feeding.open import COLOURS

INVERTED = 0.25
MIXED = 0.3
"""How often patches of sets of several kinds are inverted, and their colours mixed."""


def varied(cases: Sequence[Case]) -> tuple[float, float]:
    """Return how often patches are to be inverted, and how often their colours mixed.

    Where objects are brighter than what is around them in some images and darker in others, they
    are to be found either way; where some images are grey and some in colours, the colours are no
    sure sign. Else both are 0.
    """
    signs = {_is_bright(case) for case in cases if case.labels is not None}
    several = {True, False} <= signs
    colours = {_is_grey(case) for case in cases} if cases[0].channels == COLOURS else set()
    return INVERTED if several else 0.0, MIXED if len(colours) == 2 else 0.0


def _is_bright(case: Case) -> bool | None:
    """Tell whether objects are brighter than the rest; None where one of them is missing."""
    assert case.labels is not None
    values, labels = case.read(case.area).mean(0), case.labels[case.area]
    inside, outside = labels > 0, labels == 0
    if not (inside.any() and outside.any()):
        return None
    return bool(np.mean(values[inside]) > np.mean(values[outside]))


def _is_grey(case: Case) -> bool:
    values = case.read(case.area)
    return bool((values == values[:1]).all())
