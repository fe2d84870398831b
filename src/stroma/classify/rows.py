"""Rows of features and the arrays of a fitted classifier, checked before they are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import MAX_LABEL
from stroma.errors import FitError, FormatError, NotTrainedError, ParameterError, ShapeError

T = TypeVar("T")
Arrays = Mapping[str, NDArray[Any]]


def training_data(
    X: NDArray[np.floating], y: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows as float32, labels as codes 0 to K - 1, and the K classes.

    Raises
    ------
    ShapeError
        If the rows and labels do not fit each other.
    FitError
        If there are fewer than two classes, values that are not finite, or no feature that varies.
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


def stored(arrays: Arrays, name: str, dtype: str, *shape: int | None) -> NDArray[Any]:
    """Return a named array, checked to have this dtype and shape (None: any length).

    Raises
    ------
    FormatError
        If it is missing, different, or holds NaN.
    """
    array = arrays.get(name)
    if not isinstance(array, np.ndarray):
        raise FormatError(f"The stored classifier has no array {name!r}.")
    fits = array.ndim == len(shape) and all(
        n is None or n == m for n, m in zip(shape, array.shape, strict=True)
    )
    if array.dtype != np.dtype(dtype) or not fits:
        wanted = "x".join("any" if n is None else str(n) for n in shape)
        raise FormatError(
            f"The stored array {name!r} should be {dtype}, shape {wanted}; "
            f"it is {array.dtype}, shape {array.shape}."
        )
    if np.isnan(array).any():
        raise FormatError(f"The stored array {name!r} holds NaN.")
    return np.asarray(array, order="C")


def stored_classes(arrays: Arrays) -> NDArray[np.int64]:
    """Return the stored classes, at least two, ascending."""
    classes = stored(arrays, "classes", "int64", None)
    require(len(classes) >= 2 and bool((np.diff(classes) > 0).all()), "classes do not ascend")
    require(classes[0] >= 1 and classes[-1] <= MAX_LABEL, "a class is not 1 to 65535")
    return classes


def require(holds: bool, otherwise: str) -> None:
    """Raise FormatError unless a property of stored arrays holds."""
    if not holds:
        raise FormatError(f"The stored classifier is damaged: {otherwise}.")


def stored_params(params: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Return stored parameters, checked to be those the classifier has."""
    require(set(params) == set(known), f"its parameters are {sorted(params)}")
    return dict(params)
