"""Mirroring and turning by right angles, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Turn:
    """Axes exchanged, then mirrored.

    Parameters
    ----------
    order : tuple of int
        Which axis of the image becomes axis 0, 1, ... of the turned one; spatial axes only.
    flips : tuple of bool
        Which axes of the turned image are then reversed.
    """

    order: tuple[int, ...]
    flips: tuple[bool, ...]

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.order)

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array (..., *space), turned."""
        lead = array.ndim - self.ndim
        moved = array.transpose(*range(lead), *(lead + axis for axis in self.order))
        return np.flip(moved, self._flipped(lead))

    def undo(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array (..., *space) as it was before it was turned."""
        lead = array.ndim - self.ndim
        back = np.argsort(self.order)
        return np.flip(array, self._flipped(lead)).transpose(
            *range(lead), *(lead + int(axis) for axis in back)
        )

    def undo_vectors(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """Return vectors, (ndim, *space) with one component per axis, as before the turn."""
        signs = [-1 if flip else 1 for flip in self.flips]
        signed = np.stack([sign * part for sign, part in zip(signs, vectors, strict=True)])
        return self.undo(signed[np.argsort(self.order)])

    def _flipped(self, lead: int) -> tuple[int, ...]:
        return tuple(lead + axis for axis, flip in enumerate(self.flips) if flip)


def mirrors(ndim: int) -> Iterator[Turn]:
    """Yield all ways to mirror, 2 to the power of ndim; the first changes nothing."""
    for flips in product((False, True), repeat=ndim):
        yield Turn(tuple(range(ndim)), flips)
