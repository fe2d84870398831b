"""What scores of all kinds share: two arrays of one shape, and means over images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ShapeError


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
