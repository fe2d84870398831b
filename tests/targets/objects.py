"""Synthetic objects that touch."""

import numpy as np
from scipy import ndimage

from stroma.targets.contract import Facts

LEAST = {
    "distances": 0.95,
    "boundary": 0.95,
    "flows": 0.98,
    "rays": 0.98,
    "affinities": 0.98,
    "centres": 0.98,
}
"""AP at 0.5 after encoding and decoding, at least."""


def touching(shape, *, spacing=16, radius=0.7, seed=0):
    """Return objects around points, up to where another point is nearer, or to a radius.

    The radius is in spacings of the points; with 0.3 hardly any touch.
    """
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.arange(spacing / 2, n, spacing) for n in shape), indexing="ij")
    points = np.stack(grid, -1).reshape(-1, len(shape))
    points += rng.uniform(-0.22, 0.22, points.shape) * spacing
    points = points[rng.random(len(points)) < 0.85]
    places = np.rint(points).astype(int).clip(0, np.array(shape) - 1)
    empty = np.ones(shape, bool)
    empty[tuple(places.T)] = False
    labels = np.zeros(shape, np.int32)
    labels[tuple(places.T)] = np.arange(1, len(places) + 1)
    far, nearest = ndimage.distance_transform_edt(empty, return_indices=True)
    return np.where(far < radius * spacing, labels[tuple(nearest)], 0)


def of_classes(shape, **how):
    """Return objects that touch, of the classes 1 and 3, numbered within a divisor of 100."""
    labels = touching(shape, **how)
    kinds = np.where(labels % 3 == 0, 3, 1)
    return np.where(labels > 0, 100 * kinds + labels, 0)


def made_for(kind, labels):
    """Return a target for objects within a divisor of 100."""
    values, counts = np.unique(labels, return_counts=True)
    numbers = dict(zip(values.tolist(), counts.tolist(), strict=True))
    return kind.made_for(Facts(labels.ndim, numbers, (), (12.0, 18.0)), divisor=100)
