"""What scores of all kinds share: two arrays of one shape, and means over images."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ShapeError

OF_CLASS = re.compile(r"(.*\b(?:iou|recall)) (\d+)")
"""The name of the score of one class, and its label."""


def require_same_shape(result: NDArray[Any], truth: NDArray[Any]) -> None:
    """Refuse a result and a truth that cannot be compared pixel by pixel."""
    if result.shape != truth.shape:
        raise ShapeError(
            f"Result and truth are compared pixel by pixel, so they have one shape; got "
            f"{result.shape} and {truth.shape}."
        )


def mean_scores(images: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every score over images."""
    return {name: float(np.mean([one[name] for one in images])) for name in images[0]}


def spread_scores(images: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the standard deviation of every score over the images that have it, two at least."""
    names = dict.fromkeys(name for one in images for name in one)
    known = {
        name: [v for one in images if (v := _number(one.get(name))) is not None] for name in names
    }
    return {n: float(np.std(values, ddof=1)) for n, values in known.items() if len(values) > 1}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def by_name(scores: Mapping[str, float], names: Mapping[int, str]) -> dict[str, float]:
    """Return scores of which those of a class, "recall 2", end in its name instead of its label.

    Parameters
    ----------
    scores : mapping of str to float
        As targets say them.
    names : mapping of int to str
        Of classes, by label; those of others stay as they are. Where several have one name, the
        label follows it.
    """
    known = {score: OF_CLASS.fullmatch(score) for score in scores}
    labels = {int(own[2]) for own in known.values() if own is not None}
    several = Counter(names[label] for label in labels if label in names)

    def called(score: str) -> str:
        own = known[score]
        if own is None or (label := int(own[2])) not in names:
            return score
        return f"{own[1]} {names[label]}{f' ({label})' if several[names[label]] > 1 else ''}"

    return {called(score): value for score, value in scores.items()}
