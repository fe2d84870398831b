"""Labelled runs laid over others: what is there then, and what that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stroma.session.strokes.painted.pieces import (
    AREA,
    Ints,
    Pieces,
    Shorts,
    counting,
    grouped,
    joined,
    without_empty,
)


class Layer(NamedTuple):
    """Runs that have labels.

    Attributes
    ----------
    pieces : Pieces
        The pixels.
    label : (n,) uint16 array
        Of each run.
    """

    pieces: Pieces
    label: Shorts

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        pieces, label = self
        arrays = pieces.places, pieces.edges, pieces.start, pieces.stop
        same = len(label) and label.strides == (0,)
        return sum(array.nbytes for array in arrays) + (2 if same else label.nbytes)

    def tiles(self) -> Tiles:
        """Return what is in each of the tiles."""
        ends = pairwise(self.pieces.edges.tolist())
        return [Tile(self, first, last) if last > first else None for first, last in ends]


class Tile(NamedTuple):
    """What is painted in a tile: some of the runs of a layer.

    Attributes
    ----------
    layer : Layer
        Of many tiles, which may have been painted at once.
    first, last : int
        Which of its runs.
    """

    layer: Layer
    first: int
    last: int

    @property
    def runs(self) -> tuple[Shorts, Shorts, Shorts]:
        """Start, stop and label of each run."""
        (pieces, label), here = self.layer, slice(self.first, self.last)
        return pieces.start[here], pieces.stop[here], label[here]


Tiles = Sequence[Tile | None]
"""What is in some tiles; None where nothing is."""


@dataclass(frozen=True, eq=False, slots=True)
class Delta:
    """What changed on an image, kept small enough to be kept for ever.

    Parameters
    ----------
    pieces : Pieces
        The pixels, of which each did change.
    before, after : (n,) uint16 arrays
        The label of each run.
    tiles : (before, after), optional
        All that is in the tiles, where that is known and little.
    """

    pieces: Pieces
    before: Shorts
    after: Shorts
    tiles: tuple[Tiles, Tiles] | None = None

    def __eq__(self, other: object) -> bool:
        """Tell whether another is the same change."""
        return isinstance(other, Delta) and self._bytes() == other._bytes()

    def __hash__(self) -> int:
        """Return the same number for the same change."""
        return hash(self._bytes())

    def _bytes(self) -> tuple[bytes, ...]:
        at = self.pieces
        columns = at.places, at.edges, at.start, at.stop, self.before, self.after
        return tuple(column.tobytes() for column in columns)

    def reversed(self) -> Delta:
        """Return the change back."""
        tiles = None if self.tiles is None else self.tiles[::-1]
        return Delta(self.pieces, self.after, self.before, tiles)


def laid(
    there: Tiles, new: Layer, *, only: int | None = None, replace: bool = False
) -> tuple[Layer, Delta]:
    """Lay labelled runs over those that are in their tiles; label 0 erases.

    Parameters
    ----------
    there : list of Tile or None
        What is in each of the tiles.
    new : Layer
        What to lay over it.
    only : int, optional
        The one label that changes.
    replace : bool
        Erase everything else in these tiles.

    Returns
    -------
    Layer, Delta
        What is in each of the tiles then (nothing, perhaps), and what changed.
    """
    old_start, old_stop, old_label = gathered(there)
    start, stop = new.pieces.flat()
    at = np.concatenate([old_start, old_stop, start, stop])
    order = at.argsort(kind="stable")
    at = at.take(order)
    here = np.flatnonzero(at[1:] != at[:-1])
    was = _along(old_label, 0, order).take(here)
    over = _along(new.label.astype(np.int32) + 1, 2 * len(old_start), order).take(here)  # 0: none
    inside = over > 0 if only is None else (over > 0) & (was == only)
    now = np.where(inside, over - 1, 0 if replace else was)
    low, high, places = at.take(here), at.take(here + 1), new.pieces.places
    start, stop, (label,) = joined(low, high, [now], now != 0)
    layer = Layer(grouped(places, start, stop), label)
    start, stop, (before, after) = joined(low, high, [was, now], was != now)
    return layer, Delta(without_empty(grouped(places, start, stop)), before, after)


def tidy(layer: Layer) -> Layer:
    """Return the same labels, in as few runs as may be."""
    pieces, label = layer
    if not (pieces.start[1:] == pieces.stop[:-1]).any():
        return layer
    start, stop, (joint,) = joined(*pieces.flat(), [label], np.ones(len(label), bool))
    return Layer(grouped(pieces.places, start, stop), joint)


def gathered(there: Tiles) -> tuple[Ints, Ints, NDArray[np.int32]]:
    """Return start, stop and label of the runs in tiles, counted through all of them."""
    runs = [(i * AREA, *tile.runs) for i, tile in enumerate(there) if tile is not None]
    if not runs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32)
    before, start, stop, label = zip(*runs, strict=True)
    offset = np.array(before, counting(len(there))).repeat([len(part) for part in start])
    return (
        offset + np.concatenate(start),
        offset + np.concatenate(stop),
        np.concatenate(label).astype(np.int32),
    )


def _along(label: NDArray[np.int32], first: int, order: Ints) -> NDArray[np.int32]:
    """Return the label behind each of all ends of runs, those of one layer from ``first`` on."""
    steps = np.zeros(len(order), np.int32)
    steps[first : first + len(label)] = label
    steps[first + len(label) : first + 2 * len(label)] = -label
    return steps.take(order).cumsum(dtype=np.int32)
