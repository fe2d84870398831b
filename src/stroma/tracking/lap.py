"""Assignment from frame to frame, then of ends to beginnings.

Jaqaman et al., Robust single-particle tracking in live-cell time-lapse sequences, Nature Methods
5, 2008, doi:10.1038/nmeth.1237.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stroma.data.tracks import Floats, Ints
from stroma.errors import ParameterError
from stroma.tracking.follow import apart, follow_ups
from stroma.tracking.problem import Problem


def solve(problem: Problem) -> Ints:
    """Return the (k,) candidates that are links.

    Neighbouring frames are assigned first; then, the best first, mothers are given their daughters
    and ends of tracks are joined to beginnings after a gap.
    """
    if problem.exclusive:
        raise ParameterError(
            "Alternatives that exclude each other need solver='ilp'; 'lap' links frame by frame."
        )
    pairs, gap, prices = problem.pairs.pairs, problem.pairs.gap, problem.prices
    gain = prices.appear + prices.disappear - problem.total
    open_ = problem.free & ~problem.fixed
    chosen = [np.flatnonzero(problem.fixed)]
    out, into = _degrees(problem, chosen[0])
    open_ &= ~problem.pairs.family
    near = np.flatnonzero(open_ & (gap == 1) & (out[pairs[:, 0]] == 0) & (into[pairs[:, 1]] == 0))
    chosen.append(near[assign(pairs[near], gain[near])])
    links = np.concatenate(chosen)
    options = apart(problem, follow_ups(problem, links))
    chosen.append(np.array([edge for option in options for edge in option], np.int64))
    return np.sort(np.concatenate(chosen))


def _degrees(problem: Problem, chosen: Ints) -> tuple[Ints, Ints]:
    """Return the numbers of links that go out of, and come in to, each detection."""
    links, n = problem.pairs.pairs[chosen], len(problem.pairs.detections)
    return np.bincount(links[:, 0], minlength=n), np.bincount(links[:, 1], minlength=n)


def assign(pairs: Ints, gain: Floats) -> Ints:
    """Return the positions of pairs that together gain most, each member in one of them at most.

    Parameters
    ----------
    pairs : (m, 2) int64
        Pairs; the members on the left are other things than those on the right.
    gain : (m,) float64
        What each is worth; those worth nothing are left out.
    """
    paying = np.flatnonzero(gain > 0)
    if not len(paying):
        return np.zeros(0, np.int64)
    left, i = np.unique(pairs[paying, 0], return_inverse=True)
    right, j = np.unique(pairs[paying, 1], return_inverse=True)
    size = len(left) + len(right)
    graph = coo_array((np.ones(len(paying)), (i, j + len(left))), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    order = np.argsort(group[i], kind="stable")
    cuts = np.flatnonzero(np.diff(group[i][order])) + 1
    parts = [_best(p, i[p], j[p], gain[paying[p]]) for p in np.split(order, cuts)]
    return np.sort(paying[np.concatenate(parts)])


def _best(members: Ints, i: Ints, j: Ints, gain: Floats) -> Ints:
    """Return the members of one connected part that gain most."""
    if len(members) == 1:
        return members
    rows, r = np.unique(i, return_inverse=True)
    columns, c = np.unique(j, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    which = np.full(table.shape, -1, np.int64)
    table[r, c], which[r, c] = gain, members
    found = which[linear_sum_assignment(table, maximize=True)]
    return np.asarray(found[found >= 0])
