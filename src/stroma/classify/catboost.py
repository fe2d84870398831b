"""Gradient-boosted trees: fitted by CatBoost, evaluated by our own kernel."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.borders import borders_of, write_borders
from stroma.classify.learner import Learner
from stroma.classify.limits import MAX_TREES, eased
from stroma.classify.oblivious import MAX_DEPTH, ObliviousTrees
from stroma.classify.questions import MAX_BORDERS
from stroma.classify.rows import check_number, training_data
from stroma.classify.stored import Arrays
from stroma.errors import FitError, ParameterError

LEAST_FEATURES = 10


@dataclass(frozen=True)
class CatBoost(Learner[ObliviousTrees]):
    """Gradient boosting over oblivious trees; parameters have the names of the libraries.

    Parameters
    ----------
    iterations : int
        Number of trees, up to 64 classes; above, fewer, so that the work is the same.
    learning_rate : float
        Weight of each tree.
    depth : int
        Questions per tree, 1 to 16.
    border_count : int
        Thresholds tried per feature, 1 to 255: half of them where classes change along it, the
        others evenly among the rows (`stroma.classify.borders`).
    rsm : float
        Share of the features tried per question (random subspace method), but ten of them, or
        all where there are fewer.
    class_weight : "balanced" or None
        Whether rare classes count as much as frequent ones, as for `Forest`.
    random_seed : int
        Seed of the library's sampling.
    thread_count : int
        Threads that fit. A fixed number, as the library's sums depend on it for many rows.

    References
    ----------
    Prokhorenkova et al., "CatBoost: unbiased boosting with categorical features", NeurIPS 2018.
    """

    iterations: int = 100
    learning_rate: float = 0.1
    depth: int = 5
    border_count: int = 32
    rsm: float = 0.2
    class_weight: Literal["balanced"] | None = None
    random_seed: int = 0
    thread_count: int = 2

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_number("iterations", self.iterations, 1, MAX_TREES, whole=True)
        check_number("learning_rate", self.learning_rate, 1e-6, 1)
        check_number("depth", self.depth, 1, MAX_DEPTH, whole=True)
        check_number("border_count", self.border_count, 1, MAX_BORDERS, whole=True)
        check_number("rsm", self.rsm, 1e-6, 1)
        check_number("random_seed", self.random_seed, 0, 2**63 - 1, whole=True)
        check_number("thread_count", self.thread_count, 1, 1024, whole=True)
        if self.class_weight not in ("balanced", None):
            raise ParameterError(f"class_weight is 'balanced' or None, got {self.class_weight!r}.")

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""
        from catboost import CatBoostClassifier, CatBoostError

        rows, codes, classes = training_data(X, y)
        share = min(1.0, max(self.rsm, LEAST_FEATURES / rows.shape[1]))
        trees = eased(self.iterations, len(classes))
        options = {**self.options(), "rsm": share, "iterations": trees}
        if self.class_weight is not None:
            counts = np.bincount(codes)
            options["class_weights"] = list(len(codes) / (len(counts) * counts))
        model = CatBoostClassifier(
            **options,
            metric_period=self.iterations,
            allow_writing_files=False,
            logging_level="Silent",
        )
        try:
            model.fit(_quantised(rows, codes, self.border_count))
        except CatBoostError as error:
            raise FitError(f"CatBoost could not learn from the strokes: {error}") from error
        return replace(self, learned_=_trees(_exported(model), classes, rows.shape[1]))

    def options(self) -> dict[str, Any]:
        """Return the parameters that the library has, too."""
        return {name: value for name, value in self.params().items() if name != "class_weight"}

    @classmethod
    def read(cls, arrays: Arrays) -> ObliviousTrees:
        """Return the trees in stored arrays, every one checked."""
        return ObliviousTrees.from_arrays(arrays)


def _quantised(rows: NDArray[np.float32], codes: NDArray[np.int64], count: int) -> Any:
    """Return rows in the library's form, every value as the number of borders below it."""
    from catboost import Pool

    pool = Pool(rows, codes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "borders.tsv"
        write_borders(path, borders_of(rows, codes, count))
        pool.quantize(input_borders=str(path))
    return pool


def _exported(model: Any) -> dict[str, Any]:
    """Return a fitted model of the library in its JSON form (the one form that is documented)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        exported: dict[str, Any] = json.loads(path.read_bytes())
    return exported


def _trees(exported: dict[str, Any], classes: NDArray[np.int64], features: int) -> ObliviousTrees:
    """Return the arrays of an exported model, all trees made equally deep."""
    trees = exported["oblivious_trees"]
    columns = 1 if len(classes) == 2 else len(classes)
    count, depth = len(trees), max(len(tree["splits"] or ()) for tree in trees)
    feature = np.zeros((count, depth), np.int32)
    border = np.full((count, depth), np.inf, np.float32)
    leaf = np.zeros((count, 2**depth, columns))
    weight = np.zeros((count, 2**depth))
    for t, tree in enumerate(trees):
        splits = tree["splits"] or ()
        feature[t, : len(splits)] = [split["float_feature_index"] for split in splits]
        border[t, : len(splits)] = [split["border"] for split in splits]
        leaf[t, : 2 ** len(splits)] = np.reshape(tree["leaf_values"], (-1, columns))
        weight[t, : 2 ** len(splits)] = tree["leaf_weights"]
    scale, bias = exported["scale_and_bias"]
    return ObliviousTrees(
        feature=feature,
        border=border,
        leaf=leaf,
        weight=weight,
        scale_bias=np.concatenate([[scale], np.ravel(bias)]).astype(np.float64),
        classes=classes,
        n_features=features,
    )
