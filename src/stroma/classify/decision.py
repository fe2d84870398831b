"""Binary decision trees (a forest's) as checked arrays, and as the tables the kernel reads."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.evaluate import scored
from stroma.classify.kernels import SHALLOW, forest_rows, path_lengths, shallow_rows
from stroma.classify.limits import MAX_FEATURES, MAX_NODES, MAX_PATH, MAX_TABLE_BYTES, MAX_TREES
from stroma.classify.packed import pack
from stroma.classify.questions import MAX_BORDERS, ranked
from stroma.classify.stored import Arrays, ascend, read_arrays, read_classes, require


class Tables(NamedTuple):
    """Trees as :func:`stroma.classify.kernels.forest_rows` reads them.

    Two columns of votes are packed into one.
    """

    used: NDArray[np.int64]
    """(U,) features that are asked about, ascending."""
    root: NDArray[np.uint32]
    """(T,) first node of every tree."""
    feature: NDArray[np.uint32]
    """(N,) position in ``used`` of the feature a node asks about; 0 for a leaf."""
    threshold: NDArray[np.float32]
    """(N,) value it is compared with; infinite for a leaf."""
    child: NDArray[np.uint32]
    """(N,) left child; itself for a leaf."""
    row: NDArray[np.uint32]
    """(N,) row in ``value``; 0 for what is not a leaf."""
    value: NDArray[np.int64]
    """(ceil(K / 2), L) packed probabilities in leaves."""
    unit: float
    """What one unit of the packed votes is worth in the mean over the trees."""


class ShallowTables(NamedTuple):
    """Shallow trees as :func:`stroma.classify.kernels.shallow_rows` reads them.

    A node is known by its path: bit d is set if the answer at depth d led right. Two columns of
    votes are packed into one.
    """

    used: NDArray[np.int64]
    """(U,) features that are asked about, ascending."""
    start: NDArray[np.int64]
    """(U + 1,) where the borders of each begin."""
    borders: NDArray[np.float32]
    """(B,) borders of all used features, ascending within each."""
    first: NDArray[np.int64]
    """(T + 1,) where the questions of each tree begin."""
    slot: NDArray[np.int64]
    """(Q,) position in ``used`` of the feature asked about."""
    asked: NDArray[np.unsignedinteger[Any]]
    """(Q,) rank that is to be exceeded to go right; of one byte where that is enough."""
    path: NDArray[np.uint8]
    """(Q,) path of the node that asks; within a tree, those nearer to the root come first."""
    bit: NDArray[np.uint8]
    """(Q,) what is added to the path of those that go right."""
    value: NDArray[np.int64]
    """(T, ceil(K / 2), 2**SHALLOW) packed probabilities by the path of a leaf."""
    unit: float
    """What one unit of the packed votes is worth in the mean over the trees."""


@dataclass(frozen=True, eq=False)
class DecisionTrees:
    """Binary trees in which the right child of a node follows its left child.

    A row goes right where ``row[feature] > threshold``. The probabilities are the mean of the
    values of the leaves that a row falls into.

    Parameters
    ----------
    feature : (N,) int32
        Feature a node asks about; -1 for a leaf.
    threshold : (N,) float32
        Value it is compared with.
    child : (N,) int32
        Left child, as a node number; for a leaf, its row in ``value``.
    first : (T + 1,) int64
        Where each tree begins (with its root), and the end.
    value : (L, K) float32
        Probabilities of the classes in a leaf.
    importances : (F,) float64
        Share of every feature in the decrease of impurity.
    classes : (K,) int64
        Labels, ascending.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    child: NDArray[np.int32]
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
        return {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild trees, checking that every path ends in a leaf of its own tree."""
        classes = read_classes(arrays)
        trees = cls(**read_arrays(arrays, _LAYOUT, K=len(classes)), classes=classes)
        trees._check()
        return trees

    def _check(self) -> None:
        nodes, first, leaf = len(self.feature), self.first, self.feature == -1
        require(0 < nodes <= MAX_NODES, f"its trees have {nodes} nodes")
        require(1 < len(first) <= MAX_TREES + 1, f"it has {len(first) - 1} trees")
        follow = first[0] == 0 and first[-1] == nodes and ascend(first)
        require(bool(follow), "the trees do not follow each other")
        require(0 < self.n_features <= MAX_FEATURES, f"it has {self.n_features} features")
        inside = (self.feature >= -1) & (self.feature < self.n_features)
        require(bool(inside.all()), "a feature is out of range")
        for shares in (self.value, self.importances):
            right = bool(((shares >= 0) & (shares <= 1)).all())
            require(right, "a probability or importance is not from 0 to 1")
        self._check_paths(leaf)

    def _check_paths(self, leaf: NDArray[np.bool_]) -> None:
        nodes = len(leaf)
        end = np.repeat(self.first[1:], np.diff(self.first))
        later = (self.child > np.arange(nodes)) & (self.child < end - 1)
        held = (self.child >= 0) & (self.child < len(self.value))
        require(bool(np.where(leaf, held, later).all()), "a path leads out of its tree")
        length = np.zeros(nodes, np.int64)
        path_lengths(self.feature, self.child, length)
        longest = int(length.max())
        require(longest <= MAX_PATH, f"a path asks {longest} questions")

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n contiguous rows."""
        kernel, tables = (
            (forest_rows, self.tables) if self.shallow is None else (shallow_rows, self.shallow)
        )
        scores = scored(lambda a, b, out: kernel(X, a, b, tables, out), self.columns, len(X))
        return self.activate(scores).T

    @property
    def columns(self) -> int:
        """How many scores a row has: one per class."""
        return len(self.classes)

    def activate(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (K, ...) probabilities of (K, ...) scores, which are the mean votes."""
        return scores

    @cached_property
    def shallow(self) -> ShallowTables | None:
        """The same trees, arranged for the kernel for shallow ones; None if too deep or large."""
        trees = len(self.first) - 1
        packed, unit = pack(self.value.T.astype(np.float64), trees)
        if trees * len(packed) * 2**SHALLOW * packed.itemsize > MAX_TABLE_BYTES:
            return None
        value = np.zeros((trees, len(packed), 2**SHALLOW), np.int64)
        node, tree, path = self.first[:-1], np.arange(trees), np.zeros(trees, np.int64)
        asking = []
        for depth in range(SHALLOW + 1):
            leaf = self.feature[node] == -1
            value[tree[leaf], :, path[leaf]] = packed[:, self.child[node[leaf]]].T
            node, tree, path = node[~leaf], tree[~leaf], path[~leaf]
            bit = np.full(len(node), 1 << depth)
            asking.append(np.stack([tree, node, path, bit]))
            left, path = self.child[node], np.concatenate([path, path | bit])
            node, tree = np.concatenate([left, left + 1]), np.concatenate([tree, tree])
        if asking.pop().size:
            return None
        tree, node, path, bit = _by_tree(np.concatenate(asking, axis=1))
        questions = ranked(self.feature[node], self.threshold[node])
        return ShallowTables(
            used=questions.used,
            start=questions.start,
            borders=questions.borders,
            first=np.searchsorted(tree, np.arange(trees + 1)),
            slot=questions.slot,
            asked=questions.rank.astype(np.uint8 if questions.most <= MAX_BORDERS else np.uint16),
            path=path.astype(np.uint8),
            bit=bit.astype(np.uint8),
            value=value,
            unit=unit / trees,
        )

    @cached_property
    def tables(self) -> Tables:
        """The same trees, arranged for the kernel."""
        leaf = self.feature == -1
        used = np.unique(self.feature[~leaf])
        slot = np.where(leaf, 0, np.searchsorted(used, self.feature))
        itself = np.arange(len(leaf))
        trees = len(self.first) - 1
        value, unit = pack(self.value.T.astype(np.float64), trees)
        return Tables(
            used=used.astype(np.int64),
            root=self.first[:-1].astype(np.uint32),
            feature=slot.astype(np.uint32),
            threshold=np.where(leaf, np.float32(np.inf), self.threshold),
            child=np.where(leaf, itself, self.child).astype(np.uint32),
            row=np.where(leaf, self.child, 0).astype(np.uint32),
            value=value,
            unit=unit / trees,
        )


_LAYOUT = {
    "feature": ("int32", "N"),
    "threshold": ("float32", "N"),
    "child": ("int32", "N"),
    "first": ("int64", "E"),
    "value": ("float32", "LK"),
    "importances": ("float64", "F"),
}


def _by_tree(columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return columns ordered by their first number, equal ones as they were."""
    return columns[:, np.argsort(columns[0], kind="stable")]
