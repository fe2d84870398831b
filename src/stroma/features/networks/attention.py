"""Features of pixels as means of those of patches, weighted by attention; made where they are used.

All features of all pixels of 448 x 448 would be 300 MB, and the weights of all patches for all
pixels 3 GB. What is held is the query of every pixel, and keys and features of patches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

WEIGHTS_AT_ONCE = 1 << 24
"""Weights of patches for pixels that exist at the same time."""

Floats = NDArray[np.float32]


def _by_place(maps: Floats, heads: int) -> Floats:
    """Return (heads D, h, w) maps as the (h, w, heads, D) values of every place."""
    split = maps.reshape(heads, -1, *maps.shape[1:])
    return np.ascontiguousarray(split.transpose(2, 3, 0, 1))


@dataclass(frozen=True, eq=False)
class Everywhere:
    """Attention to all patches, its weights averaged over the heads.

    Parameters
    ----------
    keys : (heads, n, D) float32 array
        Of n patches.
    values : (n, F) float32 array
        Their features.
    """

    keys: Floats
    values: Floats

    @classmethod
    def of(cls, keys: Floats, tokens: Floats, *, heads: int) -> Everywhere:
        """Return the attention for (Q, h, w) keys and (F, h, w) tokens."""
        split = keys.reshape(heads, -1, keys[0].size).transpose(0, 2, 1)
        return cls(np.ascontiguousarray(split), tokens.reshape(len(tokens), -1).T.copy())

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.keys.nbytes + self.values.nbytes

    @property
    def features(self) -> int:
        """Number of features."""
        count: int = self.values.shape[1]
        return count

    def __call__(self, values: NDArray[np.floating]) -> Floats:
        """Return the (n, F) features for the (n, heads D) queries of pixels."""
        heads, patches, _ = self.keys.shape
        size = max(1, WEIGHTS_AT_ONCE // (heads * patches))
        out = np.empty((len(values), self.features), np.float32)
        for start in range(0, len(values), size):
            queries = values[start : start + size].astype(np.float32, copy=False)
            mean = np.zeros((len(queries), patches), np.float32)
            for key, query in zip(self.keys, np.split(queries, heads, axis=1), strict=True):
                weights = query @ key.T
                np.exp(weights - weights.max(axis=1, keepdims=True), out=weights)
                weights /= weights.sum(axis=1, keepdims=True)
                mean += weights
            out[start : start + size] = (mean / np.float32(heads)) @ self.values
        return out


@dataclass(frozen=True, eq=False)
class Around:
    """Attention to the patches around a pixel; every head has features of its own.

    At borders the window of patches is shifted inside.

    Parameters
    ----------
    keys : (h, w, heads, D) float32 array
        Of patches.
    values : (h, w, heads, F / heads) float32 array
        Their features.
    side : int
        Patches of the window along an axis, where there are as many.
    """

    keys: Floats
    values: Floats
    side: int = 9

    @classmethod
    def of(cls, keys: Floats, tokens: Floats, *, heads: int) -> Around:
        """Return the attention for (Q, h, w) keys and (F, h, w) tokens."""
        return cls(_by_place(keys, heads), _by_place(tokens, heads))

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.keys.nbytes + self.values.nbytes

    @property
    def features(self) -> int:
        """Number of features."""
        count: int = self.values.shape[2] * self.values.shape[3]
        return count

    def __call__(self, values: NDArray[np.floating]) -> Floats:
        """Return the (n, F) features for (n, heads D + 2) queries; the last two are the patch."""
        queries = np.ascontiguousarray(values[:, :-2], np.float32)
        out = np.empty((len(values), self.features), np.float32)
        _attend(queries, values[:, -2:].astype(np.int64), self.keys, self.values, self.side, out)
        return out


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _attend(queries, patch, keys, values, side, out):  # type: ignore[no-untyped-def]
    """Write the weighted means of the features of the patches around every pixel."""
    rows, columns, heads, depth = keys.shape
    wide = values.shape[3]
    high, broad = min(side, rows), min(side, columns)
    weights = np.empty((high, broad), np.float32)
    for i in range(len(queries)):
        top = min(max(patch[i, 0] - side // 2, 0), rows - high)
        left = min(max(patch[i, 1] - side // 2, 0), columns - broad)
        for head in range(heads):
            query = queries[i, head * depth : (head + 1) * depth]
            most = np.float32(-np.inf)
            for r in range(high):
                for c in range(broad):
                    key, product = keys[top + r, left + c, head], np.float32(0)
                    for d in range(depth):
                        product += query[d] * key[d]
                    weights[r, c] = product
                    most = max(most, product)
            total, mixed = np.float32(0), out[i, head * wide : (head + 1) * wide]
            mixed[:] = 0
            for r in range(high):
                for c in range(broad):
                    weight = np.exp(weights[r, c] - most)
                    total += weight
                    own = values[top + r, left + c, head]
                    for f in range(wide):
                        mixed[f] += weight * own[f]
            for f in range(wide):
                mixed[f] /= total


@dataclass(frozen=True, eq=False)
class Within:
    """Attention to the patches of a box, its weights averaged over the heads.

    Parameters
    ----------
    keys : (h, w, heads, D) float32 array
        Of patches.
    values : (h, w, F) float32 array
        Their features.
    """

    keys: Floats
    values: Floats

    @classmethod
    def of(cls, keys: Floats, tokens: Floats, *, heads: int) -> Within:
        """Return the attention for (Q, h, w) keys and (F, h, w) tokens."""
        return cls(_by_place(keys, heads), np.ascontiguousarray(np.moveaxis(tokens, 0, -1)))

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.keys.nbytes + self.values.nbytes

    @property
    def features(self) -> int:
        """Number of features."""
        count: int = self.values.shape[2]
        return count

    def __call__(self, values: NDArray[np.floating]) -> Floats:
        """Return the (n, F) features for (n, heads D + 4) queries.

        The last four are the box of patches: top, bottom, left, right.
        """
        queries = np.ascontiguousarray(values[:, :-4], np.float32)
        out = np.empty((len(values), self.features), np.float32)
        _attend_within(queries, values[:, -4:].astype(np.int64), self.keys, self.values, out)
        return out


def boxes_within(
    shape: tuple[int, int], cells: tuple[int, int], ratio: float
) -> NDArray[np.float32]:
    """Return the (4, y, x) boxes of patches that lie within a share of the image around pixels."""
    edges = []
    for pixels, patches in zip(shape, cells, strict=True):
        middle = (np.arange(pixels, dtype=np.float32) + np.float32(0.5)) / np.float32(pixels)
        low, high = (np.clip(middle + np.float32(s), 0, 1) for s in (-ratio, ratio))
        edges.append((np.floor(low * patches), np.ceil(high * patches)))
    (top, bottom), (left, right) = edges
    rows = (np.broadcast_to(edge[:, None], shape) for edge in (top, bottom))
    columns = (np.broadcast_to(edge, shape) for edge in (left, right))
    return np.stack([*rows, *columns]).astype(np.float32)


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _attend_within(queries, boxes, keys, values, out):  # type: ignore[no-untyped-def]
    """Write the weighted means of the features of the patches in a box for every pixel."""
    rows, columns, heads, depth = keys.shape
    weights = np.empty((rows, columns), np.float32)
    means = np.empty((rows, columns), np.float32)
    for i in range(len(queries)):
        top, bottom, left, right = boxes[i]
        means[top:bottom, left:right] = 0
        for head in range(heads):
            query = queries[i, head * depth : (head + 1) * depth]
            most, total = np.float32(-np.inf), np.float32(0)
            for r in range(top, bottom):
                for c in range(left, right):
                    key, product = keys[r, c, head], np.float32(0)
                    for d in range(depth):
                        product += query[d] * key[d]
                    weights[r, c] = product
                    most = max(most, product)
            for r in range(top, bottom):
                for c in range(left, right):
                    weights[r, c] = np.exp(weights[r, c] - most)
                    total += weights[r, c]
            for r in range(top, bottom):
                for c in range(left, right):
                    means[r, c] += weights[r, c] / (total * heads)
        mixed = out[i]
        mixed[:] = 0
        for r in range(top, bottom):
            for c in range(left, right):
                weight, own = means[r, c], values[r, c]
                for f in range(len(mixed)):
                    mixed[f] += weight * own[f]
