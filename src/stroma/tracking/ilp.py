"""All links at once: an integer programme, solved by HiGHS through scipy.

Every detection is entered by one link or family or appears, and is left by one link or family or
disappears; a family is a division with its two links. Long movies are solved in windows that
overlap; what lies before the middle of an overlap is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, vstack

from stroma.data.tracks import Floats, Ints
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
    first = problem.pairs.detections.frame[problem.pairs.pairs[:, 0]]
    done, start, cut = _NONE, 0, 0
    while True:
        stop = min(start + WINDOW, frames)
        found = _window(problem, start, stop, done, cut)
        if stop == frames:
            return _better(problem, np.union1d(done, found))
        cut = stop - OVERLAP // 2
        done = np.union1d(done, found[first[found] < cut])
        start = stop - OVERLAP


_NONE = np.zeros(0, np.int64)


def _better(problem: Problem, found: Ints) -> Ints:
    """Return the solution, or greedy links where windows or time made it worse than those."""
    simple = greedy.solve(problem)
    return found if problem.objective(found) <= problem.objective(simple) + 1e-9 else simple


@dataclass(frozen=True, eq=False)
class _Part:
    """The detections of some frames, numbered anew, and what may lead from one to another.

    Ways are links (``edge``), then families (``family``, a pair of links each). ``tail`` is where
    each way begins; ``enter`` are the ways, and the detections that they lead to.
    """

    node: Ints
    edge: Ints
    family: Ints
    price: Floats
    tail: Ints
    enter: Ints

    @property
    def ways(self) -> int:
        return len(self.tail)

    def links(self, chosen: NDArray[np.bool_]) -> Ints:
        """Return the candidates of the ways that are chosen."""
        m = len(self.edge)
        return np.union1d(self.edge[chosen[:m]], self.family[chosen[m:]].ravel())


def _part(problem: Problem, start: int, stop: int) -> _Part:
    found, pairs = problem.pairs.detections, problem.pairs.pairs
    first, last = int(found.starts[start]), int(found.starts[stop])
    inside = (pairs[:, 0] >= first) & (pairs[:, 1] < last) & problem.free
    plain, pays = _paying(problem)
    edge = np.flatnonzero(inside & plain)
    families = problem.families
    family = families.only(np.asarray(inside[families.edges[:, 0]] & pays))
    m, f = len(edge), len(family.edges)
    tail = np.concatenate([pairs[edge, 0], pairs[family.edges[:, 0], 0]]) - first
    way = np.concatenate([np.arange(m), np.repeat(m + np.arange(f), 2)])
    head = np.concatenate([pairs[edge, 1], pairs[family.edges.ravel(), 1]]) - first
    price = np.concatenate([problem.total[edge], family.price])
    return _Part(
        np.arange(first, last), edge, family.edges, price, tail, np.stack([way, head], axis=1)
    )


def _paying(problem: Problem) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which links, and which families, may be part of a best solution.

    A link that costs more than an end and a beginning never is, nor a family that costs more than
    a link to one of its daughters while the other appears; unless they are pinned, or alternatives
    make other objects disappear with them.
    """
    prices, total, edges = problem.prices, problem.total, problem.families.edges
    plain = ~problem.pairs.family
    if len(problem.exclusive):
        return plain, np.ones(len(edges), np.bool_)
    single = np.where(plain, total, np.inf)
    fixed = problem.fixed
    worth = (single < prices.appear + prices.disappear) | fixed
    cheaper = problem.families.price < single[edges].min(axis=1, initial=np.inf) + prices.appear
    return plain & worth, np.asarray(cheaper | fixed[edges].any(axis=1))


