"""Compiled loops that join regions to larger ones across the lowest borders."""

from __future__ import annotations

from typing import Any

import numpy as np

from stroma.compiled import jit

Array = Any


@jit
def merged(pairs: Array, weights: Array, lengths: Array, sizes: Array, most: int) -> Any:
    """Join regions in pairs, across the lowest borders, until there are no more than ``most``.

    In every round those join between which the border is the lowest that both have. Longer borders
    are those of what joined, and as high as these are on average.

    Parameters
    ----------
    pairs, weights, lengths
        Regions that touch, (m, 2) int32, and the mean height and the length of their borders.
    sizes : (n,) int64
        Pixels of each region.
    most : int
        How many regions may be left.

    Returns
    -------
    new : (n,) int32
        What each region becomes, from 0.
    pairs, weights, lengths, sizes
        Of what is left.
    """
    new = np.arange(len(sizes)).astype(np.int32)
    while len(sizes) > most:
        joined = partners(pairs, weights, len(sizes), len(sizes) - most)
        if len(joined) == 0:
            break
        step = renumbered(pairs, joined, len(sizes))
        left = len(sizes) - len(joined)
        grown = np.zeros(left, np.int64)
        for region in range(len(sizes)):
            grown[step[region]] += sizes[region]
        for region in range(len(new)):
            new[region] = step[new[region]]
        pairs, weights, lengths = rejoined(pairs, weights, lengths, step, left)
        sizes = grown
    return new, pairs, weights, lengths, sizes


@jit
def partners(pairs: Array, weights: Array, count: int, most: int) -> Array:
    """Return the borders that are the lowest of both their regions, at most ``most`` of them."""
    best = np.full(count, -1, np.int64)
    for e in range(len(pairs)):
        for side in range(2):
            region = pairs[e, side]
            if best[region] < 0 or weights[e] < weights[best[region]]:
                best[region] = e
    found = np.empty(count, np.int64)
    n = 0
    for e in range(len(pairs)):
        if best[pairs[e, 0]] == e and best[pairs[e, 1]] == e:
            found[n] = e
            n += 1
    found = found[:n]
    if n > most:
        found = found[np.argsort(weights[found], kind="mergesort")[:most]]
    return found


@jit
def renumbered(pairs: Array, joined: Array, count: int) -> Array:
    """Return the (n,) int32 numbers of regions when some pairs are one each."""
    into = np.arange(count)
    for e in joined:
        into[max(pairs[e, 0], pairs[e, 1])] = min(pairs[e, 0], pairs[e, 1])
    step, n = np.empty(count, np.int32), 0
    for region in range(count):
        if into[region] == region:
            step[region] = n
            n += 1
        else:
            step[region] = step[into[region]]
    return step


@jit
def rejoined(pairs: Array, weights: Array, lengths: Array, step: Array, count: int) -> Any:
    """Return borders between renumbered regions; those between the same two are one."""
    first = np.zeros(count + 1, np.int64)
    for e in range(len(pairs)):
        a, b = step[pairs[e, 0]], step[pairs[e, 1]]
        if a != b:
            first[min(a, b) + 1] += 1
    first = np.cumsum(first)
    place, order = first[:-1].copy(), np.empty(first[count], np.int64)
    for e in range(len(pairs)):
        a, b = step[pairs[e, 0]], step[pairs[e, 1]]
        if a != b:
            order[place[min(a, b)]] = e
            place[min(a, b)] += 1
    total = len(order)
    found, sums, long = np.empty((total, 2), np.int32), np.zeros(total), np.zeros(total)
    last, edge_of, m = np.full(count, -1, np.int64), np.empty(count, np.int64), 0
    for region in range(count):
        for i in range(first[region], first[region + 1]):
            e = order[i]
            other = max(step[pairs[e, 0]], step[pairs[e, 1]])
            if last[other] != region:
                last[other], edge_of[other] = region, m
                found[m, 0], found[m, 1] = region, other
                m += 1
            sums[edge_of[other]] += weights[e] * lengths[e]
            long[edge_of[other]] += lengths[e]
    return found[:m].copy(), sums[:m] / long[:m], long[:m].copy()
