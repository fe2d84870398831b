"""All links at once: an integer programme, solved by HiGHS through scipy.

Every detection is entered by one link or family or appears, and is left by one link or family or
disappears, or it is alone; a family is a division, or a merger, with its two links. Long movies are
solved in windows that overlap; what lies before the middle of an overlap is kept.
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
from stroma.tracking.families import Families
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

    Ways are links (``edge``), then families (``family``, a pair of links each). ``leave`` and
    ``enter`` are the ways, and the detections that they come from and lead to.
    """

    node: Ints
    edge: Ints
    family: Ints
    price: Floats
    leave: Ints
    enter: Ints

    @property
    def ways(self) -> int:
        return len(self.price)

    @property
    def tail(self) -> Ints:
        """The detection that each way comes from; of a merger, one of both."""
        found = np.zeros(self.ways, np.int64)
        found[self.leave[:, 0]] = self.leave[:, 1]
        return found

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
    divided, merged = (
        one.only(np.asarray(inside[one.edges[:, 0]] & worth))
        for one, worth in zip((problem.families, problem.mergers), pays, strict=True)
    )
    m, d, k = len(edge), len(divided.edges), len(merged.edges)
    twice = m + np.repeat(np.arange(d + k), 2)
    leave = [
        np.stack([np.arange(m), pairs[edge, 0]], axis=1),
        np.stack([m + np.arange(d), pairs[divided.edges[:, 0], 0]], axis=1),
        np.stack([twice[2 * d :], pairs[merged.edges.ravel(), 0]], axis=1),
    ]
    enter = [
        np.stack([np.arange(m), pairs[edge, 1]], axis=1),
        np.stack([twice[: 2 * d], pairs[divided.edges.ravel(), 1]], axis=1),
        np.stack([m + d + np.arange(k), pairs[merged.edges[:, 0], 1]], axis=1),
    ]
    return _Part(
        np.arange(first, last),
        edge,
        np.concatenate([divided.edges, merged.edges]),
        np.concatenate([problem.total[edge], divided.price, merged.price]),
        np.concatenate(leave) - np.array([0, first]),
        np.concatenate(enter) - np.array([0, first]),
    )


def _paying(
    problem: Problem,
) -> tuple[NDArray[np.bool_], tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return which links, divisions and mergers may be part of a best solution.

    A link that costs more than an end and a beginning never is, nor a family that costs more than
    one of its links while the other object begins, or ends; unless they are pinned, or alternatives
    make other objects disappear with them.
    """
    total, ends, pairs = problem.total, problem.ends, problem.pairs.pairs
    plain = ~problem.pairs.family | problem.fixed
    families = (problem.families, problem.mergers)
    if len(problem.exclusive):
        first, second = (np.ones(len(one.edges), np.bool_) for one in families)
        return plain, (first, second)
    single = np.where(plain, total, np.inf)
    fixed = problem.fixed
    worth = (single < ends.appear[pairs[:, 1]] + ends.disappear[pairs[:, 0]]) | fixed

    def cheaper(one: Families, left: Floats) -> NDArray[np.bool_]:
        alternative = (single[one.edges] + left[one.edges[:, ::-1]]).min(axis=1, initial=np.inf)
        return np.asarray((one.price < alternative) | fixed[one.edges].any(axis=1))

    begin, end = ends.appear[pairs[:, 1]], ends.disappear[pairs[:, 0]]
    return plain & worth, (cheaper(families[0], begin), cheaper(families[1], end))


def _window(problem: Problem, start: int, stop: int, done: Ints, cut: int = 0) -> Ints:
    """Return the links of some frames; those that begin before ``cut`` are the ones done."""
    part, prices = _part(problem, start, stop), problem.prices
    n, m = len(part.node), part.ways
    if not m:
        return _NONE
    frame = problem.pairs.detections.frame[part.node]
    # Variables: ways, then for every detection: taken, appears, disappears, is alone.
    ends = problem.ends
    appear = ends.appear[part.node] * (frame > start)
    disappear = ends.disappear[part.node] * (frame < stop - 1)
    alone = np.where(
        (frame > start) & (frame < stop - 1), ends.alone[part.node], appear + disappear
    )
    groups = _groups(problem, part)
    alternatives = np.bincount(np.concatenate([_NONE, *groups]), minlength=n)
    cost = np.concatenate([part.price, -prices.leave_out * alternatives, appear, disappear, alone])
    low, high = np.zeros(m + 4 * n), np.ones(m + 4 * n)
    low[m : m + n] = alternatives == 0
    high[m + 3 * n :] = problem.chances is not None  # else it is to appear and to disappear
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
        return coo_array((values, (i, j)), shape=(rows, m + 4 * n)).tocsr()

    way, head = part.enter.T
    taken, alone = (each, m + each, -one), (each, m + 3 * n + each, one)
    appear, disappear = (each, m + n + each, one), (each, m + 2 * n + each, one)
    into = matrix(n, (head, way, np.ones(len(way))), appear, alone, taken)
    way, tail = part.leave.T
    out = matrix(n, (tail, way, np.ones(len(way))), disappear, alone, taken)
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
        members = matrix(len(groups), (row, m + np.concatenate(groups), np.ones(len(row))))
        found.append(LinearConstraint(members, -np.inf, 1))
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
