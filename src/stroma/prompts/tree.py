"""Regions merged pair by pair, the most alike first: every object should be a node of the tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.prompts import kernels
from stroma.prompts.regions import Regions


@dataclass(frozen=True, eq=False)
class Tree:
    """A hierarchy of regions; the first nodes are the regions themselves.

    Parameters
    ----------
    parent : (n,) int64
        The node each went into, -1 for the last.
    cost : (n,) float64
        How unlike its two parts were.
    area, border, edge, frame, inside : (n,) float64
        Pixels; pairs of pixels along its border; mean edge strength there; sides at the border of
        the image; sum of the edge strength over its pixels.
    moments : (n, k) float64
        As in `Regions`.
    first : (n,) int64
        Regions in the order of the tree: those of a node begin here, and are ``leaves`` many.
    leaves : (n,) int64
        Regions within each node.
    order, place : (regions,) int64
        The regions in that order, and where each stands in it.
    low, high : (n, d) float64
        The box of each node; ends outside.
    """

    parent: NDArray[np.int64]
    cost: NDArray[np.float64]
    area: NDArray[np.float64]
    border: NDArray[np.float64]
    edge: NDArray[np.float64]
    frame: NDArray[np.float64]
    inside: NDArray[np.float64]
    moments: NDArray[np.float64]
    first: NDArray[np.int64]
    leaves: NDArray[np.int64]
    order: NDArray[np.int64]
    place: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def ancestors(self, region: int) -> NDArray[np.int64]:
        """Return a region and all nodes it lies in, the smallest first."""
        path = [region]
        while self.parent[path[-1]] >= 0:
            path.append(int(self.parent[path[-1]]))
        return np.array(path)

    def regions(self, node: int) -> NDArray[np.int64]:
        """Return the regions of a node."""
        return self.order[self.first[node] : self.first[node] + self.leaves[node]]


def grow(graph: Regions, *, weight: float, soft: float) -> Tree:
    """Merge regions until one is left.

    Parameters
    ----------
    graph : Regions
        What is merged.
    weight : float
        How much a difference of means counts beside an edge between regions.
    soft : float
        Regions of fewer pixels merge more readily.
    """
    n = graph.count
    area, sums = np.zeros(2 * n - 1), np.zeros((2 * n - 1, graph.sums.shape[1]))
    area[:n], sums[:n] = graph.area, graph.sums
    parent, cost, border = kernels.merge(
        graph.pairs, graph.length, graph.edge, area, sums, weight, soft
    )
    rest = np.column_stack([graph.frame, graph.inside, graph.moments])
    added = np.zeros((2 * n - 1, rest.shape[1] + 1))
    added[:n, :-1], added[:n, -1] = rest, 1
    kernels.add_up(parent, added)
    first, order = kernels.lay_out(parent, added[:, -1].astype(np.int64), n)
    low, high = _boxes(graph, parent)
    return Tree(
        parent=parent,
        cost=cost,
        area=area,
        border=border[:, 0],
        edge=border[:, 1] / np.maximum(border[:, 0], 1),
        frame=added[:, 0],
        inside=added[:, 1],
        moments=added[:, 2:-1],
        first=first,
        leaves=added[:, -1].astype(np.int64),
        order=order,
        place=np.argsort(order),
        low=low,
        high=high,
    )


def _boxes(graph: Regions, parent: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    labels = graph.labels
    low, high = np.full((len(parent), 3), np.inf), np.zeros((len(parent), 3))
    kernels.bound(labels.reshape((1,) * (3 - labels.ndim) + labels.shape), low, high)
    kernels.widen(parent, low, high)
    return low[:, -labels.ndim :].copy(), high[:, -labels.ndim :].copy()
