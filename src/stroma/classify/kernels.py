"""Kernels."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from stroma.classify.trees import DecisionTrees, ObliviousTrees


def predict_oblivious(trees: ObliviousTrees, X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (n, K) probabilities of n rows."""
    raw = _raw(trees.feature, trees.border, trees.leaf, X)
    raw = raw * trees.scale_bias[0] + trees.scale_bias[1:]
    if raw.shape[1] == 1:
        raw = np.hstack([np.zeros_like(raw), raw])
    raw = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True), dtype=np.float32)


@njit(nogil=True, cache=True, parallel=True)
def _raw(feature, border, leaf, X):  # type: ignore[no-untyped-def]
    raw = np.zeros((X.shape[0], leaf.shape[2]))
    for i in prange(X.shape[0]):
        for t in range(feature.shape[0]):
            index = 0
            for d in range(feature.shape[1]):
                index |= (X[i, feature[t, d]] > border[t, d]) << d
            raw[i] += leaf[t, index]
    return raw


def predict_forest(trees: DecisionTrees, X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (n, K) probabilities of n rows."""
    votes = _votes(trees.feature, trees.threshold, trees.link, trees.first, trees.value, X)
    return np.asarray(votes / (len(trees.first) - 1), dtype=np.float32)


@njit(nogil=True, cache=True, parallel=True)
def _votes(feature, threshold, link, first, value, X):  # type: ignore[no-untyped-def]
    votes = np.zeros((X.shape[0], value.shape[1]))
    for i in prange(X.shape[0]):
        for t in range(first.shape[0] - 1):
            node = first[t]
            while feature[node] >= 0:
                if X[i, feature[node]] <= threshold[node]:
                    node += 1
                else:
                    node = link[node]
            votes[i] += value[link[node]]
    return votes
