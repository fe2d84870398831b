"""Options of decoding, chosen by the target's own score on images that were kept from training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

    One option after the other is tried, the others kept, until nothing is better; the default wins
    where nothing is.

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
    chosen = {name: values[0] for name, values in target.tunable.items()}
    scores = _scores(target, predictions, truths, chosen)
    for _ in range(PASSES):
        before = chosen
        for name, values in target.tunable.items():
            for value in values:
                tried = {**chosen, name: value}
                if tried == chosen:
                    continue
                found = _scores(target, predictions, truths, tried)
                if decisive(target, found) > decisive(target, scores) + GAIN:
                    chosen, scores = tried, found
        if chosen == before:
            break
    return chosen, scores


def held(predictions: Iterable[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the first predictions that are held at once: one at least."""
    found: list[NDArray[np.float32]] = []
    for prediction in predictions:
        if found and sum(p.size for p in found) + prediction.size > MOST:
            break
        found.append(prediction)
    return found


def _scores(
    target: Target, predictions: Sequence[Any], truths: Sequence[Any], options: dict[str, Any]
) -> dict[str, float]:
    return target.score([target.decode(p, **options) for p in predictions], truths)


def decisive(target: Target, scores: Mapping[str, float]) -> float:
    """Return the number that options are chosen by: the first score, or those a target names."""
    names = getattr(target, "deciding", None) or tuple(scores)[:1]
    return sum(scores[name] for name in names) / len(names)
