"""Which labelled pixels a classifier learns from, and in which order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.classify.rows import check_number
from stroma.errors import ShapeError


def training_rows(
    X: NDArray[np.floating],
    y: NDArray[np.integer],
    *,
    cap: int = 50_000,
    rng: int | np.random.Generator = 0,
) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Return the rows to learn from, the same for every order of the same rows.

    Rows are put in a canonical order (by the bytes of their features, then by label), then of every
    class with more than ``cap`` rows a random sample of ``cap`` is kept. So a classifier depends on
    what is labelled, not on the order in which it was painted, read or computed.

    Parameters
    ----------
    X : (n, F) float array
        Features of the labelled pixels.
    y : (n,) integer array
        Their labels.
    cap : int
        Rows kept per class at most.
    rng : int or numpy.random.Generator
        Seed or source of the sample.

    Returns
    -------
    X : (m, F) float32
    y : (m,) array of the type of the labels
    """
    X, y = np.ascontiguousarray(X, np.float32), np.asarray(y)
    kept = training_order(X, y, cap=cap, rng=rng)
    return X[kept], y[kept]


def training_order(
    X: NDArray[np.floating],
    y: NDArray[np.integer],
    *,
    cap: int,
    rng: int | np.random.Generator = 0,
) -> NDArray[np.intp]:
    """Return the positions of the rows to learn from, in the order of `training_rows`."""
    check_number("cap", cap, 1, 2**62, whole=True)
    X, y = np.ascontiguousarray(X, np.float32), np.asarray(y)
    if X.ndim != 2 or y.shape != X.shape[:1] or y.dtype.kind not in "iu":
        raise ShapeError(f"(n, F) features need n integer labels, got {X.shape} and {y.shape}.")
    order = _canonical_order(X, y)
    return order[_balanced(y[order], cap, np.random.default_rng(rng))]


def _canonical_order(X: NDArray[np.float32], y: NDArray[np.integer]) -> NDArray[np.intp]:
    keys = np.empty((len(X), X.shape[1] + 2), np.uint32)
    keys[:, :-2] = X.view(np.uint32)
    keys[:, -2:] = y.astype(np.int64)[:, None].view(np.uint32)
    whole = keys.view(np.dtype((np.void, keys.itemsize * keys.shape[1])))[:, 0]
    return np.argsort(whole, kind="stable")


def _balanced(y: NDArray[np.integer], cap: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return ascending positions, at most ``cap`` per class."""
    parts = []
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        parts.append(rows if len(rows) <= cap else rng.choice(rows, cap, replace=False))
    return np.sort(np.concatenate([np.zeros(0, np.intp), *parts]))
