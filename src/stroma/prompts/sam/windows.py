"""What a network with an input of fixed size is shown of an image: all of it, and parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WHOLE = 1.25
"""Images up to so many times as long as the network's side are shown as a whole only."""

STEP = 0.75
"""Distance between parts, in sides: objects up to a quarter of the side lie wholly in one."""


@dataclass(frozen=True)
class Window:
    """A part of an image as the network is shown it, enlarged or shrunk.

    Parameters
    ----------
    low, shape : (int, int)
        Its first pixel, and its sides.
    scale : float
        Pixels of the network for one of the image.
    open : tuple of (bool, bool)
        Along y and x, whether the image goes on before it and behind it.
    """

    low: tuple[int, int]
    shape: tuple[int, int]
    scale: float
    open: tuple[tuple[bool, bool], tuple[bool, bool]] = ((False, False), (False, False))

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where it lies in the image."""
        y, x = (slice(a, a + n) for a, n in zip(self.low, self.shape, strict=True))
        return y, x

    @property
    def inner(self) -> tuple[int, int]:
        """Its sides in pixels of the network."""
        rows, columns = (max(1, int(n * self.scale + 0.5)) for n in self.shape)
        return rows, columns

    def place(self, places: Floats) -> Floats:
        """Return places (..., 2) of the image in pixels of the network."""
        return np.asarray((places - np.array(self.low)) * self.scale)

    def holds(self, places: Floats) -> NDArray[np.bool_]:
        """Tell of places (n, 2) whether they lie in it."""
        away = places - np.array(self.low)
        return np.asarray(((away >= -0.5) & (away <= np.array(self.shape) - 0.5)).all(axis=1))

    def room(self, places: Floats) -> float:
        """Return how far places lie from where it is cut; below 0 where one lies outside."""
        free = math.inf
        for axis, (before, behind) in enumerate(self.open):
            away = places[:, axis] - self.low[axis]
            free = min(free, float(away.min())) if before else free
            free = min(free, float(self.shape[axis] - 1 - away.max())) if behind else free
        return free

    def cuts(self, mask: NDArray[Any]) -> bool:
        """Tell whether a mask of it reaches a side where the image goes on."""
        for axis, sides in enumerate(self.open):
            for end, is_open in zip((0, -1), sides, strict=True):
                if is_open and mask.take(end, axis).any():
                    return True
        return False


def windows(shape: tuple[int, int], side: int) -> list[Window]:
    """Return the windows of an image: the whole, and parts at full resolution where it is larger.

    Parameters
    ----------
    shape : (int, int)
        Sides of the image.
    side : int
        Of the network's input.
    """
    found = [Window((0, 0), shape, side / max(shape))]
    if max(shape) > WHOLE * side:
        found += [
            Window((y, x), (min(side, shape[0]), min(side, shape[1])), 1.0, (by, bx))
            for (y, by), (x, bx) in product(*(_starts(n, side) for n in shape))
        ]
    return found


def _starts(length: int, side: int) -> list[tuple[int, tuple[bool, bool]]]:
    """Return where parts begin along an axis, and whether the image goes on at their ends."""
    if length <= side:
        return [(0, (False, False))]
    count = math.ceil((length - side) / (STEP * side)) + 1
    starts = np.rint(np.linspace(0, length - side, count)).astype(int).tolist()
    return [(start, (start > 0, start + side < length)) for start in starts]


def best(known: Sequence[Window], places: Floats) -> int:
    """Return the number of the part in which places lie furthest from where it is cut.

    That of the whole, 0, where no part holds them all.
    """
    rooms = [window.room(places) for window in known[1:]]
    if not rooms or max(rooms) < 0:
        return 0
    return int(np.argmax(rooms)) + 1
