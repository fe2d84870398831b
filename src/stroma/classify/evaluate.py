"""From rows to scores on all cores, and from scores to probabilities."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

ROWS_PER_TASK = 1 << 15


def scored(
    kernel: Callable[[int, int, NDArray[np.float32]], None], columns: int, rows: int
) -> NDArray[np.float32]:
    """Return the (C, n) scores that a kernel writes for n rows; many are shared out to threads.

    Parameters
    ----------
    kernel : callable
        Given the first row, the end, and the scores it writes into.
    columns : int
        C.
    rows : int
        n.
    """
    scores = np.empty((columns, rows), np.float32)
    begins = range(0, rows, ROWS_PER_TASK)
    if len(begins) <= 1:
        kernel(0, rows, scores)
        return scores
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda a: kernel(a, min(a + ROWS_PER_TASK, rows), scores), begins))
    return scores


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (K, ...) probabilities of (C, ...) scores; one column stands for two classes."""
    if len(scores) == 1:
        scores = np.concatenate([np.zeros_like(scores), scores])
    scores = scores - scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores
