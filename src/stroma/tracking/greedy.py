"""The cheapest link first, as long as it fits and pays."""

from __future__ import annotations

import numpy as np

from stroma.data.tracks import Ints
from stroma.tracking.follow import apart, follow_ups
from stroma.tracking.problem import Problem


def solve(problem: Problem) -> Ints:
    """Return the (k,) candidates that are links: pinned ones, then in the order of their cost."""
    pairs, prices, total = problem.pairs.pairs, problem.prices, problem.total
    out = np.zeros(len(problem.pairs.detections), np.int64)
    into = np.zeros_like(out)
    shut = np.zeros(len(out), np.bool_)
    rivals = _rivals(problem)
    chosen: list[int] = []

    def take(candidate: int) -> None:
        i, j = pairs[candidate]
        out[i] += 1
        into[j] += 1
        for one in (i, j):
            shut[rivals.get(int(one), [])] = True
        chosen.append(candidate)

    for candidate in np.flatnonzero(problem.fixed):
        take(int(candidate))
    order = np.argsort(total, kind="stable")
    open_ = problem.free & ~problem.fixed & ~problem.pairs.family & (problem.pairs.gap == 1)
    for candidate in order[open_[order]]:
        i, j = pairs[candidate]
        fits = not (into[j] or shut[i] or shut[j] or out[i])
        if fits and total[candidate] < prices.appear + prices.disappear:
            take(int(candidate))
    options = follow_ups(problem, np.array(chosen, np.int64))
    for edges in apart(problem, options, shut):
        for edge in edges:
            take(edge)
    return np.sort(np.array(chosen, np.int64))


def _rivals(problem: Problem) -> dict[int, list[int]]:
    """Return, for each detection of an exclusive group, the others."""
    found: dict[int, list[int]] = {}
    for group in problem.exclusive:
        for one in group:
            found.setdefault(int(one), []).extend(int(o) for o in group if o != one)
    return found
