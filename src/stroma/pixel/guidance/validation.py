"""What leaving out strokes tells of a model, and of two models on the same strokes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class

LEAST_STROKES = 3
"""Separate strokes of a class below which nothing is said of it."""

NINE_OF_TEN = 1.645
"""Deviations on each side that hold nine of ten values of a normal distribution."""

DECIDED = 1.0
"""Standard errors by which two models must differ to be told apart."""

NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Validation:
    """How well strokes are recognised by a model that was trained on the other strokes.

    The accuracy is for the kind of places that were painted. Borders and rare structures that no
    stroke touches are not in it, so the whole image may be worse (or better) than it says; what it
    says is told with a range, which is wide for few strokes.

    Parameters
    ----------
    classes : tuple of Class
        The classes, in the order of ``confusion``.
    confusion : (K, K) int array
        Labelled pixels that were left out, by painted (row) and predicted (column) class.
    strokes : tuple of int
        Separate strokes per class; those that nearly touch count as one.
    untested : tuple of int
        Labels of classes with too few separate strokes to tell anything.
    folds : int
        How many times a part of the strokes was left out.
    seconds : float
        Time it took.
    found : tuple of (n,) float arrays
        Per class, the share of each left-out stroke's pixels that was recognised.
    """

    classes: tuple[Class, ...]
    confusion: NDArray[np.int64]
    strokes: tuple[int, ...]
    untested: tuple[int, ...]
    folds: int
    seconds: float
    found: tuple[NDArray[np.floating], ...] = ()

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels of the classes."""
        return tuple(one.label for one in self.classes)

    @property
    def recall(self) -> tuple[float, ...]:
        """Share of each class that was recognised, every stroke counting alike; NaN if untested."""
        return tuple(float(shares.mean()) if len(shares) else NAN for shares in self.found)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """Where each class's share would be, in nine of ten cases, with more such strokes."""
        pairs = zip(self.recall, self.found, strict=True)
        return tuple(_wilson(share, len(shares)) for share, shares in pairs)

    @property
    def accuracy(self) -> float:
        """Mean of the shares of the tested classes, so that large classes do not count more."""
        known = [share for share in self.recall if share == share]
        return sum(known) / len(known) if known else NAN

    @property
    def range(self) -> tuple[float, float]:
        """Where the accuracy would be, in nine of ten cases, with more such strokes.

        Strokes are no fair sample of an image: that of all its pixels was in the range in three of
        four cases (``benchmarks/guidance.py``).
        """
        known = [
            (share, *ends)
            for share, ends in zip(self.recall, self.ranges, strict=True)
            if share == share
        ]
        if not known:
            return NAN, NAN
        share, low, high = np.array(known).T
        below, above = (float(np.hypot.reduce(d)) / len(known) for d in (share - low, high - share))
        return max(0.0, self.accuracy - below), min(1.0, self.accuracy + above)


def better(first: Validation, second: Validation) -> int:
    """Tell which of two models recognises the same strokes better: 1 the first, -1 the second.

    Stroke by stroke, the shares that were recognised are compared. 0 means that the strokes cannot
    tell them apart.
    """
    pairs = zip(first.found, second.found, strict=True)
    differences = [a - b for a, b in pairs if len(a) and len(a) == len(b)]
    if not differences:
        return 0
    mean = float(np.mean([d.mean() for d in differences]))
    parts = [d.var(ddof=1) / len(d) if len(d) > 1 else np.inf for d in differences]
    error = float(np.sqrt(np.sum(parts))) / len(parts)
    return int(np.sign(mean)) if abs(mean) > DECIDED * error else 0


def _wilson(share: float, strokes: int) -> tuple[float, float]:
    """Return the range of a share that was found with so many strokes (Wilson 1927)."""
    if not strokes:
        return NAN, NAN
    square = NINE_OF_TEN**2
    middle = (share + square / (2 * strokes)) / (1 + square / strokes)
    spread = share * (1 - share) / strokes + square / (4 * strokes**2)
    half = NINE_OF_TEN * float(np.sqrt(spread)) / (1 + square / strokes)
    return max(0.0, middle - half), min(1.0, middle + half)


def too_few(classes: Sequence[Class], strokes: Sequence[int]) -> str:
    """Return how many strokes there are of each class, for people."""
    return ", ".join(f"{one.name} has {count}" for one, count in zip(classes, strokes, strict=True))
