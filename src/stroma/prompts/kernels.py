"""Compiled loops over graphs of regions."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from stroma.compiled import Array, jit


@jit
def price(sums: Array, area: Array, a: int, b: int, edge: float, weight: float, soft: float) -> Any:
    """Return how unlike two regions are: across their border, in colour, for their size."""
    apart = 0.0
    for c in range(sums.shape[1]):
        apart += (sums[a, c] / area[a] - sums[b, c] / area[b]) ** 2
    small = min(area[a], area[b])
    return (edge + weight * apart**0.5) * (small / (small + soft)) ** 0.5


@jit
def root(boss: Array, node: int) -> Any:
    """Return the node that a node has become a part of, so far; the way there is shortened."""
    while boss[node] != node:
        boss[node] = boss[boss[node]]
        node = boss[node]
    return node


@jit
def join(edges: Any, border: Array, mark: Array, boss: Array, a: int, b: int, node: int) -> None:
    """Give a node the borders of its two parts; those to the same neighbour become one."""
    first, last, follow, target, long, strong = edges
    for part in (a, b):
        e = first[part]
        while e >= 0:
            following = follow[e]
            t = root(boss, target[e])
            if t == node:
                border[node, 0] -= long[e]
                border[node, 1] -= strong[e]
            elif mark[t] >= 0:
                long[mark[t]] += long[e]
                strong[mark[t]] += strong[e]
            else:
                mark[t] = e
                target[e] = t
                append(first, last, follow, node, e)
            e = following
    e = first[node]
    while e >= 0:
        mark[target[e]] = -1
        e = follow[e]


@jit
def append(first: Array, last: Array, follow: Array, node: int, edge: int) -> None:
    """Put an edge at the end of a node's list."""
    follow[edge] = -1
    if first[node] < 0:
        first[node] = edge
    else:
        follow[last[node]] = edge
    last[node] = edge


@jit
def half_edges(pairs: Array, length: Array, edge: Array, nodes: int) -> Any:
    """Return linked lists of the borders of every node.

    They are: where lists begin and end, what follows on each edge, which node lies beyond, how
    long it is, and the sum of the edge strength.
    """
    m = len(pairs)
    first, last = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    follow, target = np.full(2 * m, -1, np.int64), np.empty(2 * m, np.int64)
    long, strong = np.empty(2 * m), np.empty(2 * m)
    for k in range(m):
        for side in range(2):
            e = 2 * k + side
            target[e], long[e], strong[e] = pairs[k, 1 - side], length[k], edge[k] * length[k]
            append(first, last, follow, pairs[k, side], e)
    return first, last, follow, target, long, strong


@jit
def merge(
    pairs: Array, length: Array, edge: Array, area: Array, sums: Array, weight: float, soft: float
) -> Any:
    """Merge the two most alike neighbours until one region is left.

    Returns the parent of every node (regions first, then merged ones in their order), the price at
    which each was merged, and how long its border with others is, with the sum of the edge
    strength along it. ``area`` and ``sums`` have room for all nodes, and are filled.
    """
    nodes = len(area)
    parent, mark = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    cost, border, boss = np.zeros(nodes), np.zeros((nodes, 2)), np.arange(nodes)
    edges = half_edges(pairs, length, edge, nodes)
    first, _, follow, target, long, strong = edges
    heap = [(0.0, 0, 0) for _ in range(0)]
    for k in range(len(pairs)):
        a, b = pairs[k]
        for part in (a, b):
            border[part, 0] += length[k]
            border[part, 1] += edge[k] * length[k]
        heapq.heappush(heap, (price(sums, area, a, b, edge[k], weight, soft), a, b))
    node = (nodes + 1) // 2
    while node < nodes and len(heap) > 0:
        found, a, b = heapq.heappop(heap)
        if parent[a] >= 0 or parent[b] >= 0:
            continue
        parent[a] = parent[b] = boss[a] = boss[b] = node
        cost[node] = max(found, cost[a], cost[b])
        area[node], sums[node] = area[a] + area[b], sums[a] + sums[b]
        border[node] = border[a] + border[b]
        join(edges, border, mark, boss, a, b, node)
        e = first[node]
        while e >= 0:
            t, between = target[e], strong[e] / long[e]
            heapq.heappush(heap, (price(sums, area, node, t, between, weight, soft), node, t))
            e = follow[e]
        node += 1
    return parent, cost, border


@jit
def add_up(parent: Array, values: Array) -> None:
    """Add the values of every node to its parent's; parts come before what they went into."""
    for node in range(len(parent)):
        if parent[node] >= 0:
            values[parent[node]] += values[node]


@jit
def lay_out(parent: Array, leaves: Array, regions: int) -> Any:
    """Return where the regions of each node begin in an order of all, and that order."""
    first = np.zeros(len(parent), np.int64)
    taken = np.zeros(len(parent), np.int64)
    order = np.empty(regions, np.int64)
    for node in range(len(parent) - 2, -1, -1):
        up = parent[node]
        first[node] = first[up] + taken[up]
        taken[up] += leaves[node]
    for region in range(regions):
        order[first[region]] = region
    return first, order


@jit
def widen(parent: Array, low: Array, high: Array) -> None:
    """Let the box of every node hold those of its parts."""
    for node in range(len(parent)):
        up = parent[node]
        if up >= 0:
            for axis in range(low.shape[1]):
                low[up, axis] = min(low[up, axis], low[node, axis])
                high[up, axis] = max(high[up, axis], high[node, axis])


@jit
def bound(labels: Array, low: Array, high: Array) -> None:
    """Widen the boxes of regions to hold their pixels of a (z, y, x) image; ends lie outside."""
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                region = labels[z, y, x]
                for axis, at in enumerate((z, y, x)):
                    low[region, axis] = min(low[region, axis], at)
                    high[region, axis] = max(high[region, axis], at + 1)


@jit
def settle(values: Array, known: Array, state: Array, steep: float, rounds: int) -> None:
    """Let a random walker decide pixels that are not known, between those that are.

    Parameters
    ----------
    values : (C, z, y, x) float32
        Channels; steps between them hinder the walker.
    known : (z, y, x) bool
        Pixels whose state stays.
    state : (z, y, x) float32
        1 in the object and 0 beside it; changed in place.
    steep : float
        How much a squared difference hinders.
    rounds : int
        Sweeps over the pixels.
    """
    channels, depth, height, width = values.shape
    places = np.argwhere(~known)
    n = len(places)
    pull = np.zeros((n, 6), np.float32)
    total = np.zeros(n, np.float32)
    steps = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))
    for i in range(n):
        z, y, x = places[i]
        for k in range(6):
            p, q, r = z + steps[k][0], y + steps[k][1], x + steps[k][2]
            if 0 <= p < depth and 0 <= q < height and 0 <= r < width:
                apart = 0.0
                for c in range(channels):
                    apart += (values[c, z, y, x] - values[c, p, q, r]) ** 2
                pull[i, k] = np.exp(-steep * apart) + 1e-6
                total[i] += pull[i, k]
    flat = 2 if depth == 1 else 0  # planes have no neighbours along z
    for sweep in range(rounds):
        for j in range(n):
            i = j if sweep % 2 == 0 else n - 1 - j
            z, y, x = places[i]
            mean = 0.0
            for k in range(flat, 6):
                if pull[i, k] > 0:
                    mean += pull[i, k] * state[z + steps[k][0], y + steps[k][1], x + steps[k][2]]
            before = state[z, y, x]
            state[z, y, x] = before + 1.6 * (mean / total[i] - before)
