"""What targets of classes share: a channel for every label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.targets.contract import Encoded
from stroma.targets.turns import Turn

LEAST = 1e-6
"""Shares that add up to less are of pixels that nobody knows."""


@dataclass(frozen=True)
class Labels:
    """One channel per class.

    Parameters
    ----------
    labels : tuple of int
        Numbers of the classes, ascending; channel k is that of ``labels[k]``.
    """

    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them."""
        object.__setattr__(self, "labels", tuple(int(n) for n in self.labels))

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Nothing: the most probable class wins."""
        return {}

    @property
    def context(self) -> int:
        """Blocks are looked at by themselves."""
        return 0

    def channels(self) -> tuple[str, ...]:
        """Return the labels as text."""
        return tuple(str(label) for label in self.labels)

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return one channel per class that is 1 where the class is.

        Of shares of the classes, (K, *shape), how likely each is; known is what they add up to.
        """
        if np.ndim(truth) > len(shape):
            known = np.asarray(truth, np.float32).sum(0, keepdims=True)
            return Encoded(truth / np.maximum(known, LEAST), known)
        values = np.stack([truth == label for label in self.labels]).astype(np.float32)
        return Encoded(values, values.sum(0, keepdims=True))

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back; what is said of a class has no direction."""
        return turn.undo(prediction)
