"""Two classifiers that err differently, averaged: random trees and logistic regression.

Trees see interactions and thresholds, the linear one extrapolates smoothly from few strokes; the
mean of their probabilities was better than either on most kinds of images (see the benchmarks).
Where no straight line parts the strokes, as around a band of middle brightness, trees decide alone,
and their splits are searched for, not drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.decision import DecisionTrees
from stroma.classify.forest import Forest
from stroma.classify.learner import Learner
from stroma.classify.logistic import Linear, Logistic
from stroma.classify.rows import check_number, fitted
from stroma.classify.stored import Arrays, read_arrays, require

ROWS_PER_LEAF_SAMPLE = 20
"""Rows there must be for every sample that a leaf has at least."""

LOST, STILL_FAIR = 0.25, 0.5
"""Share of its own rows that a linear map tells beyond guessing, at which it has no say, and at
which it has its whole say. On images of the benchmarks it is at least 0.62."""

LITTLE = 0.25
"""Say of the linear map below which trees search for their splits: they alone draw the borders,
and what is drawn at random is softer than a narrow class in a wide range. A search takes two to
three times as long, so there are a third as many trees."""

ROWS_FOR_THREADS = 20_000
"""Rows below which threads cost more time than they save."""


@dataclass(frozen=True, eq=False)
class Members:
    """Trees and a linear map of the same features, and the mean of what they say.

    Parameters
    ----------
    trees, linear : DecisionTrees, Linear
        Of the same features and classes.
    share : float
        What the linear map has to say, 0 to 0.5; the trees have the rest.
    """

    trees: DecisionTrees
    linear: Linear
    share: float = 0.5

    @property
    def classes(self) -> NDArray[np.int64]:
        """The (K,) labels, ascending."""
        return self.trees.classes

    @property
    def n_features(self) -> int:
        """Length of a row."""
        return self.trees.n_features

    @property
    def importances(self) -> NDArray[np.float64]:
        """The (F,) mean share of every feature in the members' decisions."""
        return (1 - self.share) * self.trees.importances + self.share * self.linear.importances

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n rows."""
        return self.mixed(self.trees.predict_proba(X), self.linear.predict_proba(X))

    def mixed(self, trees: NDArray[np.float32], linear: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities of the members together."""
        share = np.float32(self.share)
        return np.asarray((1 - share) * trees + share * linear)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of both members, by ``trees.`` and ``linear.`` and their names."""
        return {
            **{f"trees.{name}": array for name, array in self.trees.arrays().items()},
            **{f"linear.{name}": array for name, array in self.linear.arrays().items()},
            "share": np.asarray(self.share),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild the members, checking that they belong together."""
        trees = DecisionTrees.from_arrays(part(arrays, "trees."))
        linear = Linear.from_arrays(part(arrays, "linear."))
        same = trees.n_features == linear.n_features
        require(
            same and np.array_equal(trees.classes, linear.classes),
            "the two members of the ensemble have other features or classes",
        )
        if "share" not in arrays:  # a file of before there were shares
            return cls(trees, linear)
        share = float(read_arrays(arrays, {"share": ("float64", "")})["share"])
        require(0 <= share <= 0.5, f"the linear member has a share of {share:g}, not 0 to 0.5")
        return cls(trees, linear, share)


def share_of(linear: Linear, X: NDArray[np.float32], y: NDArray[np.integer]) -> float:
    """Return what a linear map has to say, from how well it tells apart what it was fitted to.

    Parameters
    ----------
    X : (n, F) float32
    y : (n,) int
    """
    codes, count = np.searchsorted(linear.classes, y), len(linear.classes)
    right = linear.predict_proba(X).argmax(axis=1) == codes
    told = (np.bincount(codes, right) / np.bincount(codes)).mean()
    beyond_guessing = (told - 1 / count) / (1 - 1 / count)
    return float(0.5 * np.clip((beyond_guessing - LOST) / (STILL_FAIR - LOST), 0, 1))


@dataclass(frozen=True)
class Ensemble(Learner[Members]):
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

    def __post_init__(self) -> None:
        """Check the parameters, which the members' own checks do."""
        check_number("max_samples", self.max_samples, 1e-6, 1)
        self._blank()

    def _blank(self) -> tuple[Forest, Logistic]:
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

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""
        trees, linear = self._blank()
        leaf = min(self.min_samples_leaf, max(1, len(X) // ROWS_PER_LEAF_SAMPLE))
        trees = replace(trees, min_samples_leaf=leaf)
        if len(X) < ROWS_FOR_THREADS:
            trees = replace(trees, n_jobs=1)
        line = fitted(linear.fit(X, y).learned_)
        share = share_of(line, X, y)
        if share < LITTLE:
            trees = replace(trees, random_splits=False, n_estimators=-(-self.n_estimators // 3))
        return replace(self, learned_=Members(fitted(trees.fit(X, y).learned_), line, share))

    @classmethod
    def read(cls, arrays: Arrays) -> Members:
        """Return the members in stored arrays, every one checked."""
        return Members.from_arrays(arrays)


def part(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
