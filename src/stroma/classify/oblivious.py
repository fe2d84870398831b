"""Oblivious trees (CatBoost's) as checked arrays, and as the tables the kernel reads."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.evaluate import scored, softmax
from stroma.classify.kernels import TABLE_BITS, oblivious_rows
from stroma.classify.limits import MAX_FEATURES, MAX_TABLE_BYTES, MAX_TREES
from stroma.classify.packed import pack
from stroma.classify.questions import MAX_BORDERS, Questions, ranked
from stroma.classify.stored import Arrays, read_arrays, read_classes, require

MAX_DEPTH = 16
MAX_SCORE = 1e9
MAX_WEIGHT = 1e15
NEVER = 255
"""A rank that none exceeds: the question that is always answered with no."""


class Tables(NamedTuple):
    """Trees as :func:`stroma.classify.kernels.oblivious_rows` reads them.

    ``G`` trees share one table; two columns of scores are packed into one.
    """

    used: NDArray[np.int64]
    """(U,) features that are asked about, ascending."""
    start: NDArray[np.int64]
    """(U + 1,) where the borders of each begin."""
    borders: NDArray[np.float32]
    """(B,) borders of all used features, ascending within each."""
    slot: NDArray[np.int64]
    """(T / G, G * D) position in ``used`` of the feature asked about."""
    asked: NDArray[np.uint8]
    """(T / G, G * D) rank that is to be exceeded."""
    leaf: NDArray[np.int64]
    """(T / G, ceil(C / 2), 2**(G * D)) packed scores for every combination of answers."""
    unit: float
    """What one unit of the packed scores is worth."""


@dataclass(frozen=True, eq=False)
class ObliviousTrees:
    """Trees in which all nodes of one depth ask the same question.

    A row goes to the leaf whose number has bit d set where ``row[feature[t, d]] > border[t, d]``.
    Scores are ``scale * (sum of leaves) + bias``; a single column means two classes.

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
        return {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild trees, checking that no leaf or feature out of range can be reached."""
        classes = read_classes(arrays)
        asked = read_arrays(arrays, _QUESTIONS)
        trees, depth = asked["feature"].shape
        require(depth <= MAX_DEPTH, f"its trees ask {depth} questions")
        columns = 1 if len(classes) == 2 else len(classes)
        sizes = {"T": trees, "L": 2**depth, "C": columns, "B": 1 + columns}
        said = read_arrays(arrays, _ANSWERS, **sizes)
        features = int(said.pop("n_features"))
        made = cls(**asked, **said, classes=classes, n_features=features)
        made._check()
        return made

    def _check(self) -> None:
        require(0 < len(self.feature) <= MAX_TREES, f"it has {len(self.feature)} trees")
        require(0 < self.n_features <= MAX_FEATURES, f"it has {self.n_features} features")
        inside = (self.feature >= 0) & (self.feature < self.n_features)
        require(bool(inside.all()), "a feature is out of range")
        for scores in (self.leaf, self.scale_bias):
            require(bool((np.abs(scores) < MAX_SCORE).all()), "its scores are too large")
        counts = (self.weight >= 0) & (self.weight < MAX_WEIGHT)
        require(bool(counts.all()), "the rows in a leaf are not counted")
        most = self._questions.most
        require(most <= MAX_BORDERS, f"a feature has more than {MAX_BORDERS} borders")

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n contiguous rows."""
        tables = self.tables
        scores = scored(
            lambda a, b, out: oblivious_rows(X, a, b, tables, out), self.columns, len(X)
        )
        return self.activate(scores).T

    @property
    def columns(self) -> int:
        """How many scores a row has: one per class, and a single one for two."""
        return int(self.leaf.shape[2])

    def activate(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (K, ...) probabilities of (C, ...) scores."""
        return softmax(scores)

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

    @cached_property
    def tables(self) -> Tables:
        """The same trees, arranged for the kernel."""
        together, questions, real = self._together, self._questions, self._real
        slot, asked = np.zeros(self.feature.shape, np.int64), np.full(self.feature.shape, NEVER)
        slot[real], asked[real] = questions.slot, questions.rank
        leaf, unit = pack(*self._combined(together))
        return Tables(
            used=questions.used,
            start=questions.start,
            borders=questions.borders,
            slot=_grouped(slot, together, 0),
            asked=_grouped(asked, together, NEVER).astype(np.uint8),
            leaf=leaf,
            unit=unit,
        )

    @property
    def _real(self) -> NDArray[np.bool_]:
        """Where a question is asked at all."""
        return self.border < np.inf

    @cached_property
    def _questions(self) -> Questions:
        """The questions by rank; if none is asked, one feature without borders stands for all."""
        real = self._real
        if not real.any():
            nothing = np.zeros(0, np.int64)
            return Questions(
                np.zeros(1, np.int64),
                np.zeros(2, np.int64),
                nothing.astype(np.float32),
                nothing,
                nothing,
            )
        return ranked(self.feature[real], self.border[real])

    @property
    def _together(self) -> int:
        """How many trees share a table: as many as is fast, and not too large."""
        trees, depth = self.feature.shape
        together: int = max(1, TABLE_BITS // max(1, depth))
        while together > 1:
            tables = -(-trees // together)
            if tables * self.columns * 2 ** (together * depth) * 8 <= MAX_TABLE_BYTES:
                break
            together -= 1
        return together

    @property
    def _reach(self) -> float:
        """Absolute value that no score exceeds."""
        scale, *bias = np.abs(self.scale_bias)
        return float(scale * np.abs(self.leaf).max(axis=(1, 2)).sum() + max(bias))

    def _combined(self, together: int) -> tuple[NDArray[np.float64], float]:
        """Return the sums of leaves of every ``together`` trees, for all their answers."""
        missing = -len(self.leaf) % together
        leaf = np.pad(self.leaf * self.scale_bias[0], ((0, missing), (0, 0), (0, 0)))
        leaf = leaf.transpose(0, 2, 1).reshape(-1, together, leaf.shape[2], leaf.shape[1])
        sums = leaf[:, 0]
        for t in range(1, together):
            sums = leaf[:, t, :, :, None] + sums[:, :, None, :]
            sums = sums.reshape(*sums.shape[:2], -1)
        sums[0] += self.scale_bias[1:, None]
        return sums, self._reach


_QUESTIONS = {"feature": ("int32", "TD"), "border": ("float32", "TD")}

_ANSWERS = {
    "leaf": ("float64", "TLC"),
    "weight": ("float64", "TL"),
    "scale_bias": ("float64", "B"),
    "n_features": ("int64", ""),
}


def _grouped(questions: NDArray[np.int64], together: int, blank: int) -> NDArray[np.int64]:
    """Return (T, D) questions as (T / together, together * D), filled up with blanks."""
    missing = -len(questions) % together
    full = np.pad(questions, ((0, missing), (0, 0)), constant_values=blank)
    return full.reshape(len(full) // together, together * questions.shape[1])
