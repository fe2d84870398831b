"""Pieces of strokes that can be left out together: near ones are one, long ones several."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR = 8
"""Side, in pixels, of the cells that strokes are made of; cells that touch are of one stroke."""

LONG = 48
"""Pixels along an axis above which a stroke is cut."""

FAR = 4
"""Cells between what has another label, or lies in another plane."""


def pieces(at: NDArray[np.integer], label: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return the (n,) piece, from 0, that each labelled pixel is in.

    A person paints one class in one long scribble, and another in ten short strokes. Pixels next
    to one another are too much alike to test each other, so what is left out should be as far from
    the rest as possible, but a class whose only stroke is left out cannot be told at all.

    Parameters
    ----------
    at : (n, 4) int array
        Position among the planes or volumes of an image, z, y and x.
    label : (n,) int array
        Their labels.
    """
    stroke = _strokes(at, label)
    low, high = _corners(at[:, 1:], stroke)
    cut = (at[:, 1:] - low[stroke]) // LONG
    cut[((high - low).max(axis=1) < LONG)[stroke]] = 0
    return np.unique(np.column_stack([stroke, cut]), axis=0, return_inverse=True)[1].reshape(-1)


def _strokes(at: NDArray[np.integer], label: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return the stroke each pixel is in: cells of one label in one part that touch."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    cells = np.column_stack([label.astype(np.int64) * FAR, at[:, 0] * FAR, at[:, 1:] // NEAR])
    found, number = np.unique(cells, axis=0, return_inverse=True)
    pairs = cKDTree(found).query_pairs(1, p=np.inf, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs), bool), pairs.T), shape=(len(found),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1][number.reshape(-1)], np.intp)


def _corners(
    at: NDArray[np.integer], stroke: NDArray[np.intp]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the lowest and highest coordinates of every stroke."""
    order = np.argsort(stroke, kind="stable")
    starts = np.flatnonzero(np.diff(stroke[order], prepend=-1))
    return np.minimum.reduceat(at[order], starts), np.maximum.reduceat(at[order], starts)
