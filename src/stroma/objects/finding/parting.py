"""Touching objects parted: at their necks, or where a boundary between them is probable."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.objects.boxes import Located, located
from stroma.objects.finding.single import hills, one_hill, too_thin
from stroma.objects.kernels import cut

BLUR = 1.0
"""Pixels (of the axis with the smallest) that the probability of a boundary is smoothed by."""

REACH = 4
"""Pixels away from one that count for it, because of that."""

OUTSIDE = np.float32(2)


def split(
    labels: NDArray[np.int32],
    depth: float,
    *,
    spacing: tuple[float, ...] = (),
    least: float = 0,
) -> NDArray[np.int32]:
    """Return objects parted at their necks.

    The distance to the nearest pixel outside is a landscape in which each part is a hill; hills
    that rise less than ``depth`` above the pass to a higher one are one with it (Meyer and
    Beucher, "Morphological segmentation", 1990).

    Parameters
    ----------
    labels : (y, x) or (z, y, x) int32 array
        Objects.
    depth : float
        In pixels of the axis with the smallest.
    spacing : tuple of float
        Size of a pixel along each axis.
    least : float
        Objects of fewer pixels stay as they are.
    """
    relative = _relative(spacing, labels.ndim)
    found = located(labels)
    result = found.labels.copy()
    count = int(found.codes.max(initial=0))
    todo = np.flatnonzero(~too_thin(found, depth, relative, least))
    for i in todo[~one_hill(found, todo, depth, relative)]:
        mask = cut(found.labels, found.codes[i], found.box[i]).astype(bool)
        mask = mask if labels.ndim == 3 else mask[1]
        parts = _hills(mask, depth, relative)
        if parts is None:
            continue
        where = tuple(slice(*found.box[i, [a, a + 3]]) for a in range(3))
        parts = parts[(slice(1, -1),) * labels.ndim].reshape(result[where].shape)
        result[where][parts > 1] = parts[parts > 1] + (count - 1)
        count += int(parts.max()) - 1
    return result.reshape(labels.shape)


def _relative(spacing: tuple[float, ...], axes: int) -> NDArray[np.float64]:
    return np.array(spacing) / min(spacing) if spacing else np.ones(axes)


def _hills(
    mask: NDArray[np.bool_], depth: float, relative: NDArray[np.float64]
) -> NDArray[np.int32] | None:
    """Return the parts of one object from 1, or None where it is one; a margin is around it."""
    from skimage.segmentation import watershed

    height, seeds = hills(mask, depth, relative)
    if seeds.max() < 2:
        return None
    return np.asarray(watershed(-height, seeds, mask=mask, connectivity=mask.ndim), np.int32)


def part_by_boundary(
    whole: NDArray[np.int32],
    body: NDArray[np.bool_],
    chance: NDArray[np.float32],
    *,
    reach: int,
    rise: float,
    depth: float = 0.0,
    spacing: tuple[float, ...] = (),
    around: NDArray[np.bool_] | None = None,
    least: float = 0,
) -> NDArray[np.int32]:
    """Return objects parted where a boundary between them is probable.

    The probability of the boundary is a landscape, flooded from its valleys (Beucher and Meyer,
    "The morphological approach to segmentation: the watershed transformation", 1993). Valleys
    that no such ridge parts are one; one in which no pixel is of an object seeds none.

    Parameters
    ----------
    whole : (y, x) or (z, y, x) int32 array
        Connected pixels of objects and boundaries; each with a pixel of an object at least.
    body : bool array
        Pixels of objects, without those of boundaries.
    chance : float32 array
        Probability of the boundary.
    reach : int
        Axes along which neighbours may differ at once: 1 for sides alone.
    rise : float
        How much more probable the boundary is between two objects than inside each of them.
    depth : float
        The parts of ``body`` are seeds of their own beyond necks of that depth, see `split`.
    spacing : tuple of float
        Size of a pixel along each axis.
    around : bool array, optional
        Pixels of objects and boundaries of which some are parted here; those of ``whole`` unless
        given.
    least : float
        Parts of ``whole`` of fewer pixels stay as they are.
    """
    inside, relative = whole > 0, _relative(spacing, whole.ndim)
    smooth = _smooth(chance, inside if around is None else around, BLUR / relative)
    found = located(whole)
    thin = too_thin(found, depth, relative, least) if depth else True
    single = (found.count < least) | (_level(found, smooth, rise) & thin)
    count = int(single.sum())
    new = np.zeros(int(found.codes.max(initial=0)) + 1, np.int32)
    new[found.codes[single]] = np.arange(1, count + 1)
    result = new[found.labels].reshape(whole.shape)
    for i in np.flatnonzero(~single):
        # Each by itself: where pixels are equal, what is flooded first depends on all there is.
        mask = cut(found.labels, found.codes[i], found.box[i]).astype(bool)
        mask = mask if whole.ndim == 3 else mask[1]
        where = tuple(slice(*found.box[i, [a, a + 3]]) for a in range(3))[3 - whole.ndim :]
        landscape = np.where(mask, np.pad(smooth[where], 1), OUTSIDE)
        parts = _flooded(landscape, mask & np.pad(body[where], 1), reach, rise, depth, spacing)
        own = mask[(slice(1, -1),) * whole.ndim]
        result[where][own] = parts[mask] + count
        count += int(parts.max())
    return result


def _level(found: Located, landscape: NDArray[np.float32], rise: float) -> NDArray[np.bool_]:
    """Return the (n,) parts inside which the boundary nowhere rises by more than ``rise``."""
    size = int(found.codes.max(initial=0)) + 1
    low, high = np.full(size, OUTSIDE), np.zeros(size, np.float32)
    on = found.labels > 0
    codes, values = found.labels[on], landscape.reshape(found.labels.shape)[on]
    np.minimum.at(low, codes, values)
    np.maximum.at(high, codes, values)
    return np.asarray((high <= low + np.float32(rise))[found.codes])


def _flooded(
    landscape: NDArray[np.float32],
    body: NDArray[np.bool_],
    reach: int,
    rise: float,
    depth: float,
    spacing: tuple[float, ...],
) -> NDArray[np.int32]:
    """Return the parts of what is connected, from 1; walls are around it."""
    from skimage.segmentation import watershed

    mask = landscape < OUTSIDE
    seeds = _valleys(landscape, body, reach, rise)
    flooded: Any = watershed(landscape, seeds, mask=mask, connectivity=reach)
    if depth:
        seeds = _beyond_necks(np.asarray(flooded, np.int32), body, depth, spacing)
        flooded = watershed(landscape, seeds, mask=mask, connectivity=reach)
    names, parts = np.unique(flooded, return_inverse=True)
    return np.asarray(parts.reshape(flooded.shape) + (names[0] > 0), np.int32)


def _smooth(
    chance: NDArray[np.float32], inside: NDArray[np.bool_], sigma: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the probability of the boundary, smoothed among pixels inside; walls elsewhere."""
    from scipy.ndimage import gaussian_filter

    share, total = (
        gaussian_filter(values, sigma, mode="constant", radius=REACH)
        for values in (np.where(inside, chance, 0).astype(np.float32), inside.astype(np.float32))
    )
    walls = np.full_like(share, OUTSIDE)
    smooth = np.divide(share, total, out=walls, where=inside)
    # Gaps are filled, but what is thin is not made low.
    return np.asarray(np.maximum(smooth, chance, dtype=np.float32))


