"""What is learned from, and what is kept for scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from stroma.training.feeding.cases import Case
from stroma.training.feeding.data import is_bare


def split(
    cases: Sequence[Case],
    *,
    share: float = 0.2,
    seed: int = 0,
    strips: bool = False,
    alike: bool = False,
) -> tuple[list[Case], ...]:
    """Return cases to train on and cases to validate on.

    From four on, whole cases are kept for validation; of fewer, or where ``strips`` asks for it, a
    strip of each: the last part along its longest axis. Where ``alike`` asks for it, cases that
    are of one class each are kept class by class, as far as a class has several.
    """
    bare = [c for c in cases if is_bare(c)]
    if bare:
        known = [c for c in cases if not is_bare(c)]
        learned, kept = split(known, share=share, seed=seed, strips=strips, alike=alike)
        return [*learned, *bare], kept
    if len(cases) >= 4 and not strips:
        order = np.random.default_rng([seed, 1]).permutation(len(cases)).tolist()
        chosen = set(_of_each(cases, order, share) if alike else _first(order, share))
        learned = [c for i, c in enumerate(cases) if i not in chosen]
        return learned, [c for i, c in enumerate(cases) if i in chosen]
    parts = [_strips(case, share) for case in cases]
    return [a for a, _ in parts], [b for _, b in parts]


def _first(order: Sequence[int], share: float) -> Sequence[int]:
    return order[: max(1, round(share * len(order)))]


def _of_each(cases: Sequence[Case], order: Sequence[int], share: float) -> list[int]:
    """Return a share of the cases of every class; of a class with one case, none."""
    groups: dict[int, list[int]] = {}
    for i in order:
        labels = cases[i].labels
        assert labels is not None, "only labelled cases are of a class"
        groups.setdefault(int(labels.max()), []).append(i)
    found = [i for group in groups.values() if len(group) > 1 for i in _first(group, share)]
    return found or list(_first(order, share))


def folds(cases: Sequence[Case], count: int, *, seed: int = 0) -> list[tuple[list[Case], ...]]:
    """Return cases to train on and cases to validate on, several times: every part is kept once.

    Whole cases are kept if there are enough; of fewer than ``count``, or than 4, a strip of each.
    """
    bare = [c for c in cases if is_bare(c)]
    known = [c for c in cases if not is_bare(c)]
    if len(known) >= max(count, 4):
        order = np.random.default_rng([seed, 1]).permutation(len(known))
        parts = [[known[i] for i in sorted(part.tolist())] for part in np.array_split(order, count)]
        return [([c for c in known if c not in part] + bare, part) for part in parts]
    return [_strip_of_each(known, n, count, bare) for n in range(count)]


def _strip_of_each(
    cases: Sequence[Case], number: int, count: int, bare: Sequence[Case]
) -> tuple[list[Case], ...]:
    """Return cases without one of their strips, and the strips."""
    learned, kept = list(bare), []
    for case in cases:
        length = max(case.shape)
        edges = [0, length * number // count, length * (number + 1) // count, length]
        before, strip, after = (_part(case, *pair) for pair in pairwise(edges))
        learned += [c for c, pair in ((before, edges[:2]), (after, edges[2:])) if pair[0] < pair[1]]
        kept.append(strip)
    return [c for c in learned if c in bare or not is_bare(c)], kept


def _strips(case: Case, share: float) -> tuple[Case, Case]:
    length = max(case.shape)
    border = length - max(1, round(share * length))
    return _part(case, 0, border), _part(case, border, length)


def _part(case: Case, start: int, stop: int) -> Case:
    """Return a range of a case along its longest axis."""
    axis = int(np.argmax(case.shape))
    cube = tuple(slice(start, stop) if a == axis else slice(0, n) for a, n in enumerate(case.shape))
    return replace(case, allowed=cube)
