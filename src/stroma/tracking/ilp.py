"""All links at once: an integer programme, solved by HiGHS through scipy.

Every detection is entered by one link or appears, and is left by one link, by two where it
divides, or disappears. Long movies are solved in windows that overlap; what lies before the middle
of an overlap is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack

from stroma.data.tracks import Ints
from stroma.errors import FitError
from stroma.tracking import greedy
from stroma.tracking.problem import Problem

WINDOW = 40
OVERLAP = 10
"""Frames that are solved together, and that two windows share."""

SECONDS = 60.0
"""Longest time for a window; after that, the better of what was found and greedy links."""


def solve(problem: Problem) -> Ints:
    """Return the (k,) candidates that are links."""
    frames = problem.pairs.detections.frames
    if frames <= WINDOW + OVERLAP:
        return _better(problem, _window(problem, 0, frames, _NONE))
    done, start = _NONE, 0
    while True:
        stop = min(start + WINDOW, frames)
        found = _window(problem, start, stop, done)
        if stop == frames:
            return _better(problem, np.union1d(done, found))
        first = problem.pairs.detections.frame[problem.pairs.pairs[:, 0]]
        done = np.union1d(done, found[first[found] < stop - OVERLAP // 2])
        start = stop - OVERLAP


_NONE = np.zeros(0, np.int64)


def _better(problem: Problem, found: Ints) -> Ints:
    """Return the solution, or greedy links where windows or time made it worse than those."""
    simple = greedy.solve(problem)
    return found if problem.objective(found) <= problem.objective(simple) + 1e-9 else simple


@dataclass(frozen=True, eq=False)
class _Part:
    """The detections of some frames, numbered anew, and the candidates among them."""

    node: Ints
    edge: Ints
    tail: Ints
    head: Ints


def _part(problem: Problem, start: int, stop: int) -> _Part:
    found, pairs = problem.pairs.detections, problem.pairs.pairs
    first, last = int(found.starts[start]), int(found.starts[stop])
    inside = (pairs[:, 0] >= first) & (pairs[:, 1] < last) & problem.free
    edge = np.flatnonzero(inside)
    node = np.arange(first, last)
    return _Part(node, edge, pairs[edge, 0] - first, pairs[edge, 1] - first)


def _window(problem: Problem, start: int, stop: int, done: Ints) -> Ints:
    """Return the links of some frames, of which those that are done stay."""
    part, prices = _part(problem, start, stop), problem.prices
    n, m = len(part.node), len(part.edge)
    if not m:
        return _NONE
    frame = problem.pairs.detections.frame[part.node]
    last = problem.pairs.detections.frames - 1
    # Variables: links, then for every detection: taken, appears, disappears, divides.
    appear = np.where(frame > 0, prices.appear, 0) * (frame > start) + 0.0
    disappear = np.where(frame < last, prices.disappear, 0) * (frame < stop - 1)
    divide = np.full(n, prices.divide if np.isfinite(prices.divide) else 0.0)
    groups = _groups(problem, part)
    alternatives = np.bincount(np.concatenate([_NONE, *groups]), minlength=n)
    cost = np.concatenate(
        [problem.total[part.edge], -prices.leave_out * alternatives, appear, disappear, divide]
    )
    low, high = np.zeros(m + 4 * n), np.ones(m + 4 * n)
    low[:m] = problem.fixed[part.edge] | np.isin(part.edge, done)
    low[m : m + n] = alternatives == 0
    high[m + 3 * n :] = np.isfinite(prices.divide)
    high[:m][_entered_before(problem, part, done)] = 0
    result = milp(
        cost,
        constraints=_constraints(part, groups, problem.pairs.family[part.edge]),
        integrality=np.ones(len(cost)),
        bounds=Bounds(low, high),
        options={"time_limit": SECONDS, "mip_rel_gap": 1e-4},
    )
    if result.x is None:
        if result.status == 1:  # out of time without any solution: greedy takes over
            return _NONE
        raise FitError(
            "The links that were pinned contradict each other or the alternatives; "
            f"there is no solution ({result.message}). Take some pins back."
        )
    return np.asarray(part.edge[result.x[:m] > 0.5])


def _entered_before(problem: Problem, part: _Part, done: Ints) -> NDArray[np.bool_]:
    """Return which links lead to a detection that an earlier window linked from outside this one.

    That link is not seen here, so no other may take its place.
    """
    links = problem.pairs.pairs[done] - part.node[0]
    crossing = (links[:, 0] < 0) & (links[:, 1] >= 0) & (links[:, 1] < len(part.node))
    return np.isin(part.head, links[crossing, 1])


def _groups(problem: Problem, part: _Part) -> list[Ints]:
    first, last = part.node[0], part.node[-1]
    found = (np.asarray(g) for g in problem.exclusive)
    return [g - first for g in found if g.min() >= first and g.max() <= last]


def _constraints(
    part: _Part, groups: list[Ints], family: NDArray[np.bool_]
) -> list[LinearConstraint]:
    n, m = len(part.node), len(part.edge)
    each, one = np.arange(n), np.ones(n)

    def matrix(*blocks: tuple[Ints, Ints, NDArray[np.float64]]) -> coo_array:
        rows, columns, values = (np.concatenate(column) for column in zip(*blocks, strict=True))
        return coo_array((values, (rows, columns)), shape=(n, m + 4 * n))

    edges = np.arange(m)
    into = matrix((part.head, edges, np.ones(m)), (each, m + n + each, one), (each, m + each, -one))
    out = matrix(
        (part.tail, edges, np.ones(m)),
        (each, m + 2 * n + each, one),
        (each, m + each, -one),
        (each, m + 3 * n + each, -one),
    )
    dividing = matrix((each, m + 3 * n + each, one), (each, m + each, -one))
    found = [
        LinearConstraint(vstack([into, out]).tocsr(), 0, 0),
        LinearConstraint(dividing.tocsr(), -np.inf, 0),
    ]
    wide = np.flatnonzero(family)
    if len(wide):  # links to daughters further off, only where the mother divides
        rows, ones = np.arange(len(wide)), np.ones(len(wide))
        columns = np.concatenate([wide, m + 3 * n + part.tail[wide]])
        values = (np.concatenate([ones, -ones]), (np.concatenate([rows, rows]), columns))
        only = coo_array(values, shape=(len(wide), m + 4 * n))
        found.append(LinearConstraint(only.tocsr(), -np.inf, 0))
    if groups:
        rows = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
        columns = m + np.concatenate(groups)
        shape = (len(groups), m + 4 * n)
        taken = coo_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        found.append(LinearConstraint(taken.tocsr(), -np.inf, 1))
    return found
