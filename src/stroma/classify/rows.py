"""Rows of features, labels and parameters, checked before they are used."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stroma.classify.limits import MAX_CLASSES
from stroma.errors import FitError, NotTrainedError, ParameterError, ShapeError

T = TypeVar("T")


def training_data(
    X: NDArray[np.floating], y: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows as float32, labels as codes 0 to K - 1, and the K classes.

    Raises
    ------
    ShapeError
        If the rows and labels do not fit each other.
    FitError
        If there are fewer than two classes or too many, values that are not finite, or no feature
        that varies.
    """
    X, y = np.ascontiguousarray(X, np.float32), np.asarray(y)
    if X.ndim != 2 or y.shape != X.shape[:1] or y.dtype.kind not in "iu":
        raise ShapeError(
            f"Training takes (n, F) features and n integer labels, got {X.shape} and "
            f"{y.shape} {y.dtype}."
        )
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise FitError(f"Training needs at least two classes, got {classes.tolist()}.")
    if len(classes) > MAX_CLASSES:
        raise FitError(
            f"There are {len(classes)} classes; a model tells at most {MAX_CLASSES} apart. If the "
            "labels number single objects, give all objects of a kind the same label."
        )
    if not np.isfinite(X).all():
        raise FitError("The features hold NaN or infinite values, so nothing can be learnt.")
    if (X[0] == X).all():
        raise FitError(
            f"All {X.shape[1]} features are the same at all {len(X)} labelled pixels, so the "
            "classes cannot be told apart. Paint strokes where the image differs, or choose "
            "another feature extractor."
        )
    return X, codes.astype(np.int64), classes.astype(np.int64)


def prediction_data(X: NDArray[np.floating], features: int) -> NDArray[np.float32]:
    """Return rows as contiguous float32, checked to have the number of features learnt."""
    X = np.ascontiguousarray(X, np.float32)
    if X.ndim != 2 or X.shape[1] != features:
        raise ShapeError(
            f"The classifier was trained on {features} features, got rows of shape {X.shape}. "
            "Predict with the features it was trained with, or train again."
        )
    return X


def check_number(name: str, value: float, low: float, high: float, *, whole: bool = False) -> None:
    """Raise ParameterError unless low <= value <= high (and value is an integer if whole)."""
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        kind = "an integer" if whole else "a number"
        raise ParameterError(f"{name} is {kind} from {low:g} to {high:g}, got {value!r}.")


def fitted(value: T | None) -> T:
    """Return what a fit left behind, or raise NotTrainedError."""
    if value is None:
        raise NotTrainedError("The classifier is not fitted yet. Paint strokes and train first.")
    return value
