"""What is known of one block of one plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class BlockResult:
    """Probabilities in one rectangle of one plane.

    Parameters
    ----------
    plane : dict of str to int
        Position along t and z, as far as the image has them.
    y, x : slice
        Rows and columns, in pixels of the image.
    probabilities : (K, h, w) float32 array
        Per class, in the order of ``classes_``. With ``step`` s > 1, one value stands for s x s
        pixels (fewer at the end of the rectangle).
    labels : (h, w) array
        The most probable class of every pixel, smoothed if the model says so.
    step : int
        Pixels per value along each axis.
    done, total : int
        How many blocks are ready, with this one, and how many there are.
    """

    plane: dict[str, int]
    y: slice
    x: slice
    probabilities: NDArray[np.float32]
    labels: NDArray[np.integer]
    step: int
    done: int
    total: int

    @property
    def index(self) -> tuple[int | slice, ...]:
        """Where the labels belong in an array of the image's axes without channels."""
        return *self.plane.values(), self.y, self.x
