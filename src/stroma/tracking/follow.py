"""What follows plain links of neighbouring frames: divisions, and gaps that are bridged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Ints
from stroma.tracking.problem import Problem

END = 2
"""Frames at the end in which it is not known yet what goes on."""

Option = tuple[float, tuple[int, ...]]
"""What it gains, and the links that it adds."""


def follow_ups(problem: Problem, chosen: Ints) -> list[Option]:
    """Return what may be added to plain links, the most gainful first.

    A track that ends may have two daughters that begin, or go on after a gap; a track that goes on
    may have one more daughter.

    Parameters
    ----------
    problem : Problem
        What is to be solved.
    chosen : (k,) int64
        Candidates that are links already.
    """
    pairs, n, prices = problem.pairs.pairs, len(problem.pairs.detections), problem.prices
    out = np.bincount(pairs[chosen, 0], minlength=n)
    into = np.bincount(pairs[chosen, 1], minlength=n)
    taken = np.zeros(len(pairs), np.bool_)
    taken[chosen] = True
    begins, ends = into[pairs[:, 1]] == 0, out[pairs[:, 0]] == 0
    loose = problem.free & ~taken & begins & ends & (problem.pairs.gap > 1)
    gaps = np.flatnonzero(loose & ~problem.pairs.family)
    gain = prices.appear + prices.disappear - problem.total[gaps]
    found: list[Option] = [(float(g), (int(e),)) for g, e in zip(gain, gaps, strict=True) if g > 0]
    edges, price = problem.families.edges, problem.families.price
    for one, other in ((0, 1), (1, 0)):
        first, second = edges[:, one], edges[:, other]
        worth = problem.total[first] + prices.appear - price
        fits = taken[first] & begins[second] & (out[pairs[first, 0]] == 1) & (worth > 0)
        found += zip(worth[fits].tolist(), ((e,) for e in second[fits].tolist()), strict=True)
    worth = 2 * prices.appear + prices.disappear - price
    fits = begins[edges].all(axis=1) & ends[edges[:, 0]] & (worth > 0)
    found += zip(worth[fits].tolist(), map(tuple, edges[fits].tolist()), strict=True)
    return sorted(found, reverse=True)


def apart(
    problem: Problem, options: list[Option], shut: NDArray[np.bool_] | None = None
) -> Iterator[tuple[int, ...]]:
    """Yield the links of the best options that share no object.

    Parameters
    ----------
    problem : Problem
        What is to be solved.
    options : list of Option
        The best first.
    shut : (n,) bool, optional
        Detections that cannot be linked; read anew for every option.
    """
    pairs = problem.pairs.pairs
    used: set[tuple[str, int]] = set()
    for _, edges in options:
        ends = {("out", int(pairs[edges[0], 0])), *(("in", int(pairs[e, 1])) for e in edges)}
        if ends & used or (shut is not None and shut[pairs[list(edges)]].any()):
            continue
        used |= ends
        yield edges


def without_stubs(problem: Problem, chosen: Ints) -> Ints:
    """Return the links without those to daughters that are gone in the next frame.

    What is seen but once beside an object that goes on is a piece of it, found as another object by
    a segmentation that was in doubt. Pinned links stay, and daughters near the end. A daughter that
    is left alone and was further off than objects get is none either.

    Parameters
    ----------
    problem : Problem
        What was solved.
    chosen : (k,) int64
        Candidates that are links.
    """
    found, links = problem.pairs.detections, problem.pairs.pairs[chosen]
    out = np.bincount(links[:, 0], minlength=len(found))
    gone = (out[links[:, 1]] == 0) & (found.frame[links[:, 1]] < found.frames - END)
    stub = gone & (out[links[:, 0]] > 1) & ~problem.fixed[chosen]
    left = out - np.bincount(links[stub, 0], minlength=len(found))
    alone = problem.pairs.family[chosen] & (left[links[:, 0]] < 2) & ~problem.fixed[chosen]
    kept = ~(stub | alone)
    return np.asarray(chosen[kept], np.int64)
