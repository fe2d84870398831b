"""Overlap of classes: confusion, IoU, Dice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.metrics.shared import require_same_shape


def confusion(result: Any, truth: Any, *, labels: Sequence[int]) -> NDArray[np.int64]:
    """Count pixels by true and by found class.

    Parameters
    ----------
    result, truth : arrays of the same shape
        Label images.
    labels : sequence of int
        The K classes. Pixels whose truth is none of them (ignored, unlabelled) are not counted;
        those whose result is none of them count as missed.

    Returns
    -------
    (K, K + 1) int array
        True class by found class; the last column is for any other result.
    """
    found, true = np.asarray(result), np.asarray(truth)
    require_same_shape(found, true)
    count = len(labels)
    order = np.argsort(labels)
    known = np.asarray(labels)[order]
    rows, columns = _places(true, known), _places(found, known)
    counted = rows < count
    flat = rows[counted].astype(np.int64) * (count + 1) + columns[counted]
    table = np.bincount(flat, minlength=count * (count + 1)).reshape(count, count + 1)
    back = np.argsort(order)
    return table[back][:, [*back, count]].astype(np.int64)


def _places(values: NDArray[Any], known: NDArray[Any]) -> NDArray[np.intp]:
    """Return the place of every value in an ascending list; its length where it is not in it."""
    place = np.searchsorted(known, values).clip(0, len(known) - 1)
    return np.where(known[place] == values, place, len(known))


def iou_of(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the IoU of every class, |A and B| / |A or B|, from `confusion`.

    A class that is neither in the truth nor in the result has no IoU (NaN); one that is only in
    the result, or only in the truth, has 0.
    """
    both, true, found = _counts(table)
    with np.errstate(invalid="ignore"):
        return np.asarray(both / (true + found - both))


def dice_of(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the Dice coefficient of every class, 2 |A and B| / (|A| + |B|), from `confusion`.

    Empty classes count as for `iou_of`.
    """
    both, true, found = _counts(table)
    with np.errstate(invalid="ignore"):
        return np.asarray(2 * both / (true + found))


def _counts(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    square = table[:, : len(table)]
    return np.diag(square), table.sum(1), square.sum(0)


def iou(result: Any, truth: Any, *, labels: Sequence[int]) -> NDArray[np.float64]:
    """Return the IoU of every class; NaN for one that neither image has (see `iou_of`)."""
    return iou_of(confusion(result, truth, labels=labels))


def dice(result: Any, truth: Any, *, labels: Sequence[int]) -> NDArray[np.float64]:
    """Return the Dice coefficient of every class; NaN for one that neither image has."""
    return dice_of(confusion(result, truth, labels=labels))
