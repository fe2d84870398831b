"""What is known of every part: numbers that add up over blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.compiled import Array, jit
from stroma.objects.blockwise.room import Box

FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Tally:
    """Parts in a block, or in all of them.

    Parameters
    ----------
    count : (n,) int64
        Pixels.
    box : (n, 6) int64
        First z, y, x, then the ends, which lie outside.
    first : (n,) int64
        Place of the first pixel in the flat image.
    core, body : (n,) bool
        Whether a pixel is of the core, and one of an object.
    """

    count: NDArray[np.int64]
    box: NDArray[np.int64]
    first: NDArray[np.int64]
    core: NDArray[np.bool_]
    body: NDArray[np.bool_]

    @classmethod
    def empty(cls, n: int) -> Tally:
        """Return what is known of n parts without pixels."""
        box = np.zeros((n, 6), np.int64)
        box[:, :3] = FAR
        flags = np.zeros(n, bool), np.zeros(n, bool)
        return cls(np.zeros(n, np.int64), box, np.full(n, FAR), *flags)

    def touches(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return which are at the border of the image, along axes longer than one pixel."""
        ends = np.array([1] * (3 - len(shape)) + list(shape))
        at = (self.box[:, :3] == 0) | (self.box[:, 3:] == ends)
        return np.asarray(at[:, ends > 1].any(axis=1))

    def add(self, numbers: NDArray[np.integer], more: Tally) -> None:
        """Add pixels to parts: those of the i-th of more to the part of the i-th number."""
        np.add.at(self.count, numbers, more.count)
        np.minimum.at(self.first, numbers, more.first)
        np.minimum.at(self.box[:, :3], numbers, more.box[:, :3])
        np.maximum.at(self.box[:, 3:], numbers, more.box[:, 3:])
        self.core[numbers[more.core]] = True
        self.body[numbers[more.body]] = True


def tallied(labels: NDArray[np.int32], n: int, box: Box, shape: tuple[int, ...]) -> Tally:
    """Return what is known of parts 0 to n - 1 in a block, each whole one in itself.

    Parameters
    ----------
    labels : int32 array
        Numbers of parts.
    n : int
        How many numbers there are, with 0.
    box : Box
        Where the block is.
    shape : tuple of int
        Of the image.
    """
    solid = np.ascontiguousarray(labels).reshape((1,) * (3 - labels.ndim) + labels.shape)
    start = np.array([0] * (3 - labels.ndim) + [s.start for s in box])
    sides = np.array([1] * (3 - labels.ndim) + list(shape))
    made = Tally.empty(n)
    _tally(solid, start, sides, made.count, made.box, made.first)
    made.count[0] = 0
    return made


@jit
def _tally(
    labels: Array, start: Array, sides: Array, count: Array, box: Array, first: Array
) -> None:
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                i = labels[z, y, x]
                if i == 0:
                    continue
                a, b, c = z + start[0], y + start[1], x + start[2]
                if count[i] == 0:
                    first[i] = (a * sides[1] + b) * sides[2] + c
                count[i] += 1
                box[i, 0] = min(box[i, 0], a)
                box[i, 1] = min(box[i, 1], b)
                box[i, 2] = min(box[i, 2], c)
                box[i, 3] = max(box[i, 3], a + 1)
                box[i, 4] = max(box[i, 4], b + 1)
                box[i, 5] = max(box[i, 5], c + 1)
