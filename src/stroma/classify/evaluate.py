"""Probabilities of tree ensembles, by the kernels, for rows of features."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from stroma.classify import kernels
from stroma.classify.decision import DecisionTrees
from stroma.classify.oblivious import ObliviousTrees

ROWS_PER_TASK = 1 << 15

Trees = ObliviousTrees | DecisionTrees


def predict_rows(trees: Trees, X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (n, K) probabilities of (n, F) rows; many rows are shared out to threads."""
    scores = empty_scores(trees, len(X))
    if isinstance(trees, ObliviousTrees):
        oblivious = trees.tables
        _shared(lambda a, b: kernels.oblivious_rows(X, a, b, oblivious, scores), len(X))
    elif trees.shallow is not None:
        shallow = trees.shallow
        _shared(lambda a, b: kernels.shallow_rows(X, a, b, shallow, scores), len(X))
    else:
        forest = trees.tables
        _shared(lambda a, b: kernels.forest_rows(X, a, b, forest, scores), len(X))
    return probabilities(trees, scores).T


def empty_scores(trees: Trees, pixels: int) -> NDArray[np.float32]:
    """Return room for the scores (C, pixels) that a kernel writes."""
    columns = len(trees.classes)
    if isinstance(trees, ObliviousTrees) and columns == 2:
        columns = 1
    return np.empty((columns, pixels), np.float32)


def probabilities(trees: Trees, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (K, n) probabilities of (C, n) scores; a forest's are the mean votes already."""
    return scores if isinstance(trees, DecisionTrees) else softmax(scores)


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (K, ...) probabilities of (C, ...) scores; one column stands for two classes."""
    if len(scores) == 1:
        scores = np.concatenate([np.zeros_like(scores), scores])
    scores = scores - scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def _shared(kernel: Callable[[int, int], None], rows: int) -> None:
    """Run a kernel on ranges of rows, on all cores where it pays."""
    begins = range(0, rows, ROWS_PER_TASK)
    if len(begins) <= 1:
        return kernel(0, rows)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda a: kernel(a, min(a + ROWS_PER_TASK, rows)), begins))
