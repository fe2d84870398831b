"""Which rows a classifier is fitted to, and in what order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def training_rows(
    X: NDArray[np.floating], y: NDArray[np.integer], *, cap: int = 50_000, rng: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Return rows in canonical order, at most ``cap`` of each class."""
    X = np.ascontiguousarray(X, np.float32)
    rows = np.column_stack([X.view(np.uint32), y.astype(np.uint32)])
    order = np.argsort(np.ascontiguousarray(rows).view(f"V{rows.itemsize * rows.shape[1]}").ravel())
    X, y = X[order], y[order]
    random = np.random.default_rng(rng)
    members = (np.flatnonzero(y == label) for label in np.unique(y))
    kept = [m if len(m) <= cap else random.choice(m, cap, replace=False) for m in members]
    chosen = np.sort(np.concatenate(kept))
    return X[chosen], y[chosen]
