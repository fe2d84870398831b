"""What it costs to say that two detections are the same: 0 for sure, 1 where it is as good as not.

A cost of several parts is their mean, by their weights: ``"overlap+distance"``,
``"2*overlap+distance+size"``. Parts that are not registered are measures of the objects, such as
those of a table.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stroma.data.tracks import Floats
from stroma.errors import ParameterError
from stroma.tracking import COSTS
from stroma.tracking.candidates import Candidates
from stroma.tracking.detect import AREA, INTENSITY

UNKNOWN = 0.6
DOUBLE = float(np.log(2))


def distance(pairs: Candidates) -> Floats:
    """Return the squared distance, 1 at the reach; a gap makes room as diffusion does."""
    return np.square(pairs.distance / pairs.reach) / pairs.gap


def overlap(pairs: Candidates) -> Floats:
    """Return one minus the shared part of both; of gaps and daughters it says little.

    That two share nothing counts as much as overlaps are common: of marks that are smaller than
    their steps, it says nothing.
    """
    near = (pairs.gap == 1) & ~pairs.family
    shares = near & (pairs.overlap > 0)
    common = len(np.unique(pairs.pairs[shares, 0])) / max(1, len(np.unique(pairs.pairs[near, 0])))
    apart = UNKNOWN + (1 - UNKNOWN) * common
    return np.where(near, np.where(shares, 1 - pairs.overlap, apart), UNKNOWN)


def size(pairs: Candidates) -> Floats:
    """Return the squared log ratio of areas, 1 where one is twice the other."""
    return np.square(pairs.ratio(AREA) / DOUBLE)


def intensity(pairs: Candidates) -> Floats:
    """Return the squared log ratio of mean intensities, 1 where one is twice the other."""
    return np.square(pairs.ratio(INTENSITY) / DOUBLE)


def alike(pairs: Candidates, measure: str) -> Floats:
    """Return the squared log ratio of a measure, 1 where one has twice as much as the other."""
    return np.square(pairs.ratio(measure) / DOUBLE)


def parsed(cost: str) -> dict[str, float]:
    """Return the weights of the parts of a cost, by name.

    Raises
    ------
    ParameterError
        If it is not of the form "overlap+2*distance".
    """
    weights: dict[str, float] = {}
    for part in cost.split("+"):
        weight, star, name = part.rpartition("*")
        try:
            value = float(weight) if star else 1.0
        except ValueError as error:
            raise ParameterError(
                f"A cost is written like overlap+2*distance, got {cost!r}."
            ) from error
        if not 0 < value < np.inf:
            raise ParameterError(f"Weights of costs are above 0, got {part.strip()!r}.")
        weights[name.strip()] = value
    return weights


def combined(pairs: Candidates, cost: str) -> Floats:
    """Return the (m,) cost of every pair.

    Raises
    ------
    UnknownNameError
        If a part of the cost is neither registered nor a measure.
    """
    weights = parsed(cost)
    total = sum(weight * _part(pairs, name) for name, weight in weights.items())
    return np.asarray(total / sum(weights.values()), np.float64)


def _part(pairs: Candidates, name: str) -> Floats:
    if name in pairs.detections.measures and name not in COSTS:
        return alike(pairs, name)
    return np.asarray(COSTS[name](pairs))


def penalised(pairs: Candidates, penalties: Mapping[str, float]) -> Floats:
    """Return the (m,) factors by which differences of measures make pairs more distant.

    The sum over measures a and b of both, 1 + 3 * weight * |a - b| / (a + b), as in TrackMate
    (Tinevez et al. 2017, doi:10.1016/j.ymeth.2016.09.016): the cost of the distance is squared.
    """
    factor = np.ones(len(pairs.pairs))
    for measure, weight in penalties.items():
        a, b = pairs.measured(measure)[pairs.pairs].T
        both = np.abs(a + b)
        factor += 3 * weight * np.abs(a - b) / np.where(both > 0, both, 1)
    return factor
