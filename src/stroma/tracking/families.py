"""Divisions, found after the plain links: an end with two beginnings near it, or with one more."""

from __future__ import annotations

import numpy as np

from stroma.data.tracks import Ints
from stroma.tracking.candidates import DAUGHTER
from stroma.tracking.detect import AREA
from stroma.tracking.problem import Problem

Option = tuple[float, tuple[int, ...]]
"""What a division is worth, and the links that make it."""


def families(problem: Problem, chosen: Ints) -> Ints:
    """Return the candidates that make divisions of plain links, the best first.

    A track that ends may have two daughters that begin; a track that goes on may have one more, if
    what it goes on as could be a daughter too. Two daughters are as large as their mother.

    Parameters
    ----------
    problem : Problem
        With a price for divisions.
    chosen : (k,) int64
        Candidates that are links already.
    """
    if not np.isfinite(problem.prices.divide):
        return np.zeros(0, np.int64)
    pairs, n = problem.pairs.pairs, len(problem.pairs.detections)
    out = np.bincount(pairs[chosen, 0], minlength=n)
    into = np.bincount(pairs[chosen, 1], minlength=n)
    next_of = np.full(n, -1, np.int64)
    next_of[pairs[chosen, 0]] = pairs[chosen, 1]
    open_ = problem.free & (problem.pairs.gap == 1) & (into[pairs[:, 1]] == 0)
    options = [
        *_second_daughters(problem, np.flatnonzero(open_ & (out[pairs[:, 0]] == 1)), next_of),
        *_both_daughters(problem, np.flatnonzero(open_ & (out[pairs[:, 0]] == 0))),
    ]
    return _apart(problem, options)


def _second_daughters(problem: Problem, edges: Ints, next_of: Ints) -> list[Option]:
    """Return what a further daughter of a track that goes on is worth."""
    prices, total, pairs = problem.prices, problem.total, problem.pairs
    areas = pairs.detections.measures.get(AREA)
    found: list[Option] = []
    for edge in edges.tolist():
        mother = pairs.pairs[edge, 0]
        worth = prices.appear - prices.divide - total[edge]
        if areas is not None:
            one, two = areas[next_of[mother]], areas[pairs.pairs[edge, 1]]
            if max(one, two) <= DAUGHTER * areas[mother]:  # the size of both speaks for it
                worth += prices.appear - _unlike(areas[mother], one, two)
            elif pairs.family[edge]:
                continue
        if worth > 0:
            found.append((worth, (edge,)))
    return found


def _both_daughters(problem: Problem, edges: Ints) -> list[Option]:
    """Return what two daughters of a track that ends are worth."""
    prices, total, pairs = problem.prices, problem.total, problem.pairs
    areas = pairs.detections.measures.get(AREA)
    of: dict[int, list[int]] = {}
    for edge in edges.tolist():
        of.setdefault(int(pairs.pairs[edge, 0]), []).append(edge)
    found: list[Option] = []
    saved = 2 * prices.appear + prices.disappear - prices.divide
    for mother, own in of.items():
        for a, first in enumerate(own):
            for second in own[a + 1 :]:
                worth = saved - total[first] - total[second]
                if areas is not None:
                    one, two = areas[pairs.pairs[[first, second], 1]]
                    worth -= _unlike(areas[mother], one, two)
                if worth > 0:
                    found.append((worth, (first, second)))
    return found


def _unlike(mother: float, one: float, two: float) -> float:
    """Return how unlikely the sizes of a family are: 0 where both together are the mother."""
    return float(abs(np.log((one + two) / mother)) + 0.5 * abs(np.log(one / two)))


def _apart(problem: Problem, options: list[Option]) -> Ints:
    """Return the edges of the best options that share no object."""
    pairs = problem.pairs.pairs
    taken: set[tuple[str, int]] = set()
    chosen: list[int] = []
    for _, edges in sorted(options, reverse=True):
        ends = {("out", int(pairs[edges[0], 0])), *(("in", int(pairs[e, 1])) for e in edges)}
        if not ends & taken:
            taken |= ends
            chosen += edges
    return np.array(chosen, np.int64)
