"""Logistic regression on standardised features: fitted by scikit-learn, kept as four arrays."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify.evaluate import softmax
from stroma.classify.learner import Learner
from stroma.classify.limits import MAX_FEATURES, eased
from stroma.classify.rows import check_number, training_data
from stroma.classify.stored import Arrays, read_arrays, read_classes, require

logger = logging.getLogger(__name__)

LEAST_STEPS = 50
"""Steps of the solver that there may be for any number of classes."""

LARGEST = 1e30
"""Absolute value that no number of a linear map reaches; scores then fit in single precision."""


@dataclass(frozen=True, eq=False)
class Linear:
    """Scores ``(row - mean) / scale @ coef.T + intercept``, one column for two classes."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    classes: NDArray[np.int64]

    @property
    def n_features(self) -> int:
        """Length of a row."""
        return len(self.mean)

    @property
    def importances(self) -> NDArray[np.float64]:
        """The (F,) share of every standardised feature in the absolute coefficients."""
        size = np.abs(self.coef).sum(axis=0)
        return np.asarray(size / (size.sum() or 1.0))

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n rows."""
        return self.activate(self.scores(X.T)).T

    def scores(
        self, features: NDArray[np.floating], part: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Return the (C, ...) scores of (F, ...) features, C = K classes, or 1 for two.

        Scores are linear, so that upsampling with weights that add up to 1 may come after them,
        with far fewer channels: ``activate(up(scores(f)))`` is what ``activate(scores(up(f)))`` is.

        Parameters
        ----------
        features : (F, ...) float array
            Features, or some of them.
        part : slice
            Which features these are; the scores of parts add up to those of the whole.
        """
        weights, mean, intercept = self.weights()
        flat = np.asarray(features, np.float32).reshape(len(features), -1)
        scores = weights[:, part] @ (flat - mean[part, None])
        if not part.start:
            scores += intercept[:, None]
        return np.asarray(scores.reshape(len(weights), *features.shape[1:]))

    def weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return w (C, F), m (F,) and b (C,): the scores of features x are ``w @ (x - m) + b``."""
        with np.errstate(over="ignore"):  # what overflows is refused where arrays are read
            numbers = self.coef / self.scale, self.mean, self.intercept
            weights, mean, intercept = (n.astype(np.float32) for n in numbers)
        return weights, mean, intercept

    def activate(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (K, ...) probabilities of (C, ...) scores."""
        return softmax(scores)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all parts as named arrays."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild the map, checking that it gives finite scores to sensible features."""
        classes = read_classes(arrays)
        columns = 1 if len(classes) == 2 else len(classes)
        linear = cls(**read_arrays(arrays, _LAYOUT, C=columns), classes=classes)
        require(0 < linear.n_features <= MAX_FEATURES, f"it has {linear.n_features} features")
        require(bool((linear.scale > 0).all()), "a scale is not positive")
        require(bool((linear.scale < np.inf).all()), "a scale is infinite")
        require(bool((np.abs(linear.coef) < LARGEST).all()), "a coefficient is too large")
        sound = all(bool((np.abs(part) < LARGEST).all()) for part in linear.weights())
        require(sound, "its weights are too large")
        return linear


_LAYOUT = {
    "mean": ("float64", "F"),
    "scale": ("float64", "F"),
    "coef": ("float64", "CF"),
    "intercept": ("float64", "C"),
}


@dataclass(frozen=True)
class Logistic(Learner[Linear]):
    """Multinomial logistic regression with balanced classes on standardised features.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty.
    max_iter : int
        Steps of the solver (L-BFGS) at most, up to 64 classes; above, fewer.
    """

    C: float = 1.0
    max_iter: int = 1000

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_number("C", self.C, 1e-12, 1e12)
        check_number("max_iter", self.max_iter, 1, 10**9, whole=True)

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        rows, codes, classes = training_data(X, y)
        mean, scale = _standard(rows)
        steps = eased(self.max_iter, len(classes), least=LEAST_STEPS)
        model = LogisticRegression(C=self.C, max_iter=steps, class_weight="balanced")
        with _in_one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # reported below
            model.fit((rows - mean) / scale, codes)
        if model.n_iter_.max() >= steps:
            logger.info("Logistic regression stopped after %d steps", steps)
        return replace(self, learned_=Linear(mean, scale, model.coef_, model.intercept_, classes))

    @classmethod
    def read(cls, arrays: Arrays) -> Linear:
        """Return the linear map in stored arrays, every one checked."""
        return Linear.from_arrays(arrays)


_ALONE = threading.Lock()


@contextmanager
def _in_one_thread() -> Iterator[None]:
    """Keep linear algebra to one thread, one caller at a time.

    The solver's products are small and many: threads spend ten times as long waiting for each
    other as they save, more so where other programs run. The setting is the whole process's, so
    that two callers who set it and set it back must not overlap.
    """
    with _ALONE, _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _standard(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of every feature; 1 where a feature is constant."""
    mean = rows.mean(axis=0, dtype=np.float64)
    deviation = rows.std(axis=0, dtype=np.float64)
    constant = (rows == rows[0]).all(axis=0)
    return mean, np.where(constant, 1.0, deviation)
