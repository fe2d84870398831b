"""Results block by block: what is known of each plane, how fine, and for which revision."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

from stroma.blocks.box import Box
from stroma.session.core.places import Places

PlaneKey = tuple[str, int]
"""Image and number of the plane."""


class Piece(Protocol):
    """The result in one rectangle of one plane; what it holds is the bench's affair."""

    @property
    def box(self) -> Box:
        """Its pixels."""

    @property
    def step(self) -> int:
        """Pixels per value, along each axis."""

    @property
    def revision(self) -> int:
        """What it answers."""

    @property
    def serial(self) -> int:
        """Ascending; set by the store."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""


Block = TypeVar("Block", bound=Piece)


class Results(Generic[Block]):
    """All blocks of all planes, bounded in bytes; what was not used for longest goes first.

    Parameters
    ----------
    max_bytes : int
        Bound.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._planes: dict[PlaneKey, Places[Block]] = {}
        self._used: OrderedDict[tuple[PlaneKey, Box], int] = OrderedDict()
        self._bytes = 0
        self._serial = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self._bytes

    def put(self, plane: PlaneKey, block: Block) -> None:
        """Add a block in place of those that lie inside it."""
        with self._lock:
            blocks = self._planes.setdefault(plane, Places())
            for old in blocks.touching(block.box):
                if old.box.clipped(block.box) == old.box:
                    self._remove(plane, old.box)
            self._serial += 1
            object.__setattr__(block, "serial", self._serial)
            blocks.put(block.box, block)
            self._used[plane, block.box] = block.nbytes
            self._bytes += block.nbytes
            while self._bytes > self.max_bytes and len(self._used) > 1:
                self._remove(*next(iter(self._used)))

    def blocks(self, plane: PlaneKey, box: Box | None = None) -> list[Block]:
        """Return the blocks of a plane that touch a box, those of the latest revision last."""
        with self._lock:
            known = self._planes.get(plane, Places())
            found = known.all() if box is None else known.touching(box)
            for block in found:
                self._used.move_to_end((plane, block.box))
        return sorted(found, key=lambda b: (b.revision, b.serial))

    def steps(self, plane: PlaneKey, revision: int) -> dict[Box, int]:
        """Return how fine the blocks are that answer a revision."""
        with self._lock:
            blocks = self._planes.get(plane, Places()).all()
            return {b.box: b.step for b in blocks if b.revision == revision}

    def planes(self, image: str) -> int:
        """Return of how many planes of an image there is any result."""
        return len(self.numbers(image))

    def numbers(self, image: str) -> list[int]:
        """Return the numbers of the planes of an image of which there is any result, ascending."""
        with self._lock:
            found = [n for (key, n), known in self._planes.items() if key == image and len(known)]
        return sorted(found)

    def drop(self, *, image: str | None = None) -> None:
        """Forget the results of an image, or all."""
        with self._lock:
            for plane in [p for p in self._planes if image in (None, p[0])]:
                for block in self._planes[plane].all():
                    self._remove(plane, block.box)
                del self._planes[plane]

    def drop_older(self, plane: PlaneKey, revision: int) -> None:
        """Forget blocks of a plane that answer an earlier revision."""
        with self._lock:
            for block in self._planes.get(plane, Places()).all():
                if block.revision < revision:
                    self._remove(plane, block.box)

    def _remove(self, plane: PlaneKey, box: Box) -> None:
        self._planes[plane].remove(box)
        self._bytes -= self._used.pop((plane, box))
