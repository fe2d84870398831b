"""Agreement of objects: average precision, F1 and panoptic quality.

Objects match one to one, where their intersection over union (IoU) is above a threshold; from
0.5 on, no object can match two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from stroma.metrics.shared import require_same_shape

THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
"""0.5, 0.55, ... 0.95, over which the mean average precision is taken."""

OUTSIDE = 0.5
"""A found object does not count if more than this share of it lies where nobody knows."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Which objects of a result and of the truth overlap, and how much.

    Parameters
    ----------
    true_labels, found_labels : int arrays
        Numbers of the objects that count, ascending.
    rows, columns : (n,) int arrays
        Place of the true and of the found object of every overlapping pair.
    iou : (n,) float array
        Of every pair.
    """

    true_labels: NDArray[np.integer]
    found_labels: NDArray[np.integer]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    iou: NDArray[np.float64]

    @property
    def true(self) -> int:
        """Number of true objects."""
        return len(self.true_labels)

    @property
    def found(self) -> int:
        """Number of objects that were found."""
        return len(self.found_labels)


def overlaps(result: Any, truth: Any) -> Overlaps:
    """Return the overlaps of two label images.

    Parameters
    ----------
    result, truth : integer arrays of the same shape
        Objects by number, 0 for none. Pixels whose truth is below 0 do not count, nor do found
        objects that lie mostly on such pixels, unless what is seen of them is an object.
    """
    found, true = np.asarray(result), np.asarray(truth)
    require_same_shape(found, true)
    found_labels, columns = np.unique(found.ravel(), return_inverse=True)
    true_labels, rows = np.unique(true.ravel(), return_inverse=True)
    shape = len(true_labels), len(found_labels)
    table = csr_array((np.ones(len(rows), np.int64), (rows, columns)), shape=shape)
    table.sum_duplicates()
    known, real = true_labels >= 0, true_labels > 0
    sizes = table.sum(0)
    lost = sizes - table[np.flatnonzero(known)].sum(0) if not known.all() else 0 * sizes
    every = np.flatnonzero(found_labels > 0)
    pairs = table[np.flatnonzero(real)][:, every].tocoo()
    true_sizes, found_sizes = table.sum(1)[real], (sizes - lost)[every]
    union = true_sizes[pairs.row] + found_sizes[pairs.col] - pairs.data
    iou = pairs.data / union
    best = np.zeros(len(every))
    np.maximum.at(best, pairs.col, iou)
    kept = (lost[every] <= OUTSIDE * sizes[every]) | (best > OUTSIDE)
    counted, columns = kept[pairs.col], np.cumsum(kept) - 1
    return Overlaps(
        true_labels[real],
        found_labels[every[kept]],
        pairs.row[counted],
        columns[pairs.col[counted]],
        iou[counted],
    )


@dataclass(frozen=True)
class Matching:
    """How many objects match.

    Parameters
    ----------
    matched, missed, extra : int
        True positives, false negatives, false positives.
    iou : float
        Sum over the matched pairs.
    """

    matched: int
    missed: int
    extra: int
    iou: float

    @property
    def precision_average(self) -> float:
        """AP, matched / (matched + missed + extra); 1 where there is nothing and nothing found."""
        return _ratio(self.matched, self.matched + self.missed + self.extra)

    @property
    def precision(self) -> float:
        """Share of the found that is true; 1 where nothing is found."""
        return _ratio(self.matched, self.matched + self.extra)

    @property
    def recall(self) -> float:
        """Share of the true that is found; 1 where there is nothing."""
        return _ratio(self.matched, self.matched + self.missed)

    @property
    def f1(self) -> float:
        """2 matched / (2 matched + missed + extra); 1 where there is nothing, nothing found."""
        return _ratio(2 * self.matched, 2 * self.matched + self.missed + self.extra)

    @property
    def quality(self) -> float:
        """Panoptic quality: F1 times the mean IoU of what matches."""
        return _ratio(2 * self.iou, 2 * self.matched + self.missed + self.extra)


def matching(found: Overlaps, threshold: float) -> Matching:
    """Return the matching of most pairs whose IoU is above a threshold."""
    above = found.iou > threshold
    rows, columns, iou = found.rows[above], found.columns[above], found.iou[above]
    if threshold < 0.5 and len(rows):
        shape = (found.true, found.found)
        graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        chosen = maximum_bipartite_matching(graph, perm_type="column")
        kept = chosen[rows] == columns
        iou = iou[kept]
    count = len(iou)
    return Matching(count, found.true - count, found.found - count, float(iou.sum()))


def unmatched(
    found: Overlaps, threshold: float = 0.5
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return which true objects are missed, and which found ones are made up: without a match.

    Parameters
    ----------
    found : Overlaps
        From `overlaps`.
    threshold : float
        Of the IoU, from 0.5 on, so that no object can match two.
    """
    above = found.iou > threshold
    missed = np.delete(found.true_labels, found.rows[above])
    return missed, np.delete(found.found_labels, found.columns[above])


def instance_scores(
    result: Any, truth: Any, *, thresholds: Sequence[float] = THRESHOLDS
) -> dict[str, float]:
    """Return the scores of one image.

    Parameters
    ----------
    result, truth : integer arrays of the same shape
        As for `overlaps`.
    thresholds : sequence of float
        Of the IoU.

    Returns
    -------
    dict
        ``mean ap`` over the thresholds, ``ap 0.50`` and so on; ``precision``, ``recall``, ``f1``
        and ``pq`` at 0.5; how many objects are ``true`` and ``found``.
    """
    pairs = overlaps(result, truth)
    each = {t: matching(pairs, t).precision_average for t in thresholds}
    half = matching(pairs, 0.5)
    return {
        "mean ap": float(np.mean(list(each.values()))),
        **{f"ap {t:.2f}": value for t, value in each.items()},
        "precision": half.precision,
        "recall": half.recall,
        "f1": half.f1,
        "pq": half.quality,
        "true": float(pairs.true),
        "found": float(pairs.found),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
