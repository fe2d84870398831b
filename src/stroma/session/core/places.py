"""Things in rectangles of a plane, found by where they are: fast also where there are thousands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from stroma.blocks.box import Box

Thing = TypeVar("Thing")

CELL = 1024
"""Side of the squares by which things are found, in pixels."""


class Places(Generic[Thing]):
    """One thing per box."""

    def __init__(self) -> None:
        self._things: dict[Box, Thing] = {}
        self._cells: dict[tuple[int, int], dict[Box, None]] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._things)

    def all(self) -> list[Thing]:
        """Return all of them."""
        return list(self._things.values())

    def put(self, box: Box, thing: Thing) -> None:
        """Put a thing in a box, in place of the one that is there."""
        self._things[box] = thing
        for cell in _cells(box):
            self._cells.setdefault(cell, {})[box] = None

    def remove(self, box: Box) -> None:
        """Remove the thing in a box."""
        del self._things[box]
        for cell in _cells(box):
            del self._cells[cell][box]

    def touching(self, box: Box) -> list[Thing]:
        """Return the things whose boxes share pixels with a box."""
        near = {b: None for cell in _cells(box) for b in self._cells.get(cell, {})}
        top, left, bottom, right = box.top, box.left, box.bottom, box.right
        return [
            self._things[b]
            for b in near
            if b.top < bottom and b.bottom > top and b.left < right and b.right > left
        ]


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    if box.area:
        cells = box.coarse(CELL)
        for y in range(cells.top, cells.bottom):
            for x in range(cells.left, cells.right):
                yield y, x
