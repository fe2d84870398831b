"""Objects across the borders of blocks: the same object in two blocks gets one number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SAME = 0.5
"""Two objects are one if they share more than this part of the smaller one, where both look."""


class Groups:
    """Numbers that stand for the same (union and find).

    Parameters
    ----------
    count : int
        Numbers from 0 up to it, at first each by itself.
    """

    def __init__(self, count: int = 0) -> None:
        self._parents = list(range(count))

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self._parents)

    def add(self, count: int) -> int:
        """Add numbers, and return the first of them."""
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        return first

    def find(self, number: int) -> int:
        """Return the smallest number that stands for the same."""
        root = number
        while self._parents[root] != root:
            root = self._parents[root]
        while self._parents[number] != root:
            self._parents[number], number = root, self._parents[number]
        return root

    def join(self, one: int, other: int) -> None:
        """Let two numbers stand for the same."""
        a, b = self.find(one), self.find(other)
        self._parents[max(a, b)] = min(a, b)

    def roots(self) -> NDArray[np.intp]:
        """Return for every number the smallest that stands for the same."""
        return np.array([self.find(n) for n in range(len(self._parents))], np.intp)

    def table(self, used: NDArray[np.bool_]) -> NDArray[np.uint32]:
        """Return the final number of every number: from 1, in the order of the first used of each.

        Parameters
        ----------
        used : (count,) bool array
            Numbers that occur; 0 and what does not occur become 0.
        """
        roots = self.roots()
        occurs = np.zeros(len(roots), bool)
        occurs[roots[used]] = True
        occurs[:1] = False
        numbers = np.where(occurs, np.cumsum(occurs), 0).astype(np.uint32)
        found: NDArray[np.uint32] = numbers[roots]
        return found


def same_objects(
    one: NDArray[Any], other: NDArray[Any], face: tuple[slice, ...]
) -> list[tuple[int, int]]:
    """Return which objects are the same, of two label images of the same place.

    Parameters
    ----------
    one, other : integer arrays of the same shape
        What two blocks say of the pixels that both look at; 0 for none.
    face : tuple of slice
        Where the blocks meet. Only objects there are compared: those elsewhere may be cut off by
        the end of what a block looks at, and belong to one block alone.

    Returns
    -------
    list of (int, int)
        Numbers in the one and in the other: pairs that share more than half of the smaller object.
    """
    here = (one[face] > 0) & (other[face] > 0)
    pairs = set(zip(one[face][here].tolist(), other[face][here].tolist(), strict=True))
    if not pairs:
        return []
    sizes, others = np.bincount(one.ravel()), np.bincount(other.ravel())
    boxes = ndimage.find_objects(one)
    found = []
    for a, b in pairs:
        box = boxes[a - 1]
        shared = np.count_nonzero((one[box] == a) & (other[box] == b))
        if shared > SAME * min(sizes[a], others[b]):
            found.append((a, b))
    return sorted(found)
