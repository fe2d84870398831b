"""Compiled mutex watershed: clusters that attract and repel, the strongest edges first.

Wolf et al. 2018, doi 10.1007/978-3-030-01225-0_34. Runs on one thread and releases the GIL.
"""

from __future__ import annotations

import numpy as np

from stroma.compiled import Array, jit

END = -1
"""Nothing follows in a list."""


@jit
def clustered(count: int, ones: Array, others: Array, attracts: Array) -> Array:
    """Return the cluster of every node, by one of its nodes.

    Parameters
    ----------
    count : int
        Nodes.
    ones, others : (n,) int32 array
        Ends of edges, the strongest first.
    attracts : (n,) bool array
        Whether an edge joins its ends, or keeps them apart.
    """
    parents = np.arange(count).astype(np.int32)
    # Who is kept apart from a cluster: lists of nodes, linked, of which clusters have the heads.
    heads = np.full(count, END, np.int32)
    tails = np.full(count, END, np.int32)
    lengths = np.zeros(count, np.int32)
    room = 2 * int((~attracts).sum())
    nodes, following = np.empty(room, np.int32), np.empty(room, np.int32)
    used = 0
    for edge in range(len(ones)):
        a, b = root(parents, ones[edge]), root(parents, others[edge])
        if a == b:
            continue
        if not attracts[edge]:
            used = _prepend(a, b, heads, tails, lengths, nodes, following, used)
            used = _prepend(b, a, heads, tails, lengths, nodes, following, used)
            continue
        if lengths[a] > lengths[b]:
            a, b = b, a
        if not _apart(a, b, parents, heads, nodes, following):
            parents[a] = b
            _append(a, b, heads, tails, lengths, following)
    for node in range(count):
        parents[node] = root(parents, node)
    return parents


@jit
def root(parents: Array, node: int) -> int:
    """Return the node that stands for the tree of a node, to which it is nearer from then on."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@jit
def _prepend(
    cluster: int,
    other: int,
    heads: Array,
    tails: Array,
    lengths: Array,
    nodes: Array,
    following: Array,
    used: int,
) -> int:
    nodes[used], following[used] = other, heads[cluster]
    if heads[cluster] == END:
        tails[cluster] = used
    heads[cluster] = used
    lengths[cluster] += 1
    return used + 1


@jit
def _append(a: int, b: int, heads: Array, tails: Array, lengths: Array, following: Array) -> None:
    """Put the list of one cluster before that of another."""
    if heads[a] == END:
        return
    following[tails[a]] = heads[b]
    if heads[b] == END:
        tails[b] = tails[a]
    heads[b] = heads[a]
    lengths[b] += lengths[a]


@jit
def _apart(a: int, b: int, parents: Array, heads: Array, nodes: Array, following: Array) -> bool:
    """Tell whether b is in the list of a; if so it comes first from then on."""
    at = heads[a]
    while at != END:
        if root(parents, nodes[at]) == b:
            first = heads[a]
            nodes[first], nodes[at] = nodes[at], nodes[first]
            return True
        at = following[at]
    return False
