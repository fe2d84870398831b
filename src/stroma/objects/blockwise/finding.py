"""Objects of a frame found block by block, equal to those of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.merge import Groups
from stroma.objects.blockwise.room import Box, blocks, grown, within
from stroma.objects.blockwise.tally import Tally, tallied
from stroma.objects.finding.frame import connected, parted
from stroma.objects.finding.how import Finding
from stroma.objects.finding.numbers import following, recoded
from stroma.objects.finding.parting import REACH, split
from stroma.objects.finding.pixels import Told, told
from stroma.objects.finding.sought import Sought

Into = Any
"""An int32 array, or one in a file: what is taken from it is a copy that may be changed."""

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Frame:
    """One plane or volume, and its blocks.

    Parameters
    ----------
    sought : Sought
        What objects are found in, and how.
    sides : sequence of int or None
        Of a block; None for the usual.
    """

    sought: Sought
    sides: Sequence[int] | None = None

    @property
    def finding(self) -> Finding:
        """How objects are found."""
        return self.sought.finding

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the frame."""
        return self.sought.source.own.shape

    def boxes(self) -> list[Box]:
        """Return the blocks."""
        return list(blocks(self.shape, self.sides))

    def told(self, box: Box) -> Told:
        """Return what is known of the pixels of a box."""
        source = self.sought.source
        return told(source.at(**dict(zip(source.own.kept_axes, box, strict=True))), self.finding)


def find_in_blocks(frame: Frame, into: Into) -> int:
    """Find the objects of a frame block by block, and return how many there are.

    They are those of the frame as a whole, in the same order: parts of blocks that touch are one
    (union and find), and what is parted is parted in the box of all that is connected. So memory
    is that of a few blocks, or of the box of the largest connected part, where parts are parted.

    Parameters
    ----------
    frame : Frame
        Where and how.
    into : int32 array or FileLabels
        Shaped like the frame, zeros; is filled in.
    """
    found = _Found(frame, into)
    for box in frame.boxes():
        found.connect(box)
    wholes = found.wholes()
    if frame.finding.split or frame.finding.boundary is not None:
        wholes = found.part(wholes)
    table = found.numbered(wholes)
    for box in frame.boxes():
        into[box] = table[into[box]]
    return len(np.unique(table[table > 0]))


def touching(block: Ints, around: Ints, own: Box, *, corners: bool) -> NDArray[np.int64]:
    """Return the (k, 2) numbers of parts in a block and around it whose pixels are neighbours.

    Parameters
    ----------
    block : int32 array
        Parts of the block.
    around : int32 array
        Those of the block (which do not count) and up to a pixel around it.
    own : Box
        Where the block is in that.
    corners : bool
        Whether pixels that share but a corner are neighbours.
    """
    found = [np.zeros((0, 2), np.int64)]
    for axis, last in product(range(block.ndim), (False, True)):
        at = own[axis].stop if last else own[axis].start - 1
        if not 0 <= at < around.shape[axis]:
            continue
        face: Ints = np.asarray(block.take(-1 if last else 0, axis))
        beyond = np.pad(around.take(at, axis), 1)
        rest = [s for a, s in enumerate(own) if a != axis]
        for way in product((-1, 0, 1) if corners else (0,), repeat=len(rest)):
            spans = zip(rest, way, strict=True)
            other = beyond[tuple(slice(s.start + 1 + d, s.stop + 1 + d) for s, d in spans)]
            both = (face > 0) & (other > 0)
            found.append(np.stack([face[both], other[both]], axis=1).astype(np.int64))
    return np.unique(np.concatenate(found), axis=0)


