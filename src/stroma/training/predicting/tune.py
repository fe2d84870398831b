"""Options of decoding, chosen by the target's own score on images that were kept from training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.targets.contract import Target

MOST = 2**28
"""Predicted values that are held at once, at most (1 GiB)."""

PASSES = 3
"""How often all options are gone through, at most: what is best of one depends on the others."""

GAIN = 1e-6
"""How much better a value has to be than the one before it."""


def tune(
    target: Target, predictions: Sequence[NDArray[np.float32]], truths: Sequence[Any]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the values of the options of ``decode`` that score best, and their scores.

    One option after the other is tried, the others kept, until nothing is better. Few images tell
    values apart by chance: a value is changed only where what it gains on all images together
    exceeds the standard error of what it gains on each. Of a single image, every gain counts.

    Parameters
    ----------
    target : Target
        Decodes and scores; the first score decides, or the mean of those that it names
        (``deciding``).
    predictions : sequence of (K, *space) arrays
        Of images that were not learned from.
    truths : sequence
        As for ``score``.
    """
    first = {name: values[0] for name, values in target.tunable.items()}
    best = _trial(target, predictions, truths, first)
    for _ in range(PASSES):
        before = best.options
        for name, values in target.tunable.items():
            kept = best
            for value in values:
                options = {**kept.options, name: value}
                if options == kept.options:
                    continue
                tried = _trial(target, predictions, truths, options)
                if _exceeds(tried, best) and _exceeds(tried, kept, surely=True):
                    best = tried
        if best.options == before:
            break
    return best.options, best.scores


def held(predictions: Iterable[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the first predictions that are held at once: one at least."""
    found: list[NDArray[np.float32]] = []
    for prediction in predictions:
        if found and sum(p.size for p in found) + prediction.size > MOST:
            break
        found.append(prediction)
    return found


@dataclass(frozen=True, eq=False)
class _Trial:
    """What some options make of predictions."""

    target: Target
    options: dict[str, Any]
    results: list[Any]
    truths: Sequence[Any]

    @cached_property
    def scores(self) -> dict[str, float]:
        """Of all images together."""
        return self.target.score(self.results, self.truths)

    @property
    def together(self) -> float:
        """What decides, of all images together."""
        return decisive(self.target, self.scores)

    @cached_property
    def each(self) -> NDArray[np.float64]:
        """What decides, of each image."""
        pairs = zip(self.results, self.truths, strict=True)
        scores = [self.target.score([one], [true]) for one, true in pairs]
        return np.array([decisive(self.target, found) for found in scores])


def _trial(
    target: Target, predictions: Sequence[Any], truths: Sequence[Any], options: dict[str, Any]
) -> _Trial:
    results = [target.decode(p, **options) for p in predictions]
    return _Trial(target, options, results, truths)


def _exceeds(one: _Trial, other: _Trial, *, surely: bool = False) -> bool:
    """Tell whether a trial is better; surely, by more than the standard error of its gain."""
    gain = one.together - other.together
    if not surely or len(one.results) == 1:
        return gain > GAIN
    gains = one.each - other.each
    return gain > max(GAIN, float(gains.std(ddof=1) / np.sqrt(len(gains))))


def decisive(target: Target, scores: Mapping[str, float]) -> float:
    """Return the number that options are chosen by: the first score, or those a target names."""
    names = getattr(target, "deciding", None) or tuple(scores)[:1]
    return sum(scores[name] for name in names) / len(names)
