"""Filters alone, and beside them each network: one ensemble for each, mixed.

Many features more than strokes can tell apart cost accuracy, few that fit gain it. An ensemble that
never sees the features of a network bounds what they can spoil, and strokes that are left out tell
how much each has to say (see the benchmarks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.ensemble import Ensemble, Members, part
from stroma.classify.learner import Learner
from stroma.classify.limits import MAX_FEATURES
from stroma.classify.rows import check_number, fitted, training_data
from stroma.classify.stored import Arrays, read_arrays, require
from stroma.errors import ParameterError

BEFORE = (2 / 3, 1 / 3)
"""Shares of the filters' ensemble and of that of all features in files that say nothing of them."""


def usual(count: int) -> tuple[float, ...]:
    """Return the shares of so many ensembles where nothing is known of them."""
    return (1.0, *[0.0] * (count - 1))


def mixed(said: Sequence[NDArray[np.float32]], shares: Sequence[float]) -> NDArray[np.float32]:
    """Return the probabilities of all ensembles, mixed."""
    parts = [np.float32(share) * one for share, one in zip(shares, said, strict=True)]
    return np.asarray(sum(parts[1:], parts[0]), np.float32)


def families(ends: Sequence[int], count: int) -> list[tuple[slice, ...]]:
    """Return the columns of ``count`` features that each ensemble sees: the first, and a family.

    Parameters
    ----------
    ends : sequence of int
        Where the first features end, and every family behind them but the last.
    """
    inner = [end for end in ends if 0 < end < count]
    if not inner:
        return [(slice(0, count),)]
    first = slice(0, inner[0])
    return [(first,), *((first, slice(a, b)) for a, b in pairwise([*inner, count]))]


def seen(X: NDArray[np.float32], columns: tuple[slice, ...]) -> NDArray[np.float32]:
    """Return the contiguous columns of rows."""
    return np.ascontiguousarray(np.concatenate([X[:, own] for own in columns], axis=1))


