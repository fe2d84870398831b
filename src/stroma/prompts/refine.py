"""The border of a mask, settled pixel by pixel."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.prompts import kernels

Bools = NDArray[np.bool_]

ROUNDS = 24

STEEP = 60.0
"""How much a squared difference between pixels hinders the walker."""

REACH = 0.4
"""How far the border may move, as a part of the object's radius."""


def settled(
    mask: Bools,
    channels: NDArray[np.float32],
    *,
    on: NDArray[np.int64],
    beside: NDArray[np.int64],
    steep: float = STEEP,
    reach: float = REACH,
) -> Bools:
    """Return a mask whose border lies where the image changes most, near where it was.

    Parameters
    ----------
    mask : (*space) bool
        The object, roughly.
    channels : (C, *space) float32
        Normalised channels.
    on, beside : (n, d) int64
        Pixels known to belong to it, and not to.
    steep : float
        How much a squared difference between pixels hinders the walker.
    reach : float
        How far the border may move, as a part of the object's radius; 2 to 5 pixels.
    """
    if not mask.any() or mask.all():
        return mask
    d = mask.ndim
    radius = float(np.clip(reach * (mask.sum() ** (1 / d)) / 2, 2, 5))
    [box] = ndimage.find_objects(mask.astype(np.uint8))
    margin = int(radius) + 2
    box = tuple(slice(max(0, s.start - margin), s.stop + margin) for s in box)
    part = mask[box]
    far = depth(part) + depth(~part) > radius
    state = part.astype(np.float32)
    for places, value in ((beside, 0), (on, 1)):
        _set(far, places, box, True)
        _set(state, places, box, value)
    lift = (1,) * (3 - d)
    values = np.ascontiguousarray(channels[(slice(None), *box)])
    flat = state.reshape(*lift, *state.shape)
    kernels.settle(
        values.reshape(len(values), *flat.shape), far.reshape(flat.shape), flat, steep, ROUNDS
    )
    found = mask.copy()
    found[box] = flat.reshape(part.shape) > 0.5
    return found


def depth(mask: Bools, *, beyond: bool = True) -> NDArray[np.float64]:
    """Return how far inside a mask pixels lie.

    Parameters
    ----------
    mask : (*space) bool
        Of any number of axes.
    beyond : bool
        Whether it goes on beyond the border of the image, which then is no border of it.
    """
    padded = np.pad(mask, 1, mode="edge") if beyond else np.pad(mask, 1)
    if mask.ndim == 2:  # many times as fast as for any number of axes
        found = cv2.distanceTransform(padded.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    else:
        found = ndimage.distance_transform_edt(padded)
    return np.asarray(found, np.float64)[(slice(1, -1),) * mask.ndim]


def _set(
    target: NDArray[Any], places: NDArray[np.int64], box: tuple[slice, ...], value: float
) -> None:
    """Write a value at the places that lie in a box."""
    shifted = places - [s.start for s in box]
    inside = ((shifted >= 0) & (shifted < target.shape)).all(axis=1)
    target[tuple(shifted[inside].T)] = value
