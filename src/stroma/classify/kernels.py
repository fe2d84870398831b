"""Compiled evaluation of tree ensembles: rows of features, or maps of them, to scores.

A kernel walks over pixels in chunks that fit the cache. For each chunk it first brings the features
that the trees use into the form in which they are asked about, then lets tree after tree score
the whole chunk. All kernels run on one thread and release the GIL; callers share out the pixels.

Oblivious trees ask ``feature > border``. All borders of a feature, sorted, turn its values into
ranks (how many borders lie below), one byte each, so that a question is a comparison of bytes,
which a processor answers for 32 or 64 pixels at once. Several trees make one table together.

Trees of a forest are walked by 16 pixels in step, without a branch: a leaf is its own left child,
and pixels that have arrived wait there for the others.

Shallow trees are not walked: one node after the other, all pixels of a chunk that are at the node
go on to one of its children, by the same comparison of bytes.

Scores add up as integers of 32 bits, two in one of 64 (:func:`stroma.classify.packed.pack`): half
the additions, and sums that do not depend on their order.
"""

from __future__ import annotations

import numpy as np

from stroma.compiled import Array, jit

CHUNK = 1024
BLOCK = 64
IN_STEP = 16
TABLE_BITS = 10
SHALLOW = 8


@jit
def path_lengths(feature: Array, child: Array, out: Array) -> None:
    """Write how many questions are asked at most from each node (N,) on; children come later."""
    for n in range(len(feature) - 1, -1, -1):
        if feature[n] >= 0:
            out[n] = 1 + max(out[child[n]], out[child[n] + 1])
        else:
            out[n] = 0


@jit
def widen(half: Array, bits: Array, out: Array) -> None:
    """Convert float16 to float32, eight times faster than numpy; finite values only.

    Parameters
    ----------
    half : (n,) int16
        The bits of the float16 values.
    bits : (n,) int32
        View of the memory of ``out``.
    out : (n,) float32
    """
    for i in range(half.size):
        h = np.int32(half[i])
        bits[i] = ((h & 0x8000) << 16) | ((h & 0x7FFF) << 13)
    for i in range(half.size):
        out[i] *= np.float32(2.0**112)  # the difference of the exponents' offsets


@jit
def rank(values: Array, borders: Array, out: Array) -> None:
    """Write how many borders lie below each value; their number must fit the type of ``out``."""
    for first in range(0, out.size, CHUNK):
        here, ranks = values[first : first + CHUNK], out[first : first + CHUNK]
        for i in range(ranks.size):
            ranks[i] = 0
        for border in borders:
            for i in range(ranks.size):
                ranks[i] += np.uint8(here[i] > border)


@jit
def rank_half(half: Array, keys: Array, out: Array) -> None:
    """Write how many borders lie below each float16 value.

    Parameters
    ----------
    half : (n,) int16
        The bits of the values; finite ones only.
    keys : (B,) int16
        From :func:`stroma.classify.questions.half_keys`.
    out : (n,) unsigned integer
        Of a type that can count the borders.
    """
    ordered = np.empty(CHUNK, np.int16)
    for first in range(0, out.size, CHUNK):
        here, ranks = half[first : first + CHUNK], out[first : first + CHUNK]
        for i in range(ranks.size):
            # as integers, negative floats ascend the wrong way round
            ordered[i] = here[i] ^ np.int16(np.int16(here[i] >> np.int16(15)) & np.int16(0x7FFF))
            ranks[i] = 0
        for key in keys:
            for i in range(ranks.size):
                ranks[i] += np.uint8(ordered[i] > key)


@jit
def weigh(values: Array, mean: float, weights: Array, total: Array) -> None:
    """Add weights (C,) times values (n,) less their mean to total (C, n)."""
    for first in range(0, values.size, CHUNK):
        _weigh(values[first : first + CHUNK], mean, weights, first, total)


@jit
def weigh_half(half: Array, mean: float, weights: Array, total: Array) -> None:
    """Do so with float16 values, given as (n,) int16 bits; finite ones only."""
    wide = np.empty(CHUNK, np.float32)
    bits = wide.view(np.int32)
    for first in range(0, half.size, CHUNK):
        here = half[first : first + CHUNK]
        widen(here, bits[: here.size], wide[: here.size])
        _weigh(wide[: here.size], mean, weights, first, total)


@jit
def _weigh(values: Array, mean: float, weights: Array, first: int, total: Array) -> None:
    for c in range(len(weights)):
        so_far, weight = total[c, first : first + values.size], weights[c]
        for i in range(values.size):
            so_far[i] += weight * (values[i] - mean)


