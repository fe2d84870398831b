"""Windows of frames, as a transformer looks at them: objects, who is near them, and pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stroma.data.tracks import Floats, Ints
from stroma.tracking.candidates import Candidates, sizes
from stroma.tracking.pairs import pair_features

WINDOW = 6
"""Frames that are looked at together."""

STEP = 3
"""Frames from one window to the next; every pair over up to three frames is in one."""

AROUND, ACROSS = 6, 2
"""Objects that each looks at, in its own frame and in every other one of the window."""

Rows = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Window:
    """Some frames of a movie.

    Parameters
    ----------
    which : (m,) int64
        Its pairs among the candidates.
    measured : (n, F) float32
        What is known of its objects.
    near : (n, k) int64
        Those that each looks at, itself first.
    where : (n, k, 6) float32
        Where they are to it: z, y, x and distance in reaches, frames, nearness.
    there : (n, k) bool
        False where there are fewer than k.
    pairs : (m, 2) int64
        The pairs, by the objects of the window.
    columns : (m, C) float32
        What is measured of them.
    between : (m, 6) float32
        Where the later is to the earlier.
    """

    which: Ints
    measured: Rows
    near: Ints
    where: Rows
    there: NDArray[np.bool_]
    pairs: Ints
    columns: Rows
    between: Rows


@dataclass(frozen=True, eq=False)
class Film:
    """A movie that windows are cut from.

    Parameters
    ----------
    pairs : Candidates
        Its pairs.
    measured : (n, F) float32
        What is known of its objects: size and measures, over what is usual, as logarithms.
    columns : (m, C) float32
        What is measured of its pairs (`stroma.tracking.pairs.pair_features`).
    """

    pairs: Candidates
    measured: Rows
    columns: Rows

    def window(self, start: int) -> Window:
        """Return the window that begins at a frame."""
        found, pairs = self.pairs.detections, self.pairs.pairs
        stop = min(start + WINDOW, found.frames)
        first, last = int(found.starts[start]), int(found.starts[stop])
        which = np.flatnonzero((pairs[:, 0] >= first) & (pairs[:, 1] < last))
        places, frame = found.places[first:last] / self.pairs.reach, found.frame[first:last]
        near, there = _around(places, frame)
        inner = pairs[which] - first
        return Window(
            which,
            self.measured[first:last],
            near,
            _relative(places, frame, np.arange(last - first)[:, None], near),
            there,
            inner,
            self.columns[which],
            _relative(places, frame, inner[:, 0], inner[:, 1]),
        )

    def windows(self) -> Iterator[Window]:
        """Yield the windows that have pairs, one after the other."""
        for start in range(0, max(1, self.pairs.detections.frames - STEP), STEP):
            window = self.window(start)
            if len(window.which):
                yield window


def film(pairs: Candidates, measures: tuple[str, ...]) -> Film:
    """Return a movie, measured.

    Raises
    ------
    ParameterError
        If the detections have no such measure.
    """
    areas = sizes(pairs.detections)
    own = [np.zeros(len(pairs.detections)) if areas is None else _over_usual(areas)]
    own += [_over_usual(pairs.measured(name)) for name in measures]
    measured = np.stack([np.ones(len(pairs.detections)), *own], axis=1)
    return Film(pairs, measured.astype(np.float32), pair_features(pairs, measures))


def _over_usual(values: Floats) -> Floats:
    logs = np.log(np.maximum(np.abs(values), 1e-9))
    return np.asarray(logs - (np.median(logs) if len(logs) else 0))


def _around(places: Floats, frame: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the objects that each looks at, and which of the columns there are."""
    n, own = len(places), np.arange(len(places))
    near, there = [own[:, None]], [np.ones((n, 1), np.bool_)]
    numbers = np.unique(frame)
    of = {t: np.flatnonzero(frame == t) for t in numbers.tolist()}
    trees = {t: cKDTree(places[rows]) for t, rows in of.items()}
    span = int(numbers[-1] - numbers[0]) if n else 0
    for apart in range(-span, span + 1):
        most = AROUND if apart == 0 else ACROSS
        found = np.tile(own[:, None], (1, most))
        known = np.zeros((n, most), np.bool_)
        for t, rows in of.items():
            if t + apart in of:
                others = of[t + apart]
                k = min(most, len(others))
                at = trees[t + apart].query(places[rows], k=k)[1].reshape(len(rows), k)
                found[rows[:, None], np.arange(k)] = others[at]
                known[rows[:, None], np.arange(k)] = True
        near.append(found)
        there.append(known)
    return np.concatenate(near, axis=1), np.concatenate(there, axis=1)


def _relative(places: Floats, frame: Ints, one: Ints, other: Ints) -> Rows:
    """Return where others are to some: (z, y, x) in reaches, distance, frames, nearness."""
    moved = places[other] - places[one]
    far = np.linalg.norm(moved, axis=-1)
    shrunk = moved / (1 + far / 4)[..., None]  # far ones differ less
    space = np.zeros((*far.shape, 3 - places.shape[1]))
    frames = (frame[other] - frame[one]) / STEP
    own = np.stack([far / (1 + far / 4), frames, np.exp(-np.square(far))], axis=-1)
    return np.concatenate([space, shrunk, own], axis=-1).astype(np.float32)
