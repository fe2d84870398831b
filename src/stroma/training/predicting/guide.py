"""What a coarser network said of an image, as a finer one sees it: one channel per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.training.feeding.resample import LINEAR, Grid
from stroma.training.feeding.windows import Cube, read_mirrored

Rng = np.random.Generator
Array = NDArray[np.float32]

CHANGED, LOST = 0.4, 0.2
"""How often a class is grown or shrunk, and how often a part of it is lost, in training."""

FARTHEST = 8
"""Pixels that a class grows or shrinks by, at most."""

LARGEST = 0.15
"""Share of a patch that a part which is lost has, at most."""


@dataclass(frozen=True, eq=False)
class Guide:
    """Classes on coarse pixels, over the same extent as an image.

    Parameters
    ----------
    classes : (*space) uint8 array
        Number of the class, from 0.
    count : int
        Classes there are. The finer network has a channel for each but the first.
    nearest : tuple of bool
        Along which axes the nearest coarse pixel is taken.
    """

    classes: NDArray[np.uint8]
    count: int
    nearest: tuple[bool, ...]

    @property
    def channels(self) -> int:
        """Channels that are added to an image."""
        return self.count - 1

    def numbers(self, box: Cube, shape: Sequence[int]) -> NDArray[np.uint8]:
        """Return the classes of a box of an image of that shape, which may reach beyond it."""
        if tuple(shape) == self.classes.shape:
            return read_mirrored(self.classes.__getitem__, shape, box)
        return read_mirrored(lambda inner: self._inside(inner, shape), shape, box)

    def read(self, box: Cube, shape: Sequence[int]) -> Array:
        """Return the (channels, *box) that are added to an image of that shape."""
        return self.encoded(self.numbers(box, shape))

    def encoded(self, numbers: NDArray[np.uint8]) -> Array:
        """Return a channel for every class but the first, 1 where it is."""
        return np.stack([numbers == n for n in range(1, self.count)]).astype(np.float32)

    def varied(self, numbers: NDArray[np.uint8], rng: Rng) -> Array:
        """Return the channels of a patch as a worse network might have them.

        Classes are grown, shrunk, opened or closed, and small parts of them lost, as nnU-Net does
        (Isensee et al. 2021, doi 10.1038/s41592-020-01008-z), so that what is seen in the image
        is not overlooked for what was said before.
        """
        channels = self.encoded(numbers)
        for channel in channels:
            if rng.random() < CHANGED:
                channel[...] = _changed(channel > 0, rng)
            if rng.random() < LOST:
                channel[...] = _without_a_part(channel > 0, rng)
        return channels

    def _inside(self, box: Cube, shape: Sequence[int]) -> NDArray[np.uint8]:
        grid = Grid(self.classes.shape, tuple(shape), self.nearest)
        best = np.full([s.stop - s.start for s in box], -1.0, np.float32)
        found = np.zeros(best.shape, np.uint8)
        for n in range(self.count):
            share = grid.read((self.classes == n).__getitem__, box, order=LINEAR)
            found[share > best] = n
            best = np.maximum(best, share)
        return found


def _changed(mask: NDArray[np.bool_], rng: Rng) -> NDArray[np.bool_]:
    """Return a class grown, shrunk, opened or closed by a ball of up to 8 pixels."""
    radius = float(rng.uniform(1, FARTHEST))
    kind = int(rng.integers(4))
    first, second = (_grown, _shrunk) if kind in (0, 2) else (_shrunk, _grown)
    once = first(mask, radius)
    return once if kind < 2 else second(once, radius)


def _grown(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    if not mask.any():
        return mask
    return np.asarray(ndimage.distance_transform_edt(~mask) <= radius)


def _shrunk(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    return ~_grown(~mask, radius)


def _without_a_part(mask: NDArray[np.bool_], rng: Rng) -> NDArray[np.bool_]:
    """Return a class without one of its connected parts, if there is one that is small."""
    parts, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(parts.ravel())[1:]
    small = np.flatnonzero(sizes < LARGEST * mask.size) + 1
    return mask & (parts != rng.choice(small)) if len(small) else mask