@jit
def oblivious_rows(X: Array, begin: int, end: int, tables: Array, scores: Array) -> None:
    """Write the scores of rows begin to end of X (n, F) into scores (C, n).

    ``tables`` are those of :class:`stroma.classify.oblivious.Tables`.
    """
    used, start, borders, slot, asked, leaf, unit = tables
    ranks = np.empty((len(used), CHUNK), np.uint8)
    total = np.empty((leaf.shape[1], CHUNK), np.int64)
    for first in range(begin, end, CHUNK):
        size = min(CHUNK, end - first)
        _rank_rows(X, first, size, used, start, borders, ranks)
        _oblivious(ranks, size, slot, asked, leaf, total)
        _unpack(total, size, unit, first, scores)


@jit
def oblivious_maps(planes: Array, where: Array, shape: Array, tables: Array, scores: Array) -> None:
    """Write the scores of a box of h x w pixels into scores (C, h * w).

    Parameters
    ----------
    planes : (N,) uint8
        Ranks of the used features, cell by cell.
    where : tuple of arrays
        As for :func:`_gather`.
    shape : (int, int)
        Size of the box.
    tables : tuple of arrays
        As for :func:`oblivious_rows`.
    scores : (C, h * w) float32
    """
    used, _, _, slot, asked, leaf, unit = tables
    ranks = np.empty((len(used), CHUNK), np.uint8)
    total = np.empty((leaf.shape[1], CHUNK), np.int64)
    end = shape[0] * shape[1]
    for first in range(0, end, CHUNK):
        size = min(CHUNK, end - first)
        _gather(planes, where, shape[1], first, size, ranks)
        _oblivious(ranks, size, slot, asked, leaf, total)
        _unpack(total, size, unit, first, scores)


@jit
def forest_rows(X: Array, begin: int, end: int, tables: Array, scores: Array) -> None:
    """Write the mean votes of rows begin to end of X (n, F) into scores (K, n).

    ``tables`` are those of :class:`stroma.classify.decision.Tables`.
    """
    used, root, feature, threshold, child, row, value, unit = tables
    rows = np.zeros((BLOCK, max(1, len(used))), np.float32)  # leaves look at feature 0
    total = np.empty((value.shape[0], BLOCK), np.int64)
    for first in range(begin, end, BLOCK):
        size = min(BLOCK, end - first)
        for i in range(size):
            for u in range(len(used)):
                rows[i, u] = X[first + i, used[u]]
        _forest(rows, root, feature, threshold, child, row, value, total)
        _unpack(total, size, unit, first, scores)


@jit
def forest_maps(planes: Array, where: Array, shape: Array, tables: Array, scores: Array) -> None:
    """Write the mean votes of a box of h x w pixels into scores (K, h * w).

    Parameters as for :func:`oblivious_maps`, with planes of float32 values.
    """
    used, root, feature, threshold, child, row, value, unit = tables
    columns = np.empty((len(used), CHUNK), np.float32)
    rows = np.zeros((BLOCK, max(1, len(used))), np.float32)  # leaves look at feature 0
    total = np.empty((value.shape[0], BLOCK), np.int64)
    end = shape[0] * shape[1]
    for first in range(0, end, CHUNK):
        size = min(CHUNK, end - first)
        _gather(planes, where, shape[1], first, size, columns)
        for at in range(0, size, BLOCK):
            here = min(BLOCK, size - at)
            for u in range(len(used)):
                for i in range(here):
                    rows[i, u] = columns[u, at + i]
            _forest(rows, root, feature, threshold, child, row, value, total)
            _unpack(total, here, unit, first + at, scores)


@jit
def shallow_rows(X: Array, begin: int, end: int, tables: Array, scores: Array) -> None:
    """Write the mean votes of rows begin to end of X (n, F) into scores (K, n).

    ``tables`` are those of :class:`stroma.classify.decision.ShallowTables`.
    """
    used, start, borders, tree, slot, asked, path, bit, value, unit = tables
    ranks = np.empty((len(used), CHUNK), asked.dtype)
    total = np.empty((value.shape[1], CHUNK), np.int64)
    for first in range(begin, end, CHUNK):
        size = min(CHUNK, end - first)
        _rank_rows(X, first, size, used, start, borders, ranks)
        _shallow(ranks, size, tree, slot, asked, path, bit, value, total)
        _unpack(total, size, unit, first, scores)


@jit
def shallow_maps(planes: Array, where: Array, shape: Array, tables: Array, scores: Array) -> None:
    """Write the mean votes of a box of h x w pixels into scores (K, h * w).

    Parameters as for :func:`oblivious_maps`, with tables as for :func:`shallow_rows`.
    """
    used, _, _, tree, slot, asked, path, bit, value, unit = tables
    ranks = np.empty((len(used), CHUNK), asked.dtype)
    total = np.empty((value.shape[1], CHUNK), np.int64)
    end = shape[0] * shape[1]
    for first in range(0, end, CHUNK):
        size = min(CHUNK, end - first)
        _gather(planes, where, shape[1], first, size, ranks)
        _shallow(ranks, size, tree, slot, asked, path, bit, value, total)
        _unpack(total, size, unit, first, scores)


