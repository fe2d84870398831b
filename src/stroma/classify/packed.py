"""Scores as integers of 32 bits, two in one of 64, so that one addition adds two of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGEST = 2**31 - 2**20
"""What sums may reach, with room for the rounding of a million terms."""


def pack(values: NDArray[np.floating], reach: float) -> tuple[NDArray[np.int64], float]:
    """Return the terms of sums as packed integers, and what one unit of them is worth.

    Two scores a and b become ``b * 2**32 + a``. The sum of such numbers holds the sums of a in
    its low and of b in its high half (less one unit where that of a is negative), as long as
    neither leaves 32 bits. What is lost is half a unit per term: 2**-32 of the reach.

    Parameters
    ----------
    values : (..., C, n) float array
        Terms of C sums.
    reach : float
        Absolute value that no sum exceeds.

    Returns
    -------
    packed : (..., ceil(C / 2), n) int64
    unit : float
    """
    unit = max(reach, 1e-30) / LARGEST
    whole = np.rint(values / unit).astype(np.int64)
    low, high = whole[..., ::2, :], whole[..., 1::2, :]
    packed = low.copy()
    packed[..., : high.shape[-2], :] += high << 32
    return packed, unit
