"""Labels that are not sure: how much of every pixel is of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Shares:
    """What is known of the classes of an image, where it is more or less likely.

    Parameters
    ----------
    labels : tuple of int
        Of the classes.
    values : (K, *space) float16 array
        Share of every class. Their sum is the weight of a pixel: 1 where it is as good as painted,
        less where it is guessed, 0 where nobody knows.

    Raises
    ------
    ShapeError
        If there is not one share for each class.
    """

    labels: tuple[int, ...]
    values: NDArray[np.float16]

    def __post_init__(self) -> None:
        """Check."""
        if len(self.labels) != len(self.values):
            raise ShapeError(
                f"There is a share for each class: {len(self.labels)} classes (labels), "
                f"{len(self.values)} shares (values)."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Sides of the image."""
        return self.values.shape[1:]

    def __getitem__(self, part: Any) -> Shares:
        """Return those of a part of the image."""
        return Shares(self.labels, self.values[(slice(None), *part)])

    def within(self, mask: NDArray[np.bool_]) -> Shares:
        """Return them with nothing known outside of a mask."""
        return Shares(self.labels, np.where(mask, self.values, np.float16(0)))

    def of(self, labels: Sequence[int]) -> NDArray[np.float16]:
        """Return the shares of some classes in their order; none of what is not among them."""
        rows = [self.values[self.labels.index(n)] if n in self.labels else 0 for n in labels]
        found: NDArray[np.float16] = np.stack(np.broadcast_arrays(*rows, self.values[0])[:-1])
        return found

    def likely(self, *, unknown: int) -> NDArray[np.int32]:
        """Return the most likely label of every pixel; ``unknown`` where nobody knows."""
        best = np.array(self.labels, np.int32)[self.values.argmax(0)]
        return np.where(self.values.any(0), best, np.int32(unknown))