def _window(problem: Problem, start: int, stop: int, done: Ints, cut: int = 0) -> Ints:
    """Return the links of some frames; those that begin before ``cut`` are the ones done."""
    part, prices = _part(problem, start, stop), problem.prices
    n, m = len(part.node), part.ways
    if not m:
        return _NONE
    frame = problem.pairs.detections.frame[part.node]
    last = problem.pairs.detections.frames - 1
    # Variables: ways, then for every detection: taken, appears, disappears.
    appear = np.where(frame > 0, prices.appear, 0) * (frame > start) + 0.0
    disappear = np.where(frame < last, prices.disappear, 0) * (frame < stop - 1)
    groups = _groups(problem, part)
    alternatives = np.bincount(np.concatenate([_NONE, *groups]), minlength=n)
    cost = np.concatenate([part.price, -prices.leave_out * alternatives, appear, disappear])
    low, high = np.zeros(m + 3 * n), np.ones(m + 3 * n)
    low[m : m + n] = alternatives == 0
    high[:m][_decided(part, frame, done, cut)] = 0
    high[part.enter[_entered_before(problem, part, done), 0]] = 0
    result = milp(
        cost,
        constraints=_constraints(problem, part, groups, done),
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
    return part.links(result.x[:m] > 0.5)


def _decided(part: _Part, frame: Ints, done: Ints, cut: int) -> NDArray[np.bool_]:
    """Return which ways an earlier window did not take, though it had to decide on them."""
    taken = np.concatenate([np.isin(part.edge, done), np.isin(part.family, done).all(axis=1)])
    return np.asarray((frame[part.tail] < cut) & ~taken)


def _entered_before(problem: Problem, part: _Part, done: Ints) -> NDArray[np.bool_]:
    """Return which entries are those of a detection that was linked from before this window.

    That link is not seen here, so no other may take its place.
    """
    links = problem.pairs.pairs[done] - part.node[0]
    crossing = (links[:, 0] < 0) & (links[:, 1] >= 0) & (links[:, 1] < len(part.node))
    return np.isin(part.enter[:, 1], links[crossing, 1])


def _groups(problem: Problem, part: _Part) -> list[Ints]:
    first, last = part.node[0], part.node[-1]
    found = (np.asarray(g) for g in problem.exclusive)
    return [g - first for g in found if g.min() >= first and g.max() <= last]


def _constraints(
    problem: Problem, part: _Part, groups: list[Ints], done: Ints
) -> list[LinearConstraint]:
    n, m = len(part.node), part.ways
    each, one = np.arange(n), np.ones(n)

    def matrix(rows: int, *blocks: tuple[Ints, Ints, NDArray[np.float64]]) -> csr_array:
        i, j, values = (np.concatenate(column) for column in zip(*blocks, strict=True))
        return coo_array((values, (i, j)), shape=(rows, m + 3 * n)).tocsr()

    way, head = part.enter.T
    into = matrix(
        n, (head, way, np.ones(len(way))), (each, m + n + each, one), (each, m + each, -one)
    )
    out = matrix(
        n,
        (part.tail, np.arange(m), np.ones(m)),
        (each, m + 2 * n + each, one),
        (each, m + each, -one),
    )
    pinned = problem.pairs.pairs[problem.fixed, 1] - part.node[0]
    inside = pinned[(pinned >= 0) & (pinned < n)]
    mergers = np.maximum(np.bincount(inside, minlength=n) - 1, 0)  # only where they are pinned
    balance = np.concatenate([mergers, np.zeros(n)])
    found = [LinearConstraint(vstack([into, out]).tocsr(), balance, balance)]
    row, column = _kept(problem, part, done)
    if len(row):  # links that stay, as such or in a family
        count = int(row.max()) + 1
        found.append(LinearConstraint(matrix(count, (row, column, np.ones(len(row)))), 1, 1))
    if groups:
        row = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
        taken = matrix(len(groups), (row, m + np.concatenate(groups), np.ones(len(row))))
        found.append(LinearConstraint(taken, -np.inf, 1))
    return found


def _kept(problem: Problem, part: _Part, done: Ints) -> tuple[Ints, Ints]:
    """Return, for each link that is pinned or done, the ways that hold it."""
    kept = np.union1d(np.flatnonzero(problem.fixed), done)
    m = len(part.edge)
    held = np.concatenate([part.edge, part.family.ravel()])
    way = np.concatenate([np.arange(m), np.repeat(m + np.arange(len(part.family)), 2)])
    inside = np.isin(held, kept)
    _, row = np.unique(held[inside], return_inverse=True)
    return row.astype(np.int64), way[inside]
