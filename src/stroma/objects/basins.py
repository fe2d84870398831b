"""Compiled loops that cut a boundary map into regions, and flood the graph of these from seeds.

All work on (z, y, x) arrays, a plane having depth one, with neighbours across sides only; they run
on one thread and release the GIL. Every step looks at each pixel a fixed number of times.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from stroma.compiled import jit

Array = Any


@jit
def around(i: int, depth: int, height: int, width: int, near: Array) -> Any:
    """Write the places of the neighbours of pixel ``i`` to ``near``; return how many it has."""
    x, row = i % width, i // width
    y, z = row % height, row // height
    n = 0
    if x > 0:
        near[n] = i - 1
        n += 1
    if x < width - 1:
        near[n] = i + 1
        n += 1
    if y > 0:
        near[n] = i - width
        n += 1
    if y < height - 1:
        near[n] = i + width
        n += 1
    if z > 0:
        near[n] = i - width * height
        n += 1
    if z < depth - 1:
        near[n] = i + width * height
        n += 1
    return n


@jit
def basins(heights: Array) -> Any:
    """Return the (z, y, x) int32 basin of every pixel, from 0, and how many there are.

    Water runs from each pixel to its lowest neighbour; on level ground to where it leaves soonest.
    Level ground without a way out is the bottom of a basin.
    """
    depth, height, width = heights.shape
    level = heights.ravel()
    n = level.size
    down, queue = np.full(n, -1, np.int32), np.empty(n, np.int32)
    near = np.empty(6, np.int64)
    for i in range(n):
        lowest = level[i]
        for k in range(around(i, depth, height, width, near)):
            if level[near[k]] < lowest:
                lowest, down[i] = level[near[k]], near[k]
    cross(level, down, queue, heights.shape)
    found, count = bottoms(level, down, queue, heights.shape)
    for i in range(n):
        steps, j = 0, i
        while found[j] < 0:
            queue[steps] = j
            steps, j = steps + 1, down[j]
        for k in range(steps):
            found[queue[k]] = found[j]
    return found.reshape(heights.shape), count


@jit
def cross(level: Array, down: Array, queue: Array, shape: Any) -> None:
    """Let water cross level ground, from the pixels where it leaves backwards."""
    depth, height, width = shape
    near = np.empty(6, np.int64)
    head, tail = 0, 0
    for i in range(level.size):
        if down[i] >= 0:
            queue[tail] = i
            for k in range(around(i, depth, height, width, near)):
                if down[near[k]] < 0 and level[near[k]] == level[i]:
                    tail += 1
                    break
    while head < tail:
        i = queue[head]
        head += 1
        for k in range(around(i, depth, height, width, near)):
            if down[near[k]] < 0 and level[near[k]] == level[i]:
                down[near[k]] = i
                queue[tail] = near[k]
                tail += 1


@jit
def bottoms(level: Array, down: Array, queue: Array, shape: Any) -> Any:
    """Return the number of the basin of pixels at the bottom of one, -1 elsewhere, and a count."""
    depth, height, width = shape
    near = np.empty(6, np.int64)
    found = np.full(level.size, -1, np.int32)
    count = 0
    for start in range(level.size):
        if down[start] >= 0 or found[start] >= 0:
            continue
        found[start], queue[0], left = count, start, 1
        while left > 0:
            left -= 1
            i = queue[left]
            for k in range(around(i, depth, height, width, near)):
                j = near[k]
                if down[j] < 0 and found[j] < 0 and level[j] == level[i]:
                    found[j], queue[left] = count, j
                    left += 1
        count += 1
    return found, count


@jit
def touching(labels: Array, heights: Array, count: int) -> Any:
    """Return what regions touch: (m, 2) int32 pairs, mean (m,) height and length of their borders.

    A border goes through pairs of pixels, and is as high as the higher of both.
    """
    first = np.zeros(count + 1, np.int64)
    empty = np.empty(0, np.int32), np.empty(0, np.float32)
    sides(labels, heights, first, empty[0], empty[1])
    first = np.cumsum(first)
    total = first[count]
    others, values = np.empty(total, np.int32), np.empty(total, np.float32)
    sides(labels, heights, first[:-1].copy(), others, values)
    last, edge_of = np.full(count, -1, np.int64), np.empty(count, np.int64)
    pairs, sums, lengths = np.empty((total, 2), np.int32), np.zeros(total), np.zeros(total)
    m = 0
    for region in range(count):
        for i in range(first[region], first[region + 1]):
            other = others[i]
            if last[other] != region:
                last[other], edge_of[other] = region, m
                pairs[m, 0], pairs[m, 1] = region, other
                m += 1
            sums[edge_of[other]] += values[i]
            lengths[edge_of[other]] += 1
    return pairs[:m].copy(), sums[:m] / lengths[:m], lengths[:m].copy()


@jit
def sides(labels: Array, heights: Array, place: Array, others: Array, values: Array) -> None:
    """Count pairs of pixels by the smaller of two regions (at ``region + 1``), or write them.

    They are counted where there is no room to write; then ``place`` says where each region's
    begin, and moves on.
    """
    depth, height, width = labels.shape
    counting = len(others) == 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                for axis in range(3):
                    p, q, r = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if p == depth or q == height or r == width:
                        continue
                    a, b = labels[z, y, x], labels[p, q, r]
                    if a == b:
                        continue
                    low = min(a, b)
                    if counting:
                        place[low + 1] += 1
                        continue
                    others[place[low]] = max(a, b)
                    values[place[low]] = max(heights[z, y, x], heights[p, q, r])
                    place[low] += 1


@jit
def edges_by_region(pairs: Array, count: int) -> Any:
    """Return where the edges of each region begin in a list, and that list."""
    first = np.zeros(count + 1, np.int64)
    for e in range(len(pairs)):
        first[pairs[e, 0] + 1] += 1
        first[pairs[e, 1] + 1] += 1
    first = np.cumsum(first)
    place, found = first[:-1].copy(), np.empty(2 * len(pairs), np.int64)
    for e in range(len(pairs)):
        for side in range(2):
            region = pairs[e, side]
            found[place[region]] = e
            place[region] += 1
    return first, found


@jit
def flood(
    pairs: Array,
    weights: Array,
    by_region: Any,
    state: Array,
    favoured: int,
    bias: float,
    least: float,
) -> None:
    """Flood a graph from seeds, always across the lowest edge that leads on.

    Parameters
    ----------
    pairs : (m, 2) int32
        Regions that touch.
    weights : (m,) float64
        How high the border between them is.
    by_region : (n + 1,) and (2 m,) int64
        See `edges_by_region`.
    state : (n,) uint8
        Labels of seeds, 0 elsewhere; filled in place. Regions that no seed reaches stay 0.
    favoured : int
        A label that gets across edges of weight ``least`` or more as if they were ``bias`` times
        as high.
    bias, least : float
    """
    first, edges = by_region
    ways = np.full(len(state), np.inf)  # the lowest to each region so far; others need not wait
    heap = [(0.0, 0) for _ in range(0)]
    for region in range(len(state)):
        if state[region] > 0:
            spread(pairs, weights, first, edges, state, ways, region, favoured, bias, least, heap)
    while len(heap) > 0:
        _, edge = heapq.heappop(heap)
        a, b = pairs[edge]
        if state[a] > 0 and state[b] > 0:
            continue
        reached, source = (b, a) if state[a] > 0 else (a, b)
        state[reached] = state[source]
        spread(pairs, weights, first, edges, state, ways, reached, favoured, bias, least, heap)


@jit
def spread(
    pairs: Array,
    weights: Array,
    first: Array,
    edges: Array,
    state: Array,
    ways: Array,
    region: int,
    favoured: int,
    bias: float,
    least: float,
    heap: Any,
) -> None:
    """Put the edges that lead on from a region on the heap."""
    for i in range(first[region], first[region + 1]):
        edge = edges[i]
        a, b = pairs[edge]
        beyond = b if a == region else a
        if state[beyond] > 0:
            continue
        weight = weights[edge]
        if state[region] == favoured and weight >= least:
            weight *= bias
        if weight <= ways[beyond]:
            ways[beyond] = weight
            heapq.heappush(heap, (weight, edge))