class _Found:
    """Parts of the blocks of a frame: their numbers in the label image, and what is known of each.

    Parameters
    ----------
    frame : Frame
        Where and how.
    into : array of int32
        Is filled in.
    """

    def __init__(self, frame: Frame, into: Into) -> None:
        self.frame, self.into = frame, into
        self.groups = Groups(1)
        self.kinds = np.zeros(1, np.int64)
        self.notes: list[tuple[Ints, Tally]] = []
        self.named: dict[int, int] = {}

    # ------------------------------------------------------------------ block after block

    def connect(self, box: Box) -> None:
        """Add the connected parts of a block; what touches those of earlier blocks is the same."""
        pixels = self.frame.told(box)
        if self.frame.sought.numbered:
            local, ids = self._known(pixels.labels)
        else:
            local = connected(pixels.labels, self.frame.finding.connectivity)
            ids = self._new(int(local.max(initial=0)))
            self._join(ids, local, pixels.labels, box)
        self.into[box] = ids[local]
        known = tallied(local, len(ids), box, self.frame.shape)
        for flags, must in ((known.core, pixels.core), (known.body, pixels.body)):
            flags[1:] = must is None
            if must is not None:
                flags[np.unique(local[must])] = True
        self.notes.append((ids, known))

    def _new(self, count: int) -> Ints:
        """Return new numbers of parts 1 to count, after that of none."""
        return np.append(0, self.groups.add(count) + np.arange(count)).astype(np.int32)

    def _known(self, labels: NDArray[np.integer]) -> tuple[Ints, Ints]:
        """Return parts that have names already, from 1 in this block, and their numbers."""
        names, local = recoded(labels)
        for name in names.tolist():
            if name not in self.named:
                self.named[name] = self.groups.add(1)
        return local, np.array([0, *(self.named[name] for name in names.tolist())], np.int32)

    def _join(self, ids: Ints, local: Ints, labels: NDArray[np.integer], box: Box) -> None:
        """Note which parts of earlier blocks go on in this one."""
        kinds = np.zeros(len(ids), np.int64)
        kinds[local.ravel()] = labels.ravel()
        self.kinds = np.append(self.kinds, kinds[1:])
        window = grown(box, 1, self.frame.shape)
        corners = self.frame.finding.connectivity == "corner"
        pairs = touching(ids[local], self.into[window], within(box, window), corners=corners)
        same = self.kinds[pairs[:, 0]] == self.kinds[pairs[:, 1]]
        for a, b in pairs[same].tolist():
            self.groups.join(a, b)

    # ------------------------------------------------------------------ all of them

    def wholes(self) -> Tally:
        """Return what is known of connected parts, at the smallest number of each.

        Those that do not reach the core, or have no pixel of an object, have no pixels.
        """
        roots, total = self.groups.roots(), Tally.empty(len(self.groups))
        for ids, known in self.notes:
            total.add(roots[ids], known)
        total.count[~(total.core & total.body)] = 0
        total.count[0] = 0
        return total

    def part(self, wholes: Tally) -> Tally:
        """Part what touches, and return what is known of the objects in place of the wholes."""
        roots = self.groups.roots().astype(np.int32)
        roots[wholes.count[roots] == 0] = 0
        self.notes = []
        axes = len(self.frame.shape)
        todo = np.flatnonzero(wholes.count)
        starts = wholes.box[todo, 3 - axes : 3]
        for box in self.frame.boxes():
            low, high = (np.array([getattr(s, e) for s in box]) for e in ("start", "stop"))
            here = todo[((starts >= low) & (starts < high)).all(axis=1)]
            small = (wholes.box[here, 6 - axes :] <= 2 * high - low).all(axis=1)
            for some in (here[small], *(here[~small, None])):
                if len(some):
                    self._part(some, wholes, roots)
        total = Tally.empty(len(self.groups))
        for ids, known in self.notes:
            total.add(ids, known)
        total.count[0] = 0
        return total

    def _part(self, chosen: NDArray[np.intp], wholes: Tally, roots: Ints) -> None:
        """Part some connected parts, seen in the box around them."""
        window = self._around(wholes.box[chosen])
        place = np.zeros(len(self.groups), np.int32)
        place[chosen] = np.arange(1, len(chosen) + 1)
        seen = self.into[window]
        # What was parted already has numbers beyond those of connected parts.
        known = np.where(seen < len(roots), roots[np.minimum(seen, len(roots) - 1)], 0)
        whole, least = place[known], self.frame.sought.sizes()[0]
        if self.frame.finding.boundary is None:
            depth, spacing = self.frame.finding.split, self.frame.sought.spacing
            parts = split(whole, depth, spacing=spacing, least=least)
            kept = chosen.astype(np.int32)  # what is split off is new, what is left is as before
        else:
            pixels, around = self.frame.told(window), (known > 0) | (seen >= len(roots))
            how = self.frame.finding, self.frame.sought.spacing
            parts = parted(whole, pixels, *how, around=around, least=least)
            kept = np.zeros(0, np.int32)
        ids = self._new(max(0, int(parts.max(initial=0)) - len(kept)))
        ids = np.concatenate([ids[:1], kept, ids[1:]])
        self.into[window] = np.where(whole > 0, ids[parts], seen)
        self.notes.append((ids, tallied(parts, len(ids), window, self.frame.shape)))

    def _around(self, boxes: NDArray[np.int64]) -> Box:
        """Return a box around others, with what counts for parting them."""
        axes = len(self.frame.shape)
        low, high = boxes[:, 3 - axes : 3].min(axis=0), boxes[:, 6 - axes :].max(axis=0)
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return grown(box, 2 * REACH, self.frame.shape)

    def numbered(self, total: Tally) -> Ints:
        """Return the final number of every part: in the order of first pixels, or as it was."""
        finding, shape = self.frame.finding, self.frame.shape
        least, most = self.frame.sought.sizes()
        good = (total.count >= least) & (total.count > 0) & (total.count <= most)
        if not finding.border:
            good &= ~total.touches(shape)
        order = np.flatnonzero(good)
        order = order[np.argsort(total.first[order], kind="stable")]
        final = np.zeros(len(total.count), np.int32)
        if not self.frame.sought.numbered:
            final[order] = np.arange(1, len(order) + 1)
            return final[self.groups.roots()]
        names = np.zeros(len(total.count), np.int64)
        names[list(self.named.values())] = list(self.named)
        added = order[names[order] == 0]
        names[added] = following(int(names.max(initial=0)), len(added))
        final[order] = names[order]
        return final
