"""A random forest: fitted by scikit-learn, evaluated by our own kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.decision import DecisionTrees
from stroma.classify.learner import Learner
from stroma.classify.limits import MAX_PATH, MAX_TREES, eased
from stroma.classify.rows import check_number, training_data
from stroma.classify.stored import Arrays
from stroma.errors import ParameterError

LEAST_SAMPLES = 50


@dataclass(frozen=True)
class Forest(Learner[DecisionTrees]):
    """Random forest; parameters have the names and defaults of scikit-learn.

    Parameters
    ----------
    n_estimators : int
        Number of trees, up to 64 classes; above, fewer, so that the work is the same.
    max_depth : int or None
        Greatest depth of a tree; None grows until leaves are pure.
    min_samples_leaf : int
        Fewest samples in a leaf.
    max_samples : float or None
        Share of the samples each tree is fitted to (but 50, if there are as many), drawn with
        replacement; None draws as many as there are.
    random_splits : bool
        Choose among random thresholds ("extremely randomised trees", Geurts, Ernst and Wehenkel
        2006, doi:10.1007/s10994-006-6226-1), not among all.
    class_weight : "balanced" or None
        Whether rare classes count as much as frequent ones.
    random_state : int
        Seed of the sampling.
    n_jobs : int
        Threads that fit; -1 takes all cores. The result does not depend on it.

    References
    ----------
    Breiman, "Random forests", Machine Learning 45, 2001. doi:10.1023/A:1010933404324
    """

    n_estimators: int = 100
    max_depth: int | None = None
    min_samples_leaf: int = 1
    max_samples: float | None = None
    random_splits: bool = False
    class_weight: Literal["balanced"] | None = None
    random_state: int = 0
    n_jobs: int = -1

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_number("n_estimators", self.n_estimators, 1, MAX_TREES, whole=True)
        check_number(
            "max_depth", 1 if self.max_depth is None else self.max_depth, 1, MAX_PATH, whole=True
        )
        check_number("min_samples_leaf", self.min_samples_leaf, 1, 1_000_000, whole=True)
        check_number("max_samples", 1 if self.max_samples is None else self.max_samples, 1e-6, 1)
        check_number("random_state", self.random_state, 0, 2**32 - 1, whole=True)
        check_number("n_jobs", self.n_jobs, -1, 1024, whole=True)
        if self.class_weight not in ("balanced", None) or self.n_jobs == 0:
            raise ParameterError(
                "class_weight is 'balanced' or None and n_jobs is not 0; "
                f"got {self.class_weight!r} and {self.n_jobs}."
            )

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""
        from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

        rows, codes, classes = training_data(X, y)
        trees = eased(self.n_estimators, len(classes))
        drawn = self._drawn(len(rows))
        options = {**self.params(), "max_samples": drawn, "n_estimators": trees}
        library = ExtraTreesClassifier if options.pop("random_splits") else RandomForestClassifier
        forest = library(bootstrap=True, **options).fit(rows, codes)
        return replace(self, learned_=_trees(forest, classes))

    def _drawn(self, rows: int) -> int | None:
        if self.max_samples is None:
            return None
        return min(rows, max(LEAST_SAMPLES, round(self.max_samples * rows)))

    @classmethod
    def read(cls, arrays: Arrays) -> DecisionTrees:
        """Return the trees in stored arrays, every one checked."""
        return DecisionTrees.from_arrays(arrays)


def _trees(forest: Any, classes: NDArray[np.int64]) -> DecisionTrees:
    """Return the arrays of a fitted forest."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    first = np.cumsum([0, *(tree.node_count for tree in trees)])
    shift = np.repeat(first[:-1], np.diff(first))
    left = np.concatenate([tree.children_left for tree in trees])
    right = np.concatenate([tree.children_right for tree in trees])
    leaf = left == -1
    order = _siblings_adjacent(first, left + shift, right + shift, leaf)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    value, row = np.unique(_values(trees)[leaf], axis=0, return_inverse=True)
    child = np.zeros_like(left)
    child[~leaf] = place[(left + shift)[~leaf]]
    child[leaf] = row.ravel()
    feature = np.concatenate([tree.feature for tree in trees])
    threshold = np.concatenate([tree.threshold for tree in trees])
    return DecisionTrees(
        feature=np.where(leaf, -1, feature)[order].astype(np.int32),
        threshold=np.where(leaf, 0, _rounded_down(threshold))[order].astype(np.float32),
        child=child[order].astype(np.int32),
        first=first.astype(np.int64),
        value=value,
        importances=forest.feature_importances_,
        classes=classes,
    )


def _values(trees: list[Any]) -> NDArray[np.float32]:
    value = np.concatenate([tree.value[:, 0, :] for tree in trees])
    return np.asarray(value / value.sum(axis=1, keepdims=True), dtype=np.float32)


def _siblings_adjacent(
    first: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64], leaf: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the nodes tree by tree, within a tree level by level."""
    levels, level = [], first[:-1]
    while len(level):
        levels.append(level)
        inner = level[~leaf[level]]
        level = np.stack([left[inner], right[inner]], axis=1).ravel()
    nodes = np.concatenate(levels)
    tree = np.searchsorted(first, nodes, side="right")
    return nodes[np.argsort(tree, kind="stable")]


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the greatest float32 not above each value: float32 features compare alike with it."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
