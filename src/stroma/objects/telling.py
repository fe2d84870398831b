"""Which measurements tell labelled classes apart: few labelled objects allow few of them.

Among many measurements some separate a handful of objects by chance, and a classifier that looks at
all of them follows those as readily as the one that was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 4
"""Measurements that two classes are told apart by at least."""

SPREAD = 0.2
"""Spread of ranks within classes that is expected however alike the labelled objects are."""

LEAST = 3
"""Labelled objects of each class, or twice as many of both, below which it is not known which
measurements are meant."""

OTHERS = 2000
"""Objects without class, at most, among which values are ranked."""


def telling(X: Floats, y: Ints) -> Ints:
    """Return the columns that tell classes apart best, ascending.

    Each pair of classes has half as many as objects of it are labelled: those in which the ranks
    of the two differ most, compared with how they differ within the classes. All are looked at
    while there are fewer than three labelled objects of a class.

    Parameters
    ----------
    X : (n, F) float64
        Measurements of all objects, finite.
    y : (n,) int64
        Class of each, 0 where it is not labelled.
    """
    rows = np.flatnonzero(y)
    others = np.flatnonzero(y == 0)
    others = others[:: max(1, len(others) // OTHERS)]
    among = np.concatenate([rows, others])
    ranks = rankdata(X[among], axis=0)[: len(rows)] / len(among)
    chosen: set[int] = set()
    for a, b in combinations(np.unique(y[rows]).tolist(), 2):
        first, second = ranks[y[rows] == a], ranks[y[rows] == b]
        both = len(first) + len(second)
        if min(len(first), len(second)) < LEAST and both < 2 * LEAST:
            return np.arange(X.shape[1])
        most = max(FEWEST, both // 2)
        chosen.update(_order(first, second)[:most])
    return np.array(sorted(chosen), np.int64)


def _order(first: Floats, second: Floats) -> Sequence[int]:
    """Return the columns, those first in which two classes differ most."""
    within = np.sqrt((first.var(axis=0) + second.var(axis=0)) / 2) + SPREAD
    apart = np.abs(first.mean(axis=0) - second.mean(axis=0)) / within
    order: list[int] = np.argsort(-apart, kind="stable").tolist()
    return order
