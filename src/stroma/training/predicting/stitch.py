"""Objects of a whole image from those of its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.blocks.merge import Groups, same_objects
from stroma.blocks.room import Frame
from stroma.targets.instances import require_room
from stroma.training.feeding.windows import Cube, common, meet, relative, shape_of

Labels = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Seen:
    """What is kept of a block until its neighbours were seen: its objects on the way to them.

    A volume may have hundreds of blocks side by side that wait for those behind them: their label
    images would fill memory, so that objects are kept as one bit a pixel of the box around each.

    Parameters
    ----------
    core : Cube
        What it is to label.
    window : Cube
        What it looked at: the core and its surroundings.
    first : int
        What is added to its numbers, so that they differ from those of all other blocks.
    pieces : mapping of int to (Cube, uint8 array)
        Of objects that reach later blocks, by number: the box around each, in the window, and its
        pixels in there as bits.
    """

    core: Cube
    window: Cube
    first: int
    pieces: Mapping[int, tuple[Cube, NDArray[np.uint8]]]

    @classmethod
    def of(cls, core: Cube, window: Cube, labels: Labels, first: int) -> Seen:
        """Keep what later blocks are compared with of the (*window) objects of a block."""
        inner = relative(core, window)
        found = [np.zeros(0, labels.dtype)]
        for axis, side in enumerate(inner):
            last = (*inner[:axis], slice(side.stop - 1, side.stop + 1), *inner[axis + 1 :])
            found.append(np.unique(labels[last]))
        boxes = ndimage.find_objects(labels)
        numbers = [n for n in np.unique(np.concatenate(found)).tolist() if n]
        cut = {n: np.packbits(labels[boxes[n - 1]] == n) for n in numbers}
        return cls(core, window, first, {n: (boxes[n - 1], bits) for n, bits in cut.items()})

    def labels(self, place: Cube) -> Labels:
        """Return the objects that reach later blocks, in a part of the window."""
        part = relative(place, self.window)
        labels = np.zeros(shape_of(part), np.uint32)
        for number, (box, bits) in self.pieces.items():
            shared = common(box, part)
            if meet(box, part):
                pixels = np.unpackbits(bits, count=prod(shape_of(box))).reshape(shape_of(box))
                inside = pixels[relative(shared, box)].astype(bool)
                labels[relative(shared, part)][inside] = number
        return labels

    def waits(self, core: Cube) -> bool:
        """Tell whether a neighbour is still to come after a block, in reading order."""
        last = (self.core[0].stop, *(side.start for side in self.core[1:]))
        return last > tuple(side.start for side in core)


class Stitching:
    """Puts blocks together; an object that lies in several gets one number.

    Blocks are decoded with their surroundings, so that an object on a border is seen whole by
    both; where they meet, objects that overlap are joined. What comes out are the objects of the
    whole image, if none is larger than the surroundings.

    Parameters
    ----------
    labels : (*space) uint32 array, or Frame of uint32
        Is filled in.
    divisor : int
        Where numbers are class times this plus number of the object, and are to be so again; an
        object has the class of most of its pixels. 0 where there are no classes.
    """

    def __init__(self, labels: Labels | Frame, *, divisor: int = 0) -> None:
        self._labels, self._divisor = labels, divisor
        self._votes: list[tuple[int, int, int]] = []
        self._groups = Groups(1)
        self._used: list[NDArray[np.uint32]] = []
        self._cores: list[Cube] = []
        self._waiting: list[Seen] = []

    def add(self, core: Cube, window: Cube, found: NDArray[np.integer[Any]]) -> None:
        """Add a block; blocks come in reading order."""
        labels, kinds = self._without_classes(found)
        first = self._groups.add(int(labels.max(initial=0))) - 1
        for other in self._waiting:
            for a, b in _joined(other, core, window, labels):
                self._groups.join(other.first + a, first + b)
        own = labels[relative(core, window)]
        shifted = np.where(own > 0, own + np.uint32(first), 0).astype(np.uint32)
        if self._divisor:
            sizes = np.bincount(own.ravel(), minlength=len(kinds)).tolist()
            self._votes += [(first + n, kinds[n], sizes[n]) for n in range(1, len(kinds))]
        self._labels[core] = shifted
        self._used.append(np.unique(shifted))
        self._cores.append(core)
        self._waiting = [other for other in self._waiting if other.waits(core)]
        self._waiting.append(Seen.of(core, window, labels, first))

    def finish(self, *, after: int = 0) -> int:
        """Give all objects numbers from 1 (more, after others), and return the last."""
        used = np.zeros(len(self._groups), bool)
        for numbers in self._used:
            used[numbers] = True
        table = self._groups.table(used)
        count = int(table.max(initial=0))
        if self._divisor:
            table, count = self._with_classes(table, after)
        else:
            table = np.where(table > 0, table + np.uint32(after), 0).astype(np.uint32)
        for core in self._cores:
            self._labels[core] = table[self._labels[core]]
        return after + count

    def _without_classes(self, found: NDArray[np.integer[Any]]) -> tuple[Labels, list[int]]:
        """Return objects of a block from 1, and the class of each after that of none."""
        if not self._divisor:
            return found.astype(np.uint32), []
        numbers, places = np.unique(np.append(0, found), return_inverse=True)
        labels = places[1:].reshape(found.shape).astype(np.uint32)
        return labels, (numbers // self._divisor).tolist()

    def _with_classes(self, table: Labels, after: int) -> tuple[Labels, int]:
        """Return final numbers with the class of most pixels, and how many one class has."""
        votes: dict[int, dict[int, int]] = {}
        for number, kind, size in self._votes:
            own = votes.setdefault(int(table[number]), {})
            own[kind] = own.get(kind, 0) + size
        final = np.zeros(int(table.max(initial=0)) + 1, np.uint32)
        counts: dict[int, int] = {}
        for group in range(1, len(final)):
            kind = max(votes[group], key=lambda k: votes[group][k])
            counts[kind] = counts.get(kind, 0) + 1
            require_room(after + counts[kind], self._divisor)
            final[group] = kind * self._divisor + after + counts[kind]
        return final[table], max(counts.values(), default=0)


def _joined(one: Seen, core: Cube, window: Cube, labels: Labels) -> list[tuple[int, int]]:
    """Return which objects of an earlier block and of this one are the same."""
    face = _face(one.core, core)
    if face is None or not one.pieces:
        return []
    both = common(one.window, window)
    there = labels[relative(both, window)]
    return same_objects(one.labels(both), there, relative(common(face, both), both))


def _face(one: Cube, other: Cube) -> Cube | None:
    """Return the pixels on both sides of where two blocks meet; None if they do not."""
    touching = [a.stop == b.start or b.stop == a.start for a, b in zip(one, other, strict=True)]
    shared = common(one, other)
    if sum(touching) != 1 or any(
        s.stop <= s.start for s, touches in zip(shared, touching, strict=True) if not touches
    ):
        return None
    return tuple(
        slice(s.start - 1, s.start + 1) if touches else s
        for s, touches in zip(shared, touching, strict=True)
    )
