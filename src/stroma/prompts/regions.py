"""Small regions within which an image hardly changes, and what lies between neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Regions:
    """An image cut along its edges, as a graph of touching regions.

    Parameters
    ----------
    labels : (*space) int32
        Region of every pixel, from 0.
    pairs : (m, 2) int64
        Regions that touch, the smaller number first.
    length : (m,) float64
        Pairs of pixels along which they touch.
    edge : (m,) float64
        Mean edge strength there.
    area, frame : (n,) float64
        Pixels of each region, and how many of its sides lie at the border of the image.
    inside : (n,) float64
        Sum of the edge strength over its pixels.
    sums : (n, C) float64
        Sum of the channels over its pixels.
    moments : (n, d + d * (d + 1) / 2) float64
        Sums of coordinates, and of their products.
    """

    labels: NDArray[np.int32]
    pairs: NDArray[np.int64]
    length: NDArray[np.float64]
    edge: NDArray[np.float64]
    area: NDArray[np.float64]
    frame: NDArray[np.float64]
    inside: NDArray[np.float64]
    sums: NDArray[np.float64]
    moments: NDArray[np.float64]

    @property
    def count(self) -> int:
        """How many regions there are."""
        return len(self.area)


def strength(channels: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the edge strength: the length of the gradient over all channels.

    Parameters
    ----------
    channels : (C, *space) float32
        Normalised channels.
    sigma : float
        Width of the Gaussian, in pixels.
    """
    total = np.zeros(channels.shape[1:], np.float32)
    for channel in channels:
        smooth = ndimage.gaussian_filter(channel, sigma, mode="nearest", truncate=3)
        for axis in range(smooth.ndim):
            total += _slope(smooth, axis) ** 2
    return np.sqrt(total) * np.float32(sigma)


def _slope(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    if values.shape[axis] < 2:
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, axis=axis), np.float32)


def cut_regions(channels: NDArray[np.float32], edges: NDArray[np.float32]) -> Regions:
    """Cut an image along the crests of its edges.

    Parameters
    ----------
    channels : (C, *space) float32
        What regions are compared by.
    edges : (*space) float32
        Edge strength.
    """
    labels = np.maximum(watershed(edges), 1).astype(np.int32) - 1  # 0 everywhere without edges
    count = int(labels.max()) + 1
    flat = labels.ravel()
    sums = np.stack([_added(flat, c, count) for c in channels], axis=1)
    pairs, length, edge = _touching(labels, edges, count)
    return Regions(
        labels=labels,
        pairs=pairs,
        length=length,
        edge=edge,
        area=np.bincount(flat, minlength=count).astype(np.float64),
        frame=_frame(labels, count),
        inside=_added(flat, edges, count),
        sums=sums,
        moments=_moments(labels, count),
    )


def _added(flat: Array, values: Array, count: int) -> NDArray[np.float64]:
    """Return the sum of the values of every region."""
    return np.bincount(flat, values.ravel(), count).astype(np.float64)


def _touching(
    labels: NDArray[np.int32], edges: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    keys, values = [], []
    for axis in range(labels.ndim):
        a, b = _shifted(labels, axis)
        apart = a != b
        a, b = a[apart].astype(np.int64), b[apart]
        keys.append(np.minimum(a, b) * count + np.maximum(a, b))
        values.append(np.maximum(*_shifted(edges, axis))[apart])
    known, place = np.unique(np.concatenate(keys), return_inverse=True)
    length = np.bincount(place, minlength=len(known)).astype(np.float64)
    edge = np.bincount(place, np.concatenate(values), len(known)) / length
    return np.stack([known // count, known % count], axis=1), length, edge


def _shifted(values: Array, axis: int) -> tuple[Array, Array]:
    n = values.shape[axis]
    return values.take(range(n - 1), axis), values.take(range(1, n), axis)


def _frame(labels: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    total = np.zeros(count)
    for axis in range(labels.ndim):
        if labels.shape[axis] > 1:
            ends = labels.take([0, -1], axis)
            total += np.bincount(ends.ravel(), minlength=count)
    return total


def _moments(labels: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    flat = labels.ravel()
    sides = [np.arange(n, dtype=np.float64) for n in labels.shape]
    along = [np.broadcast_to(g, labels.shape) for g in np.ix_(*sides)]
    d = labels.ndim
    products = [along[i] * along[j] for i in range(d) for j in range(i, d)]
    return np.stack([_added(flat, v, count) for v in (*along, *products)], axis=1)
