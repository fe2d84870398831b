"""Ensembles of decision trees as plain, checked arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.rows import Arrays, require, stored, stored_classes

MAX_DEPTH = 16
MAX_BORDERS = 255


@dataclass(frozen=True, eq=False)
class ObliviousTrees:
    """Trees in which all nodes of one depth ask the same question (CatBoost's).

    A row goes to the leaf whose number has bit d set where ``row[feature[t, d]] > border[t, d]``.
    Raw score = ``scale * (sum of leaves) + bias``; one column means two classes.

    Parameters
    ----------
    feature : (T, D) int32
        Feature asked about by tree t at depth d.
    border : (T, D) float32
        Value it is compared with; infinite where a tree is shallower than D.
    leaf : (T, 2**D, C) float64
        What the leaves add to the scores; C = K for K > 2 classes, and 1 for two.
    weight : (T, 2**D) float64
        Training rows that fell into each leaf.
    scale_bias : (1 + C,) float64
        Scale, then bias of every column.
    classes : (K,) int64
        Labels, ascending.
    n_features : int
        Length of a row.
    """

    feature: NDArray[np.int32]
    border: NDArray[np.float32]
    leaf: NDArray[np.float64]
    weight: NDArray[np.float64]
    scale_bias: NDArray[np.float64]
    classes: NDArray[np.int64]
    n_features: int

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all parts as named arrays."""
        return _named(self)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild trees, checking that no leaf or feature out of range can be reached."""
        classes = stored_classes(arrays)
        columns = 1 if len(classes) == 2 else len(classes)
        feature = stored(arrays, "feature", "int32", None, None)
        count, depth = feature.shape
        require(count > 0 and depth <= MAX_DEPTH, "it has no trees, or trees that are too deep")
        trees = cls(
            feature=feature,
            border=stored(arrays, "border", "float32", count, depth),
            leaf=stored(arrays, "leaf", "float64", count, 2**depth, columns),
            weight=stored(arrays, "weight", "float64", count, 2**depth),
            scale_bias=stored(arrays, "scale_bias", "float64", 1 + columns),
            classes=classes,
            n_features=int(stored(arrays, "n_features", "int64")),
        )
        inside = (feature >= 0) & (feature < trees.n_features)
        require(bool(inside.all()), "a feature is out of range")
        require(bool(np.isfinite(trees.leaf).all()), "a leaf is not finite")
        return trees

    @cached_property
    def importances(self) -> NDArray[np.float64]:
        """Average change of the score where a feature's answer changes (F,), adding up to 1.

        CatBoost's PredictionValuesChange: for leaves that differ in one answer only, their
        weighted variance, summed over pairs, trees and columns.
        """
        change = np.zeros(self.n_features)
        count, depth = self.feature.shape
        for d in range(depth):
            by_answer = (count, 2 ** (depth - d - 1), 2, 2**d)
            weight = self.weight.reshape(by_answer)
            leaf = self.leaf.reshape(*by_answer, -1)
            total = weight.sum(axis=2)
            share = np.divide(weight.prod(axis=2), total, out=np.zeros_like(total), where=total > 0)
            spread = share[..., None] * (leaf[:, :, 1] - leaf[:, :, 0]) ** 2
            np.add.at(change, self.feature[:, d], spread.sum(axis=(1, 2, 3)))
        return change / (change.sum() or 1.0)


@dataclass(frozen=True, eq=False)
class DecisionTrees:
    """Binary trees in depth-first order (a forest's).

    The left child of node i is node i + 1; a row goes left where ``row[feature] <= threshold``.
    The probabilities are the mean of the values of the leaves that a row falls into.

    Parameters
    ----------
    feature : (N,) int32
        Feature a node asks about; -1 for a leaf.
    threshold : (N,) float32
        Value it is compared with.
    link : (N,) int32
        Right child, as a node number; for a leaf, its row in ``value``.
    first : (T + 1,) int64
        Where each tree begins, and the end.
    value : (L, K) float32
        Probabilities of the classes in a leaf.
    importances : (F,) float64
        Share of every feature in the decrease of impurity.
    classes : (K,) int64
        Labels, ascending.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    link: NDArray[np.int32]
    first: NDArray[np.int64]
    value: NDArray[np.float32]
    importances: NDArray[np.float64]
    classes: NDArray[np.int64]

    @property
    def n_features(self) -> int:
        """Length of a row."""
        return len(self.importances)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all parts as named arrays."""
        return _named(self)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild trees, checking that every path ends in a leaf of its own tree."""
        classes = stored_classes(arrays)
        feature = stored(arrays, "feature", "int32", None)
        nodes = len(feature)
        trees = cls(
            feature=feature,
            threshold=stored(arrays, "threshold", "float32", nodes),
            link=stored(arrays, "link", "int32", nodes),
            first=stored(arrays, "first", "int64", None),
            value=stored(arrays, "value", "float32", None, len(classes)),
            importances=stored(arrays, "importances", "float64", None),
            classes=classes,
        )
        trees._check()
        return trees

    def _check(self) -> None:
        nodes, first, leaf = len(self.feature), self.first, self.feature == -1
        sound = len(first) > 1 and first[0] == 0 and first[-1] == nodes
        require(bool(sound and (np.diff(first) > 0).all()), "the trees do not follow each other")
        inside = (self.feature >= -1) & (self.feature < self.n_features)
        require(bool(inside.all()), "a feature is out of range")
        end = np.repeat(first[1:], np.diff(first))
        later = (self.link > np.arange(nodes) + 1) & (self.link < end)
        held = (self.link >= 0) & (self.link < len(self.value))
        require(bool(np.where(leaf, held, later).all()), "a path leads out of its tree")


def _named(trees: Any) -> dict[str, NDArray[Any]]:
    return {f.name: np.asarray(getattr(trees, f.name)) for f in fields(trees)}
