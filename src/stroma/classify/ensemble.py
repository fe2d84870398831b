"""Two classifiers that err differently, averaged: random trees and logistic regression.

Trees see interactions and thresholds, the linear one extrapolates smoothly from few strokes; the
mean of their probabilities was better than either on most kinds of images (see the benchmarks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.forest import Forest
from stroma.classify.logistic import Logistic
from stroma.classify.rows import check_number, fitted, require, stored_params

Members = tuple[Forest, Logistic]

ROWS_PER_LEAF_SAMPLE = 20
"""Rows there must be for every sample that a leaf has at least."""

ROWS_FOR_THREADS = 20_000
"""Rows below which threads cost more time than they save."""


@dataclass(frozen=True)
class Ensemble:
    """The mean of extremely randomised trees and of a strongly regularised logistic regression.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    max_depth : int
        Greatest depth of a tree.
    min_samples_leaf : int
        Fewest samples in a leaf; fewer where that is more than a twentieth of all, so that trees
        tell apart even two single pixels.
    max_samples : float
        Share of the samples each tree is fitted to.
    C : float
        Inverse strength of the penalty of the logistic regression.
    random_state : int
        Seed of the trees.
    """

    n_estimators: int = 30
    max_depth: int = 8
    min_samples_leaf: int = 3
    max_samples: float = 0.3
    C: float = 0.01
    random_state: int = 0
    members_: Members | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the parameters, which the members' own checks do."""
        check_number("max_samples", self.max_samples, 1e-6, 1)
        self._blank()

    def _blank(self) -> Members:
        trees = Forest(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            max_samples=self.max_samples,
            random_splits=True,
            class_weight="balanced",
            random_state=self.random_state,
        )
        return trees, Logistic(C=self.C, max_iter=300)

    @property
    def members(self) -> Members:
        """The fitted trees and the fitted logistic regression."""
        return fitted(self.members_)

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The (K,) labels seen, ascending."""
        return self.members[0].classes_

    @property
    def n_features_in_(self) -> int:
        """Length of the rows it was fitted to."""
        return self.members[0].n_features_in_

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """The (F,) mean share of every feature in the members' decisions."""
        trees, linear = self.members
        return (trees.feature_importances_ + linear.feature_importances_) / 2

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""
        trees, linear = self._blank()
        leaf = min(self.min_samples_leaf, max(1, len(X) // ROWS_PER_LEAF_SAMPLE))
        trees = replace(trees, min_samples_leaf=leaf)
        if len(X) < ROWS_FOR_THREADS:
            trees = replace(trees, n_jobs=1)
        return replace(self, members_=(trees.fit(X, y), linear.fit(X, y)))

    def predict_proba(self, X: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n rows."""
        return self.mixed([member.predict_proba(X) for member in self.members])

    def mixed(self, probabilities: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the mean of the members' probabilities."""
        first, second = probabilities
        return (first + second) / np.float32(2)

    def params(self) -> dict[str, Any]:
        """Return the parameters."""
        return {name: getattr(self, name) for name in _PARAMS}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of both members, by ``trees.`` and ``linear.`` and their names."""
        trees, linear = self.members
        return {
            **{f"trees.{name}": array for name, array in trees.arrays().items()},
            **{f"linear.{name}": array for name, array in linear.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild a fitted classifier from its parameters and arrays."""
        made = cls(**stored_params(params, _PARAMS))
        blank_trees, blank_linear = made._blank()
        trees = Forest.from_arrays(blank_trees.params(), _part(arrays, "trees."))
        linear = Logistic.from_arrays(blank_linear.params(), _part(arrays, "linear."))
        same = trees.n_features_in_ == linear.n_features_in_
        require(
            same and np.array_equal(trees.classes_, linear.classes_),
            "the two members of the ensemble have other features or classes",
        )
        return replace(made, members_=(trees, linear))


_PARAMS = ["n_estimators", "max_depth", "min_samples_leaf", "max_samples", "C", "random_state"]


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
