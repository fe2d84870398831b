"""How well points are found: F1 at a cutoff, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree

from stroma.errors import ShapeError


def detection_scores(result: Any, truth: Any, *, cutoff: float = 3.0) -> dict[str, float]:
    """Return the scores of one image.

    Parameters
    ----------
    result, truth : (n, d) and (m, d) float arrays
        Positions in one unit, such as pixels.
    cutoff : float
        Points match, one to one, if they are no farther apart, in that unit; as many as can.

    Returns
    -------
    dict
        ``f1``, ``precision``, ``recall``, 1 where there is nothing and nothing is found; how many
        are ``true`` and ``found``, and ``count error``, the difference by the number of true ones
        (by 1 where there are none).
    """
    found, true = np.asarray(result, float), np.asarray(truth, float)
    if len(found) and len(true) and found.shape[1] != true.shape[1]:
        raise ShapeError(
            f"The points found have {found.shape[1]} coordinates, the true ones {true.shape[1]}."
        )
    matched, n, m = int((matches(found, true, cutoff) >= 0).sum()), len(found), len(true)
    return {
        "f1": 2 * matched / (n + m) if n + m else 1.0,
        "precision": matched / n if n else 1.0,
        "recall": matched / m if m else 1.0,
        "true": float(m),
        "found": float(n),
        "count error": abs(n - m) / max(m, 1),
    }


def matches(found: Any, true: Any, cutoff: float) -> NDArray[np.intp]:
    """Return for every found point which true one it is, -1 where it is none; as many as can be."""
    if not len(found) or not len(true):
        return np.full(len(found), -1)
    near = cKDTree(true).query_ball_point(found, cutoff)
    rows = np.repeat(np.arange(len(found)), [len(n) for n in near])
    columns = np.array([j for n in near for j in n], np.intp)
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(found), len(true)))
    return np.asarray(maximum_bipartite_matching(graph, perm_type="column"), np.intp)