def _beyond_necks(
    flooded: NDArray[np.int32], body: NDArray[np.bool_], depth: float, spacing: tuple[float, ...]
) -> NDArray[np.int32]:
    """Return the bodies of parts, split at their necks, without specks among the boundary."""
    from scipy.ndimage import distance_transform_edt

    seeds = split(np.where(body, flooded, 0).astype(np.int32), depth, spacing=spacing)
    tall = distance_transform_edt(body, sampling=_relative(spacing, body.ndim)) > depth
    rises, known = (np.zeros(int(n.max(initial=0)) + 1, bool) for n in (seeds, flooded))
    rises[seeds[tall]] = known[flooded[tall]] = True
    seeds[~rises[seeds] & known[flooded]] = 0
    return seeds


def _valleys(
    landscape: NDArray[np.float32], body: NDArray[np.bool_], reach: int, rise: float
) -> NDArray[np.int32]:
    """Return the places that are flooded from; all of the body where there is none."""
    from scipy.ndimage import generate_binary_structure
    from skimage.measure import label
    from skimage.morphology import local_minima, reconstruction

    near = generate_binary_structure(body.ndim, reach)
    raised = np.minimum(landscape + np.float32(rise), OUTSIDE)
    filled = reconstruction(raised, landscape, method="erosion", footprint=near)
    lows = local_minima(filled, connectivity=reach) & (landscape < OUTSIDE)
    seeds = np.asarray(label(lows, connectivity=reach), np.int32)
    holds = np.zeros(int(seeds.max(initial=0)) + 1, bool)
    holds[seeds[body]] = True
    seeds[~holds[seeds]] = 0
    return seeds if seeds.any() else body.astype(np.int32)
