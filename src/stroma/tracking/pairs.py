"""What can be measured of a pair of detections, for costs that are learned."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stroma.data.tracks import Floats, Ints
from stroma.tracking.candidates import Candidates, sizes
from stroma.tracking.detect import AREA
from stroma.tracking.families import Families, possible

NEIGHBOURS = 6
"""Objects around one that say how its surroundings move."""

NO_FAMILY = 4.0
"""Price of a division that is put down for pairs that cannot be part of one."""

FURTHEST = 4.0
"""What lies further off is as far as this, in reaches."""

NAMES = (
    *("distance", "gap", "family", "overlap", "covered_earlier", "covered_later"),
    *("rank_earlier", "rank_later", "behind_earlier", "behind_later"),
    *("overlap_rival_earlier", "overlap_rival_later", "against_flow", "division"),
    *("growth", "size_earlier", "size_later"),
)
"""Measures of every pair; those of sizes are 0 where objects are marks of one size."""


def pair_names(measures: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the columns of `pair_features`."""
    return (*NAMES, *(f"{m}_{part}" for m in measures for part in ("growth", "earlier")))


def pair_features(pairs: Candidates, measures: tuple[str, ...] = ()) -> np.ndarray:
    """Return what is measured of every pair: none depends on the unit or the size of pixels.

    Parameters
    ----------
    pairs : Candidates
        The m pairs.
    measures : tuple of str
        Measures of the detections that are compared beside their areas.

    Returns
    -------
    (m, F) float32
        Columns as `pair_names` says.

    Raises
    ------
    ParameterError
        If the detections have no such measure.
    """
    first, second = pairs.pairs.T
    far = np.minimum(pairs.distance / (pairs.reach * np.sqrt(pairs.gap)), FURTHEST)
    covered = _covered(pairs)
    columns = [far, pairs.gap, pairs.family, pairs.overlap, *covered]
    columns += [_rank(first, far), _rank(second, far)]
    columns += [far - _least(first, far), far - _least(second, far)]
    columns += [_rival(first, pairs.overlap), _rival(second, pairs.overlap)]
    columns += [_against_flow(pairs), _division(pairs), *_sizes(pairs)]
    for measure in measures:
        growth, earlier, _ = _compared(pairs, measure)
        columns += [growth, earlier]
    return np.stack(columns, axis=1).astype(np.float32)


def _covered(pairs: Candidates) -> tuple[Floats, Floats]:
    """Return which share of the earlier and of the later object the other one covers."""
    areas = pairs.detections.measures.get(AREA)
    if areas is None:
        return np.zeros(len(pairs.pairs)), np.zeros(len(pairs.pairs))
    a, b = areas[pairs.pairs].T
    shared = pairs.overlap * (a + b) / (1 + pairs.overlap)
    return shared / np.maximum(a, 1e-9), shared / np.maximum(b, 1e-9)


def _rank(member: Ints, value: Floats) -> Floats:
    """Return how many pairs of the same member have a smaller value, at most 8."""
    order = np.lexsort((value, member))
    own = member[order]
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order)) - np.searchsorted(own, own)
    return np.minimum(rank, 8)


def _least(member: Ints, value: Floats) -> Floats:
    """Return the least value among the pairs of the same member."""
    least = np.full(int(member.max(initial=-1)) + 1, np.inf)
    np.minimum.at(least, member, value)
    return np.asarray(least[member])


def _rival(member: Ints, value: Floats) -> Floats:
    """Return the greatest value among the other pairs of the same member, 0 for none."""
    order = np.lexsort((-value, member))
    own = member[order]
    start = np.searchsorted(own, own)
    best = value[order][start]
    alone = np.bincount(member)[own] < 2
    second = value[order][np.minimum(start + 1, len(order) - 1)] if len(order) else value
    found = np.empty(len(order))
    found[order] = np.where(np.arange(len(order)) == start, np.where(alone, 0, second), best)
    return found


def _against_flow(pairs: Candidates) -> Floats:
    """Return how far a pair moves otherwise than its surroundings, in reaches per frame.

    Surroundings are the objects nearby that have one clearly nearest partner.
    """
    found, n = pairs.detections, len(pairs.detections)
    moved = np.diff(found.places[pairs.pairs], axis=1)[:, 0] / pairs.gap[:, None]
    near = pairs.gap == 1
    far = np.where(near, pairs.distance, np.inf)
    best = near & (_rank(pairs.pairs[:, 0], far) == 0) & (_rank(pairs.pairs[:, 1], far) == 0)
    flow = np.zeros((n, found.places.shape[1]))
    own = pairs.pairs[best, 0]
    for frame in range(found.frames - 1):
        here, rows = found.of(frame), np.flatnonzero(best)[found.frame[own] == frame]
        if here.stop > here.start and len(rows) > NEIGHBOURS:
            start = found.places[pairs.pairs[rows, 0]]
            _, at = cKDTree(start).query(found.places[here], k=NEIGHBOURS + 1)
            flow[here] = np.median(moved[rows[at[:, 1:]]], axis=1)
    apart = np.linalg.norm(moved - flow[pairs.pairs[:, 0]], axis=1) / pairs.reach
    return np.asarray(np.minimum(apart, FURTHEST))


def _division(pairs: Candidates) -> Floats:
    """Return the price of the best division that each pair may be a part of."""
    families = plausible(pairs)
    price = np.full(len(pairs.pairs), NO_FAMILY)
    np.minimum.at(price, families.edges.ravel(), np.repeat(families.price, 2))
    return price


def plausible(pairs: Candidates) -> Families:
    """Return the divisions that are worth a second look, with hand-made prices."""
    return possible(pairs, 0.0, NO_FAMILY)


def family_features(pairs: Candidates, families: Families, features: np.ndarray) -> np.ndarray:
    """Return what is measured of every division.

    Parameters
    ----------
    pairs : Candidates
        The m pairs.
    families : Families
        The f divisions.
    features : (m, F) float32
        Those of the pairs (`pair_features`).

    Returns
    -------
    (f, 2 F + 3) float32
        Features of the smaller daughter and of the larger one, how far daughters are apart and
        their middle is from the mother, in reaches, and the hand-made price.
    """
    areas = pairs.detections.measures.get(AREA, np.zeros(len(pairs.detections)))
    edges = families.edges
    size = areas[pairs.pairs[edges, 1]]
    ordered = np.where((size[:, :1] > size[:, 1:]), edges[:, ::-1], edges)
    places = pairs.detections.places
    mother = places[pairs.pairs[edges[:, 0], 0]]
    one, two = places[pairs.pairs[edges[:, 0], 1]], places[pairs.pairs[edges[:, 1], 1]]
    apart = np.linalg.norm(one - two, axis=1) / pairs.reach
    middle = np.linalg.norm((one + two) / 2 - mother, axis=1) / pairs.reach
    both = features[ordered].reshape(len(edges), 2 * features.shape[1])
    own = np.stack([apart, middle, families.price], axis=1)
    return np.concatenate([both, own], axis=1).astype(np.float32)


def _sizes(pairs: Candidates) -> tuple[Floats, Floats, Floats]:
    if sizes(pairs.detections) is None:
        none = np.zeros(len(pairs.pairs))
        return none, none, none
    return _compared(pairs, AREA)


def _compared(pairs: Candidates, measure: str) -> tuple[Floats, Floats, Floats]:
    """Return logarithms: of later over earlier, and of each over what is usual in the movie."""
    values = np.log(np.maximum(np.abs(pairs.measured(measure)), 1e-9))
    values = values - (np.median(values) if len(values) else 0)
    a, b = values[pairs.pairs].T
    return b - a, a, b
