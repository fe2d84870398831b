"""What follows plain links of neighbouring frames: divisions, mergers, and bridged gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Floats, Ints
from stroma.tracking.candidates import DIVIDE, MERGE
from stroma.tracking.families import Families
from stroma.tracking.problem import Problem

END = 2
"""Frames at the end, and at the beginning, in which it is not known what goes on beyond."""


class Option(NamedTuple):
    """What may be added to links: what it gains, its links, and all links of its family."""

    gain: float
    added: tuple[int, ...]
    touched: tuple[int, ...]


def follow_ups(problem: Problem, chosen: Ints) -> list[Option]:
    """Return what may be added to plain links, the most gainful first.

    A track that ends may have two daughters that begin, or go on after a gap; a track that goes on
    may have one more daughter. Backwards in time, so do tracks that merge.

    Parameters
    ----------
    problem : Problem
        What is to be solved.
    chosen : (k,) int64
        Candidates that are links already.
    """
    pairs, n, prices = problem.pairs.pairs, len(problem.pairs.detections), problem.prices
    degrees = [np.bincount(pairs[chosen, end], minlength=n) for end in (0, 1)]
    taken = np.zeros(len(pairs), np.bool_)
    taken[chosen] = True
    begins, ends = degrees[1][pairs[:, 1]] == 0, degrees[0][pairs[:, 0]] == 0
    loose = problem.free & ~taken & begins & ends & (problem.pairs.gap > 1)
    gaps = np.flatnonzero(loose & ~problem.pairs.family)
    gain = prices.appear + prices.disappear - problem.total[gaps]
    found = [Option(float(g), (int(e),), (int(e),)) for g, e in zip(gain, gaps, strict=True)]
    found += _families(problem, problem.families, DIVIDE, degrees, taken)
    found += _families(problem, problem.mergers, MERGE, degrees, taken)
    return sorted((option for option in found if option.gain > 0), reverse=True)


def _families(
    problem: Problem,
    families: Families,
    single: int,
    degrees: list[Ints],
    taken: NDArray[np.bool_],
) -> list[Option]:
    """Return what families gain: both links, or one more beside a link that is there."""
    pairs, prices, edges = problem.pairs.pairs, problem.prices, families.edges
    many, one = prices.appear, prices.disappear
    if single == MERGE:
        many, one = one, many
    free = degrees[1 - single][pairs[:, 1 - single]] == 0
    alone = degrees[single][pairs[:, single]] == 0
    found: list[Option] = []
    for first, second in (edges.T, edges[:, ::-1].T):
        worth: Floats = problem.total[first] + many - families.price
        fits = taken[first] & free[second] & (degrees[single][pairs[first, single]] == 1)
        fits &= degrees[1 - single][pairs[first, 1 - single]] == 1
        for g, a, b in zip(worth[fits], first[fits].tolist(), second[fits].tolist(), strict=True):
            found.append(Option(float(g), (b,), (a, b)))
    worth = 2 * many + one - families.price
    fits = free[edges].all(axis=1) & alone[edges[:, 0]]
    for g, pair in zip(worth[fits], edges[fits].tolist(), strict=True):
        found.append(Option(float(g), tuple(pair), tuple(pair)))
    return found


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
    for _, added, touched in options:
        ends = {(s, int(pairs[e, i])) for e in touched for i, s in ((0, "out"), (1, "in"))}
        if ends & used or (shut is not None and shut[pairs[list(added)]].any()):
            continue
        used |= ends
        yield added


def without_stubs(problem: Problem, chosen: Ints) -> Ints:
    """Return the links without those to daughters that are gone in the next frame.

    What is seen but once beside an object that goes on is a piece of it, found as another object by
    a segmentation that was in doubt; so is what merges and was not there before. Pinned links stay,
    and what is near the end, or the beginning. A daughter that is left alone and was further off
    than objects get is none either.

    Parameters
    ----------
    problem : Problem
        What was solved.
    chosen : (k,) int64
        Candidates that are links.
    """
    found, links = problem.pairs.detections, problem.pairs.pairs[chosen]
    n, frame = len(found), found.frame
    out, into = (np.bincount(links[:, end], minlength=n) for end in (0, 1))
    gone = (out[links[:, 1]] == 0) & (frame[links[:, 1]] < found.frames - END)
    new = (into[links[:, 0]] == 0) & (frame[links[:, 0]] >= END)
    stub = gone & (out[links[:, 0]] > 1) | new & (into[links[:, 1]] > 1)
    stub &= ~problem.fixed[chosen]
    left, come = (np.bincount(links[~stub, end], minlength=n) for end in (0, 1))
    alone = problem.pairs.family[chosen] & (left[links[:, 0]] < 2) & (come[links[:, 1]] < 2)
    kept = ~(stub | (alone & ~problem.fixed[chosen]))
    return np.asarray(chosen[kept], np.int64)
