"""How far the whole view moved from frame to frame: a stage that drifts, a sample that slips."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.spatial import cKDTree

from stroma.data.tracks import Detections, Floats, Ints

LEAST = 8
"""Objects of both frames below which nothing is said of the view."""

ASKED = 400
"""Objects of a frame that are asked, at most."""

NEIGHBOURS = 24
"""Displacements that each may have made."""

ROOM = 0.2
"""How far apart displacements may be that are alike, in typical distances of neighbours."""

SURE = 4.0
"""How many times its chance deviation a small displacement must be to count."""

BETTER = 1.5
"""How many times the objects that stayed must those be that moved alike."""


def drift_of(found: Detections) -> Floats:
    """Return the (frames - 1, d) displacements of the view after each frame, in pixels."""
    dimensions = found.position.shape[1]
    places = [found.position[found.of(t)] for t in range(found.frames)]
    shifts = [common_shift(a, b) for a, b in itertools.pairwise(places)]
    return np.array(shifts, np.float64).reshape(-1, dimensions)


def common_shift(before: Floats, after: Floats) -> Floats:
    """Return the (d,) displacement that most objects share; 0 where it is not clear.

    Every object votes for the displacements that would take it to one that is near in the next
    frame; the right one is voted for by all, wrong ones by chance.

    Parameters
    ----------
    before, after : (n, d), (m, d) float64
        Centres in one frame and the next.
    """
    if min(len(before), len(after)) < LEAST:
        return np.zeros(before.shape[1])
    return _refined(before, after, _voted(before, after))


def _voted(before: Floats, after: Floats) -> Floats:
    """Return the displacement with most votes, 0 unless clearly more than for none."""
    none = np.zeros(before.shape[1])
    near = ROOM * float(np.median(cKDTree(before).query(before, k=2)[0][:, 1]))
    asked = before[:: -(-len(before) // ASKED)]
    _, at = cKDTree(after).query(asked, k=min(NEIGHBOURS, len(after)))
    moved = after[at] - asked[:, None]
    votes = cKDTree(moved.reshape(-1, before.shape[1]))
    count = votes.query_ball_point(votes.data, near, return_length=True)
    best = votes.data[int(np.argmax(count))]
    stayed = votes.query_ball_point(none, near, return_length=True)
    clear = count.max() >= max(LEAST, BETTER * stayed, len(asked) / 3)
    return np.asarray(best if clear else none)


def _refined(before: Floats, after: Floats, shift: Floats) -> Floats:
    """Return the median of what mutual nearest neighbours moved, if it is more than chance."""
    i, j = mutual(before + shift, after)
    moved = after[j] - before[i]
    if len(moved) < LEAST:
        return shift
    middle = np.median(moved, axis=0)
    spread = np.median(np.abs(moved - middle), axis=0)
    sure = np.linalg.norm(middle) > SURE * np.linalg.norm(spread) / np.sqrt(len(moved))
    return np.asarray(middle if sure or shift.any() else shift)


def mutual(a: Floats, b: Floats) -> tuple[Ints, Ints]:
    """Return the (k,) positions of those that are the nearest to each other, in both.

    Parameters
    ----------
    a, b : (n, d), (m, d) float64
        Places; there may be none.
    """
    if not len(a) or not len(b):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    here, there = cKDTree(a), cKDTree(b)
    to, back = there.query(a)[1], here.query(b)[1]
    i = np.flatnonzero(back[to] == np.arange(len(a)))
    return i, np.asarray(to[i], np.int64)
