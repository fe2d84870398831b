"""Filters alone and filters with a network beside them: two ensembles, mixed.

Many features more than strokes can tell apart cost accuracy, few that fit gain it. An ensemble that
never sees the features of a network bounds what they can spoil (see the benchmarks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.ensemble import Ensemble, Members, part
from stroma.classify.learner import Learner
from stroma.classify.rows import check_number, fitted
from stroma.classify.stored import Arrays, require

SHARE = np.float32(1 / 3)
"""What the ensemble of all features has to say; the other one has the rest."""


def shared(first: NDArray[np.float32], every: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of both ensembles, mixed."""
    return np.asarray((1 - SHARE) * first + SHARE * every, np.float32)


@dataclass(frozen=True, eq=False)
class Families:
    """An ensemble of the first features, and one of all."""

    first: Members
    every: Members

    @property
    def classes(self) -> NDArray[np.int64]:
        """The (K,) labels, ascending."""
        return self.every.classes

    @property
    def n_features(self) -> int:
        """Length of a row."""
        return self.every.n_features

    @property
    def importances(self) -> NDArray[np.float64]:
        """The (F,) share of every feature in the decisions of both."""
        shares = SHARE * self.every.importances
        shares[: self.first.n_features] += (1 - SHARE) * self.first.importances
        return np.asarray(shares / shares.sum(), np.float64)

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n rows."""
        own = np.ascontiguousarray(X[:, : self.first.n_features])
        return shared(self.first.predict_proba(own), self.every.predict_proba(X))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of both, by ``first.`` and ``every.`` and their names."""
        return {
            **{f"first.{name}": array for name, array in self.first.arrays().items()},
            **{f"every.{name}": array for name, array in self.every.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild both, checking that they belong together."""
        first = Members.from_arrays(part(arrays, "first."))
        every = Members.from_arrays(part(arrays, "every."))
        require(
            first.n_features <= every.n_features and np.array_equal(first.classes, every.classes),
            "the ensemble of the first features has other classes, or more features",
        )
        return cls(first, every)


@dataclass(frozen=True)
class FamilyEnsemble(Learner[Families]):
    """An `Ensemble` of the first features, and with half its say one of all.

    Parameters
    ----------
    first : int
        How many features are the first; models set it to those ahead of the first network. 0, and
        more than there are, are all of them.
    random_state : int
        Seed of the trees.
    """

    first: int = 0
    random_state: int = 0

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_number("first", self.first, 0, 10**9, whole=True)
        check_number("random_state", self.random_state, 0, 2**32 - 1, whole=True)

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""
        blank = Ensemble(random_state=self.random_state)
        every = fitted(blank.fit(X, y).learned_)
        first = every
        if 0 < self.first < X.shape[1]:
            first = fitted(blank.fit(np.ascontiguousarray(X[:, : self.first]), y).learned_)
        return replace(self, learned_=Families(first, every))

    @classmethod
    def read(cls, arrays: Arrays) -> Families:
        """Return both ensembles in stored arrays, every one checked."""
        return Families.from_arrays(arrays)
