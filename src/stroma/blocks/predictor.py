"""What can be applied to images of any size: a function of a block, and what it needs around."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Sides = tuple[int, int, int]
"""A number of pixels along z, y and x; a plane is a volume of depth one."""


@runtime_checkable
class Predictor(Protocol):
    """A trained model as the runner of blocks sees it.

    The runner reads windows, calls ``predict`` in threads or processes, and keeps of each result
    what lies in the block's core. A predictor pickles, and keeps no results in itself.
    """

    @property
    def halo(self) -> Sides | None:
        """Pixels around a core that its result depends on; None where it is the whole window."""
        ...

    @property
    def stride(self) -> Sides:
        """Cores and windows start and end on multiples of it."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the channels that ``predict`` returns."""
        ...

    def predict(self, block: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Return the (K, z, y, x) outputs for the (C, z, y, x) pixels of a window.

        Pixels are as they are in the image, not normalised; depth is 1 for predictors of planes.
        """
        ...


def is_predictor(value: Any) -> bool:
    """Tell whether something keeps the form of the contract."""
    return isinstance(value, Predictor)
