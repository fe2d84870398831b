"""Which objects cannot be parted, told of all at once: parting looks at the others one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stroma.objects.boxes import Located

SIDE = 16
"""Pixels along each side of objects whose hills are counted together with those of others."""

STEP = 4
"""Sides are rounded up to multiples of this, so that there are few kinds of boxes."""

TOGETHER = 2**22
"""Pixels that are looked at together."""


def too_thin(
    found: Located, depth: float, relative: NDArray[np.float64], least: float
) -> NDArray[np.bool_]:
    """Return the (n,) objects without a hill of that depth, of one pixel, or smaller than wanted.

    No pixel is farther from the outside than the middle of the box is along its shortest side.
    """
    sides = (found.box[:, 3:] - found.box[:, :3])[:, 3 - len(relative) :]
    bound = ((sides + 1) // 2 * relative).min(axis=1)
    return np.asarray((bound <= shallow(depth)) | (found.count < max(2, least)))


def shallow(depth: float) -> float:
    """Return the height of the tallest hill that is none; one that rises by depth is one."""
    return depth * (1 - 1e-6)


def one_hill(
    found: Located, rows: NDArray[np.intp], depth: float, relative: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which of some objects have but one hill; large ones are not looked at.

    Small ones are laid out in one image, apart from each other, so that all are looked at by one
    call. What is found of each is what would be found of it alone.
    """
    sides = (found.box[rows, 3:] - found.box[rows, :3])[:, 3 - len(relative) :]
    one = np.zeros(len(rows), bool)
    small = np.flatnonzero((sides <= SIDE).all(axis=1))
    kinds = -(-sides[small] // STEP) * STEP
    for kind in np.unique(kinds, axis=0):
        alike = small[(kinds == kind).all(axis=1)]
        for some in _portions(alike, int(np.prod(kind + 2))):
            masks = _laid_out(found, rows[some], kind)
            one[some] = _tops(masks, depth, relative) < 2
    return one


def _portions(every: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    step = max(1, TOGETHER // size)
    for first in range(0, len(every), step):
        yield every[first : first + step]


def _laid_out(found: Located, rows: NDArray[np.intp], kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the (n, ...) masks of objects, each in a box of one size with a margin."""
    grids = np.indices((1,) * (3 - len(kind)) + tuple(kind)).reshape(3, -1)
    where = found.box[rows, :3, None] + grids
    last = np.array(found.labels.shape)[:, None] - 1
    inside = (where <= last).all(axis=1)
    z, y, x = np.minimum(where, last).transpose(1, 0, 2)
    masks = inside & (found.labels[z, y, x] == found.codes[rows, None])
    return np.pad(masks.reshape(len(rows), *kind), [(0, 0)] + [(1, 1)] * len(kind))


def _tops(
    masks: NDArray[np.bool_], depth: float, relative: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return how many hills each of some masks has; a margin is around each."""
    flat = masks.reshape(-1, *masks.shape[2:])
    seeds = hills(flat, depth, relative)[1]
    _, first = np.unique(seeds, return_index=True)
    first = first[1:] if seeds.flat[first[0]] == 0 else first
    return np.bincount(first // masks[0].size, minlength=len(masks))


def hills(
    mask: NDArray[np.bool_], depth: float, relative: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return how far pixels are from the outside, and the tops of hills, numbered from 1."""
    from scipy.ndimage import distance_transform_edt
    from skimage.measure import label
    from skimage.morphology import local_maxima, reconstruction

    height = distance_transform_edt(mask, sampling=relative)
    lowered = np.maximum(height - shallow(depth), 0)  # a hill that rises just as much is one
    # Two tops of one height are one hill where the pass between them is hardly lower.
    tops = local_maxima(reconstruction(lowered, height), connectivity=mask.ndim)
    return height, np.asarray(label(tops, connectivity=mask.ndim), np.int32)
