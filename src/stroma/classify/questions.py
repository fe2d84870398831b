"""Questions of the form "is this feature above that border", asked by rank."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_BORDERS = 255
"""Borders of one feature whose ranks fit in a byte."""


class Questions(NamedTuple):
    """Distinct borders, and which of them each question is about."""

    used: NDArray[np.int64]
    """(U,) features that are asked about, ascending."""
    start: NDArray[np.int64]
    """(U + 1,) where the borders of each begin."""
    borders: NDArray[np.float32]
    """(B,) borders of all used features, ascending within each."""
    slot: NDArray[np.int64]
    """(Q,) position in ``used`` of the feature a question is about."""
    rank: NDArray[np.int64]
    """(Q,) how many borders of that feature lie below the one asked about."""

    @property
    def most(self) -> int:
        """The greatest number of borders that a feature has."""
        return int(np.diff(self.start).max(initial=0))


def ranked(feature: NDArray[np.integer], border: NDArray[np.floating]) -> Questions:
    """Return (Q,) features and (Q,) finite borders as questions of rank."""
    pairs = np.stack([feature, border]).astype(np.float64)
    pairs, number = np.unique(pairs, axis=1, return_inverse=True)
    used, start = np.unique(pairs[0].astype(np.int64), return_index=True)
    slot = np.searchsorted(used, feature)
    start = np.append(start, pairs.shape[1])
    return Questions(used, start, pairs[1].astype(np.float32), slot, number.ravel() - start[slot])


def half_keys(borders: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return borders as the integers by which ``kernels.rank_half`` orders float16 values.

    The greatest float16 not above a border takes its place, which no float16 value notices.
    """
    with np.errstate(over="ignore"):
        near = borders.astype(np.float16)
    below = np.where(near > borders, np.nextafter(near, np.float16(-np.inf)), near)
    bits = (below + np.float16(0)).view(np.int16)  # no negative zero
    return bits ^ ((bits >> 15) & 0x7FFF)