@jit
def _rank_rows(
    X: Array, first: int, size: int, used: Array, start: Array, borders: Array, ranks: Array
) -> None:
    """Write the ranks of the used features of some rows into ranks (U, >= size)."""
    columns = np.empty((len(used), BLOCK), np.float32)
    for at in range(0, size, BLOCK):
        here = min(BLOCK, size - at)
        _columns(X, first + at, here, used, columns)
        for u in range(len(used)):
            rank(columns[u, :here], borders[start[u] : start[u + 1]], ranks[u, at : at + here])


@jit
def _columns(X: Array, first: int, size: int, used: Array, out: Array) -> None:
    """Transpose the used features of some rows, a few rows at a time for the cache's sake."""
    for low in range(0, size, IN_STEP):
        high = min(low + IN_STEP, size)
        for u in range(len(used)):
            for i in range(low, high):
                out[u, i] = X[first + i, used[u]]


@jit
def _gather(planes: Array, where: Array, width: int, first: int, size: int, out: Array) -> None:
    """Bring the cells of pixels first to first + size of a box (row by row) into (U, size).

    Parameters
    ----------
    planes : (N,) array
        Cells of all used features, one plane after the other.
    where : tuple of arrays
        (U,) first cell of every feature's plane; (U,) map of every feature; (M, h) first cell of
        the row of cells that a row of pixels lies in; (M, w) column of cells that a column of
        pixels lies in; (M,) whether cells are pixels.
    width : int
        Pixels in a row of the box.
    out : (U, >= size) array
    """
    plane, of_map, row_of, column_of, whole = where
    for u in range(len(plane)):
        m = of_map[u]
        done = 0
        while done < size:
            y, x = divmod(first + done, width)
            count = min(width - x, size - done)
            begin = plane[u] + row_of[m, y]
            to = out[u, done : done + count]
            if whole[m]:
                cells = planes[begin + x : begin + x + count]
                for i in range(count):
                    to[i] = cells[i]
            else:
                columns = column_of[m, x : x + count]
                for i in range(count):
                    to[i] = planes[begin + columns[i]]
            done += count


@jit
def _oblivious(
    ranks: Array, size: int, slot: Array, asked: Array, leaf: Array, total: Array
) -> None:
    """Add up what the leaves of all trees say about each pixel of a chunk."""
    index = np.empty(CHUNK, np.uint16)
    total[:] = 0
    for t in range(slot.shape[0]):
        index[:] = 0
        for d in range(slot.shape[1]):
            answers, border, bit = ranks[slot[t, d]], asked[t, d], np.uint16(1 << d)
            for i in range(size):
                index[i] |= bit if answers[i] > border else np.uint16(0)
        for c in range(leaf.shape[1]):
            said, so_far = leaf[t, c], total[c]
            for i in range(size):
                so_far[i] += said[index[i]]


@jit
def _forest(
    rows: Array,
    root: Array,
    feature: Array,
    threshold: Array,
    child: Array,
    row: Array,
    value: Array,
    total: Array,
) -> None:
    """Add up the votes of all trees for each row of a block."""
    node = np.empty(IN_STEP, np.uint32)
    total[:] = 0
    for t in range(len(root)):
        for low in range(np.uint64(0), np.uint64(BLOCK), np.uint64(IN_STEP)):
            node[:] = root[t]
            moved = np.uint32(1)
            while moved:
                moved = np.uint32(0)
                for i in range(np.uint64(IN_STEP)):
                    n = node[i]
                    node[i] = child[n] + np.uint32(rows[low + i, feature[n]] > threshold[n])
                    moved |= node[i] ^ n
            for c in range(value.shape[0]):
                for i in range(np.uint64(IN_STEP)):
                    total[c, low + i] += value[c, row[node[i]]]


@jit
def _shallow(
    ranks: Array,
    size: int,
    tree: Array,
    slot: Array,
    asked: Array,
    path: Array,
    bit: Array,
    value: Array,
    total: Array,
) -> None:
    """Add up the votes of all trees for each pixel of a chunk."""
    at = np.empty(CHUNK, np.uint8)
    total[:] = 0
    for t in range(len(tree) - 1):
        at[:] = 0
        for q in range(tree[t], tree[t + 1]):
            answers, border, here, right = ranks[slot[q]], asked[q], path[q], bit[q]
            for i in range(size):
                goes = (at[i] == here) & (answers[i] > border)
                at[i] |= right if goes else np.uint8(0)
        for c in range(value.shape[1]):
            said, so_far = value[t, c], total[c]
            for i in range(size):
                so_far[i] += said[at[i]]


@jit
def _unpack(total: Array, size: int, unit: Array, first: int, scores: Array) -> None:
    """Write the two scores in each packed sum, as floats."""
    for c in range(scores.shape[0]):
        packed = total[c // 2]
        for i in range(size):
            one = packed[i] >> 32 if c % 2 else np.int64(np.int32(packed[i]))
            scores[c, first + i] = one * unit
