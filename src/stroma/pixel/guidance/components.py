"""Strokes as connected parts of what is labelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


def _connected(yx: NDArray[np.intp]) -> tuple[NDArray[np.int64], int]:
    """Return the component (from 1) of every pixel, and how many there are."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

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
