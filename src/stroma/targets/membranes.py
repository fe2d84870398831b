"""Membranes: thin surfaces, whose place matters more than how many pixels they have.

As MemBrain v2 (Lamm et al. 2024, doi 10.1101/2024.01.05.574336): classes with labels that are
ignored, Dice and cross-entropy, and agreement of surfaces beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stroma.errors import ParameterError
from stroma.metrics.surface import surface_dice
from stroma.targets.semantic import Semantic


@dataclass(frozen=True)
class Membranes(Semantic):
    """One channel per class, the first of which is background; surfaces of the others count.

    Parameters
    ----------
    labels : tuple of int
        Values of the classes in label images, ascending; channel k is that of ``labels[k]``.
    loss_name : str
        One of ``LOSSES``; "surface" is Dice, cross-entropy and surface Dice.
    loss_options : mapping
        Its parameters.
    tolerance : float
        How far surfaces may be apart in scores, in pixels.
    """

    loss_name: str = "surface"
    tolerance: float = 1.0

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them, and check."""
        super().__post_init__()
        if self.tolerance < 0:
            raise ParameterError(f"tolerance is a number of pixels from 0, got {self.tolerance}.")

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return the mean surface Dice of images and classes, then what `Semantic` returns."""
        each = [
            self._surface(np.asarray(found), np.asarray(true), label)
            for found, true in zip(results, truths, strict=True)
            for label in self.labels[1:]
        ]
        seen = [value for value in each if not np.isnan(value)]
        mean = float(np.mean(seen)) if seen else 0.0
        return {"surface dice": mean, **super().score(results, truths)}

    def _surface(self, found: Any, true: Any, label: int) -> float:
        result = (found == label) & (true >= 0)
        spacing = (1.0,) * true.ndim
        return surface_dice(result, true == label, spacing=spacing, tolerance=self.tolerance)
