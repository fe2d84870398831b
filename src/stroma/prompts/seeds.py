"""Where prompts lie, as regions and as pixels, and what they ask of the mask of an object."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.prompts.contract import OBJECT, REST, Prompts, pixels
from stroma.prompts.regions import Regions

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MOST_SEEDS = 128
"""Regions with prompts whose nodes are looked at; all of them are known to the walker."""


@dataclass(frozen=True, eq=False)
class Seeds:
    """Regions that prompts lie in, and pixels: (n, d) where the object is, and where it is not."""

    on: NDArray[np.int64]
    beside: NDArray[np.int64]
    on_pixels: NDArray[np.int64]
    beside_pixels: NDArray[np.int64]
    order: tuple[tuple[int, bool], ...]

    def in_order(self) -> list[tuple[int, bool]]:
        """Return regions with a click or stroke, in the order of the clicks; each once."""
        return list(dict.fromkeys(self.order))[:MOST_SEEDS]

    def last(self, given: Prompts, regions: Regions) -> Seeds:
        """Return the same seeds, of which the last point alone is asked in turn."""
        [place] = np.stack(pixels(given.points[-1:], regions.labels.shape), axis=1)
        region, on = int(regions.labels[tuple(place)]), bool(given.labels[-1])
        mixed = not on and region in self.on
        return replace(self, order=() if mixed else ((region, on),))

    @classmethod
    def of(cls, given: Prompts, regions: Regions) -> Seeds:
        """Return the seeds of prompts."""
        on, beside = places(given, regions.labels.shape)
        within = [np.unique(regions.labels[tuple(p.T)]).astype(np.int64) for p in (on, beside)]
        clicked = regions.labels[pixels(given.points, regions.labels.shape)].tolist()
        order = [*zip(clicked, given.labels.tolist(), strict=True)]
        order += [(int(r), True) for r in within[0]] + [(int(r), False) for r in within[1]]
        mixed = set(within[0].tolist())
        order = [(r, on) for r, on in order if on or r not in mixed]
        return cls(within[0], np.setdiff1d(within[1], within[0]), on, beside, tuple(order))

    def known(self, regions: Regions, given: Prompts) -> Floats:
        """Return 1 and 0 for regions that are known, NaN for others."""
        known = np.full(regions.count, np.nan)
        if len(given.boxes):
            boxed = np.bincount(regions.labels.ravel(), _boxed(given, regions.labels.shape).ravel())
            known[boxed < 0.5 * regions.area] = 0
        known[self.beside] = 0
        known[self.on] = 1
        return known


def places(given: Prompts, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pixels (n, d) that points and strokes lie in: on the object, and beside it."""
    clicked = np.stack(pixels(given.points, shape), axis=1)
    on, beside = clicked[given.labels], clicked[~given.labels]
    if given.strokes is not None:
        on = np.concatenate([on, np.argwhere(given.strokes == OBJECT)])
        beside = np.concatenate([beside, np.argwhere(given.strokes == REST)])
    return on, beside


def tidy(mask: Bools, given: Prompts, seeds: Seeds) -> Bools:
    """Return a mask without holes and without parts that no prompt lies in."""
    if len(given.boxes):
        mask &= _boxed(given, mask.shape) | _at(seeds.on_pixels, mask.shape)
    parts, count = ndimage.label(mask)
    if count > 1 and len(seeds.on_pixels):
        kept = np.zeros(count + 1, bool)
        kept[parts[tuple(seeds.on_pixels.T)]] = True
        kept[0] = False
        mask = kept[parts]
    elif count > 1:
        mask = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    filled = without_holes(mask)
    if len(seeds.beside_pixels):
        holes, _ = ndimage.label(filled & ~mask)
        meant = np.unique(holes[tuple(seeds.beside_pixels.T)])
        filled &= ~np.isin(holes, meant[meant > 0])
        filled[tuple(seeds.beside_pixels.T)] = False
    if len(seeds.on_pixels):
        filled[tuple(seeds.on_pixels.T)] = True
    return filled


def split_regions(mask: Bools, seeds: Seeds, regions: Regions) -> Bools:
    """Share out regions in which there are prompts of both kinds: each pixel to the nearest."""
    if not len(seeds.on_pixels) or not len(seeds.beside_pixels):
        return mask
    beside = regions.labels[tuple(seeds.beside_pixels.T)]
    for region in np.intersect1d(beside, seeds.on):
        places = np.argwhere(regions.labels == region)
        near = [_nearest(places, p) for p in (seeds.on_pixels, seeds.beside_pixels)]
        mask[tuple(places.T)] = near[0] < near[1]
    return mask


def _nearest(places: NDArray[np.int64], points: NDArray[np.int64]) -> Floats:
    apart = places[:, None] - points[None]
    return np.asarray((apart**2).sum(2).min(1), np.float64)


def _boxed(given: Prompts, shape: tuple[int, ...]) -> Bools:
    """Return the pixels within the boxes."""
    inside = np.zeros(shape, bool)
    for low, high in given.boxes:
        first = np.clip(np.rint(low), 0, None).astype(int)
        inside[tuple(slice(a, int(b) + 1) for a, b in zip(first, np.rint(high), strict=True))] = (
            True
        )
    return inside


def _at(places: NDArray[np.int64], shape: tuple[int, ...]) -> Bools:
    found = np.zeros(shape, bool)
    found[tuple(places.T)] = True
    return found


def without_holes(mask: Bools) -> Bools:
    """Fill holes, looking only at the box around the mask."""
    if not mask.any():
        return mask
    [box] = ndimage.find_objects(mask.view(np.uint8))
    beside, _ = ndimage.label(np.pad(~mask[box], 1, constant_values=True))
    mask[box] = (beside != beside.flat[0])[(slice(1, -1),) * mask.ndim]
    return mask