@dataclass(frozen=True, eq=False)
class Families:
    """An ensemble of the first features, and one of these and of every family behind them.

    Parameters
    ----------
    members : tuple of Members
        The ensembles that have a say.
    shares : tuple of float
        What each ensemble has to say, 1 together; those that have none are no members.
    ends : tuple of int
        Where the first features end, and every family but the last.
    n_features : int
        Length of a row.
    """

    members: tuple[Members, ...]
    shares: tuple[float, ...]
    ends: tuple[int, ...]
    n_features: int

    @property
    def classes(self) -> NDArray[np.int64]:
        """The (K,) labels, ascending."""
        return self.members[0].classes

    @property
    def said(self) -> tuple[float, ...]:
        """The shares of the members."""
        return tuple(share for share in self.shares if share)

    @property
    def columns(self) -> list[tuple[slice, ...]]:
        """The features that each member sees."""
        every = families(self.ends, self.n_features)
        return [own for own, share in zip(every, self.shares, strict=True) if share]

    @property
    def importances(self) -> NDArray[np.float64]:
        """The (F,) share of every feature in the decisions of all."""
        found = np.zeros(self.n_features)
        for one, share, columns in zip(self.members, self.said, self.columns, strict=True):
            place = np.concatenate([np.arange(c.start, c.stop) for c in columns])
            found[place] += share * one.importances
        return np.asarray(found / found.sum(), np.float64)

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n rows."""
        pairs = zip(self.members, self.columns, strict=True)
        return mixed([one.predict_proba(seen(X, own)) for one, own in pairs], self.said)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the shares, the ends, and the arrays of all members behind their names."""
        named = zip(_prefixes(self.shares), self.members, strict=True)
        return {
            "shares": np.asarray(self.shares, np.float64),
            "ends": np.asarray(self.ends, np.int64),
            "n_features": np.asarray(self.n_features, np.int64),
            **{f"{p}{name}": array for p, one in named for name, array in one.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild all, checking that they belong together."""
        layout = {"shares": ("float64", "M"), "ends": ("int64", "E"), "n_features": ("int64", "")}
        if not layout.keys() & arrays.keys():  # a file of before there were shares
            return cls._of_two(arrays)
        shares, ends, count = (read_arrays(arrays, layout)[name].tolist() for name in layout)
        require(
            len(shares) > 0 and min(shares) >= 0 and abs(sum(shares) - 1) < 1e-6,
            f"its ensembles have shares of {shares}, which are not 1 together",
        )
        require(0 < count <= MAX_FEATURES, f"it has {count} features")
        ascend = ends == sorted(set(ends)) and min(ends, default=0) >= 0
        require(
            ascend and len(families(ends, count)) == len(shares),
            "it has not one share for each family",
        )
        members = (Members.from_arrays(part(arrays, p)) for p in _prefixes(shares))
        return cls(tuple(members), tuple(shares), tuple(ends), count)._checked()

    @classmethod
    def _of_two(cls, arrays: Arrays) -> Self:
        first, every = (Members.from_arrays(part(arrays, p)) for p in _prefixes(BEFORE))
        if first.n_features >= every.n_features:
            return cls((every,), (1.0,), (), every.n_features)._checked()
        return cls((first, every), BEFORE, (first.n_features,), every.n_features)._checked()

    def _checked(self) -> Self:
        sizes = [sum(own.stop - own.start for own in columns) for columns in self.columns]
        require(
            sizes == [one.n_features for one in self.members]
            and all(np.array_equal(one.classes, self.classes) for one in self.members),
            "one of its ensembles has other classes or features than the others",
        )
        return self


def _prefixes(shares: Sequence[float]) -> list[str]:
    """Return what the names of the arrays of every member begin with."""
    every = ["first.", "every.", *(f"every{n}." for n in range(2, len(shares)))]
    return [prefix for prefix, share in zip(every, shares, strict=False) if share]


@dataclass(frozen=True)
class FamilyEnsemble(Learner[Families]):
    """An `Ensemble` of the first features, and one of these and of every family behind them.

    Parameters
    ----------
    ends : tuple of int
        Where the first features end, and every family but the last; models set it to where the
        features of networks begin. Without any, there is one ensemble of all features.
    shares : tuple of float
        What each ensemble has to say, 1 together; models set what left-out strokes tell. Unless
        given, the first ensemble decides alone.
    random_state : int
        Seed of the trees.
    """

    ends: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()
    random_state: int = 0

    def __post_init__(self) -> None:
        """Check the parameters."""
        for end in self.ends:
            check_number("ends", end, 0, 10**9, whole=True)
        for share in self.shares:
            check_number("shares", share, 0, 1)
        if list(self.ends) != sorted(set(self.ends)):
            raise ParameterError(f"ends ascend, got {self.ends}.")
        if self.shares and abs(sum(self.shares) - 1) > 1e-6:
            raise ParameterError(f"shares are 1 together, got {self.shares}.")
        check_number("random_state", self.random_state, 0, 2**32 - 1, whole=True)

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""
        X = training_data(X, y)[0]
        blank, columns = Ensemble(random_state=self.random_state), families(self.ends, X.shape[1])
        shares = self.shares if len(self.shares) == len(columns) else usual(len(columns))
        members = tuple(
            fitted(blank.fit(seen(X, own), y).learned_)
            for own, share in zip(columns, shares, strict=True)
            if share
        )
        return replace(self, learned_=Families(members, shares, self.ends, X.shape[1]))

    @classmethod
    def read(cls, arrays: Arrays) -> Families:
        """Return the ensembles in stored arrays, every one checked."""
        return Families.from_arrays(arrays)

    @classmethod
    def _params(cls) -> list[str]:
        return ["random_state"]  # the others are learned, and are stored with what was learned

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Arrays) -> Self:
        """Rebuild fitted ensembles from their parameters and arrays."""
        known = dict(params)
        known.pop("first", None)  # of files of before there were shares
        found = super().from_arrays(known, arrays)
        learned = fitted(found.learned_)
        return replace(found, ends=learned.ends, shares=learned.shares)
