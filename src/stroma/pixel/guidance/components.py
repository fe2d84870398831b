"""Strokes as connected parts of what is labelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stroma.pixel.door import Points


def components(points: Points) -> NDArray[np.int64]:
    """Return the (n,) number of the connected stroke of one label that each pixel belongs to.

    Pixels that share a side or a corner are connected. Numbers start at 1.
    """
    group = np.zeros(len(points.label), np.int64)
    last = 0
    for plane, label in sorted(set(zip(points.plane.tolist(), points.label.tolist(), strict=True))):
        members = np.flatnonzero((points.plane == plane) & (points.label == label))
        parts, count = _connected(points.yx[members])
        group[members] = last + parts
        last += count
    return group


def separate(
    points: Points,
    label_of: NDArray[np.integer],
    apart: float,
    *,
    depth: int = 1,
    step: float = 1.0,
) -> tuple[Points, NDArray[np.integer]]:
    """Return points labelled with their separate stroke, from 1, and the label of each of those.

    Parameters
    ----------
    points : Points
        Labelled with the stroke they belong to, from 1.
    label_of : (n,) int array
        Label of every stroke.
    apart : float
        Pixels below which two strokes of one label in one plane, or volume, are one.
    depth : int
        Planes of a volume, where nearness counts through them as well.
    step : float
        How far apart these are, in pixels.
    """
    from scipy.spatial import cKDTree

    stroke = points.label.astype(np.intp) - 1
    pairs = [np.zeros((2, 0), np.intp)]
    part, z = np.divmod(points.plane, depth)
    places = np.column_stack([z * step, points.yx])
    kinds = np.column_stack([part, label_of[stroke]])
    for kind in np.unique(kinds, axis=0):
        members = np.flatnonzero((kinds == kind).all(axis=1))
        near = cKDTree(places[members]).query_pairs(apart, output_type="ndarray")
        pairs.append(stroke[members[near.T]])
    ties = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(ties.shape[1], bool), ties), shape=(len(label_of),) * 2)
    _, joined = connected_components(graph, directed=False)
    found, number = np.unique(joined[stroke], return_inverse=True)
    first = np.array([np.flatnonzero(joined == group)[0] for group in found])
    labelled = Points(points.plane, points.yx, (number + 1).astype(np.uint16))
    return labelled, label_of[first]


def _connected(yx: NDArray[np.intp]) -> tuple[NDArray[np.int64], int]:
    """Return the component (from 1) of every pixel, and how many there are."""
    width = int(yx[:, 1].max()) + 3
    place = (yx[:, 0].astype(np.int64) + 1) * width + yx[:, 1] + 1
    order = np.argsort(place)
    ordered = place[order]
    pairs = []
    for offset in (1, width - 1, width, width + 1):
        at = np.searchsorted(ordered, place + offset)
        hit = at < len(ordered)
        hit[hit] = ordered[at[hit]] == place[hit] + offset
        pairs.append(np.stack([np.flatnonzero(hit), order[at[hit]]]))
    a, b = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(len(a), bool), (a, b)), shape=(len(yx), len(yx)))
    count, parts = connected_components(graph, directed=False)
    return parts.astype(np.int64) + 1, int(count)
