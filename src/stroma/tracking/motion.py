"""Where objects are expected, by a Kalman filter: heading on steadily, or where they settled."""

from __future__ import annotations

import numpy as np

from stroma.data.tracks import Detections, Floats, Ints
from stroma.tracking.candidates import near_pairs
from stroma.tracking.drift import mutual
from stroma.tracking.lap import assign

JERK = 0.3
"""Deviation of the change of velocity from frame to frame, in typical displacements."""

NOISE = 0.3
"""Deviation of a measured position, in typical displacements."""

STEADY = 0.5
"""Correlation of a displacement with the one before from which on objects run steadily."""

SHAKE = 0.15
"""Deviation of a measured position in brownian motion, in typical displacements."""

FEW = 30
"""Displacements below which nothing is said of how objects move."""


def runs_steadily(found: Detections) -> bool:
    """Tell whether objects go on as they went, by those that are plainly the same.

    Asked are mutual nearest neighbours over three frames.
    """
    places, n = found.places, len(found)
    after = np.full(n, -1, np.int64)
    for frame in range(found.frames - 1):
        first, second = found.of(frame), found.of(frame + 1)
        i, j = mutual(places[first], places[second])
        after[i + first.start] = j + second.start
    middle = after[after >= 0]
    middle = middle[after[middle] >= 0]
    if len(middle) < FEW:
        return False
    came = np.zeros_like(places)
    went = after >= 0
    came[after[went]] = places[after[went]] - places[went]
    a, b = came[middle], came[after[middle]]
    size = np.sqrt(np.square(a).sum() * np.square(b).sum())
    return bool((a * b).sum() > STEADY * size)


def heading(found: Detections, reach: float) -> Floats:
    """Return the (n, d) expected displacement per frame of each detection, given those before it.

    Frames are assigned one after the other to where the objects before are expected. State:
    position and velocity along each axis; constant velocity with random changes (Kalman, 1960).

    Parameters
    ----------
    found : Detections
        The objects.
    reach : float
        Greatest distance from where an object is expected, in their unit.
    """
    ahead = np.zeros_like(found.places)
    spread = np.tile(_start(reach), (len(found), 1, 1))
    for frame in range(found.frames - 1):
        pairs, apart = near_pairs(found, frame, 1, reach, ahead)
        chosen = pairs[assign(pairs, 1 - np.square(apart / reach))]
        ahead[chosen[:, 1]], spread[chosen[:, 1]] = _updated(found, chosen, ahead, spread, reach)
    return ahead


def settled(found: Detections, reach: float) -> Floats:
    """Return the (n, d) displacement from where each detection was measured to where it is thought.

    Brownian motion: a position that takes steps by chance, and is measured with some error; what
    was measured before counts, the less the longer ago.

    Parameters
    ----------
    found : Detections
        The objects.
    reach : float
        Greatest distance from where an object is expected, in their unit.
    """
    moved = np.zeros_like(found.places)
    step, error = (reach / 3) ** 2, (SHAKE * reach / 3) ** 2
    spread = np.full(len(found), error)
    for frame in range(found.frames - 1):
        pairs, apart = near_pairs(found, frame, 1, reach, moved)
        chosen = pairs[assign(pairs, 1 - np.square(apart / reach))]
        before, now = chosen.T
        expected = spread[before] + step
        doubt = error / (expected + error)
        past = found.places[before] + moved[before] - found.places[now]
        moved[now], spread[now] = doubt[:, None] * past, doubt * expected
    return moved


def _updated(
    found: Detections, pairs: Ints, ahead: Floats, spread: Floats, reach: float
) -> tuple[Floats, Floats]:
    """Return velocities and covariances of the later of each pair, given those of the earlier."""
    before, now = pairs.T
    move = np.array([[1.0, 1.0], [0.0, 1.0]])
    drift = (JERK * reach / 3) ** 2 * np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])
    expected = move @ spread[before] @ move.T + drift
    trust = expected[:, :, 0] / (expected[:, :1, 0] + (NOISE * reach / 3) ** 2)
    surprise = found.places[now] - (found.places[before] + ahead[before])
    velocity = ahead[before] + trust[:, 1:] * surprise
    return velocity, expected - trust[:, :, None] * expected[:, :1, :]


def _start(reach: float) -> Floats:
    return np.diag([(NOISE * reach / 3) ** 2, reach**2])
