"""Where the boundaries of an image are, and the small regions between them, as a graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.data.image import Image
from stroma.errors import ImageError, ParameterError
from stroma.features.filtering.filterbank import FilterBank
from stroma.features.filtering.filterbank3d import VolumeFilterBank
from stroma.objects.basins import basins, edges_by_region, flood, touching
from stroma.objects.entry import micrometres
from stroma.objects.merging import merged

Float32 = NDArray[np.float32]

FILTERS = {"edges": ("gradient", 0, 1), "bright": ("hessian", -1, -1), "dark": ("hessian", 0, 1)}
"""Boundaries by name: a filter, which of its values, and the sign of that."""

DEPTH = 32
"""Planes that are filtered at once; the values do not depend on it."""

SHARE = 0.3
"""How many of the regions are left when those between which hardly a boundary is are joined."""

FEW = 5000
"""Where there are no more than so many regions, they are left as they are."""

MOST = 2**31 - 2
"""Pixels whose places fit the numbers that are kept of them."""

TOP = 255.0
"""What the highest boundary is made."""


@dataclass(frozen=True, eq=False)
class Supervoxels:
    """An image cut along its boundaries, as a graph of touching regions.

    Parameters
    ----------
    labels : (z, y, x) int32
        Region of every pixel, from 0; a plane has depth one.
    pairs : (m, 2) int32
        Regions that touch.
    weights : (m,) float64
        Mean height of the boundary between them, from 0 to 255.
    sizes : (n,) int64
        Pixels of each region.
    by_region : (n + 1,) and (2 m,) int64
        Where the edges of each begin in a list, and that list.
    """

    labels: NDArray[np.int32]
    pairs: NDArray[np.int32]
    weights: NDArray[np.float64]
    sizes: NDArray[np.int64]
    by_region: tuple[NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(cls, heights: Float32) -> Supervoxels:
        """Cut along the crests of a boundary map (z, y, x), and join across the lowest of them."""
        scaled = _scaled(heights)
        labels, count = basins(scaled)
        pairs, weights, lengths = touching(labels, scaled, count)
        sizes = np.bincount(labels.ravel(), minlength=count)
        most = max(FEW, int(SHARE * count))
        new, pairs, weights, _, sizes = merged(pairs, weights, lengths, sizes, most)
        return cls(new[labels], pairs, weights, sizes, edges_by_region(pairs, len(sizes)))

    @property
    def count(self) -> int:
        """How many regions there are."""
        return len(self.sizes)

    def flooded(self, seeds: NDArray[np.uint8], *, bias: float, least: float) -> NDArray[np.uint8]:
        """Return the label of every region: of the seed that reaches it over the lowest edges.

        Parameters
        ----------
        seeds : (n,) uint8
            Labels of seeds, 0 elsewhere.
        bias : float
            Label 1 gets across edges as if they were so many times as high.
        least : float
            Unless they are lower than this.
        """
        state = seeds.copy()
        flood(self.pairs, self.weights, self.by_region, state, 1, bias, least)
        return state


def boundaries(image: Image, kind: str, sigma: float) -> Float32:
    """Return how much each pixel looks like a boundary, as (z, y, x); the highest of all channels.

    In a volume that is smoothed as widely again: a boundary is a sheet there, and a hole that
    noise made in it would let a flood through.

    Parameters
    ----------
    image : Image
        A plane or volume, with channels or not.
    kind : {"edges", "bright", "dark"}
        Steps in brightness, bright lines and sheets (membranes), or dark ones.
    sigma : float
        Width of the Gaussian, in pixels along x.

    Raises
    ------
    ParameterError, ImageError
        If there is no such kind, sigma is not above 0, or the image is not finite.
    """
    if kind not in FILTERS:
        raise ParameterError(
            f"No boundaries {str(kind)[:30]!r}. Known: {', '.join(FILTERS)}; or give a map of them."
        )
    if not 0 < sigma < np.inf:
        raise ParameterError(f"Boundaries are found with a sigma above 0 pixels, got {sigma}.")
    filter_, which, sign = FILTERS[kind]
    found: Float32 | None = None
    for c in range(image.sizes.get("c", 1)):
        one = np.asarray((image.at(c=c) if "c" in image.sizes else image).read(), np.float32)
        check_finite(one, "image")
        own = _filtered(one, image, filter_, which, sign, sigma)
        found = own if found is None else np.maximum(found, own, out=found)
    assert found is not None
    return found if len(found) == 1 else _smoothed(found, image, sigma)


def check_finite(values: NDArray[np.generic], what: str) -> None:
    """Raise an error if there is nothing, or something that is no number."""
    if not values.size:
        raise ImageError(f"The {what} is empty.")
    if not np.isfinite(values).all():
        raise ImageError(f"The {what} has values that are NaN or infinite. Replace them first.")


def _filtered(
    one: Float32, image: Image, filter_: str, which: int, sign: int, sigma: float
) -> Float32:
    """Return a filter of one channel, slab by slab."""
    if one.ndim == 2:
        flat = FilterBank(((filter_, sigma),))
        [features] = flat(np.pad(one, flat.halo, mode="symmetric")[None])
        return np.asarray(np.maximum(sign * features.values[which], 0)[None], np.float32)
    voxel = micrometres(image)
    bank = VolumeFilterBank(((filter_, sigma, 3),)).sized(voxel or None)  # type: ignore[arg-type]
    z, y, x = bank.halo
    padded = np.pad(one, ((z, z), (y, y), (x, x)), mode="symmetric")
    found = np.empty(one.shape, np.float32)
    for start in range(0, len(one), DEPTH):
        end = min(start + DEPTH, len(one))
        [features] = bank(padded[None, start : end + 2 * z])
        np.maximum(sign * features.values[which], 0, out=found[start:end])
    return found


def _smoothed(heights: Float32, image: Image, sigma: float) -> Float32:
    """Return a volume smoothed by a Gaussian as wide along each axis as sigma pixels along x."""
    voxel = np.array(micrometres(image) or (1.0, 1.0, 1.0))
    return np.asarray(ndimage.gaussian_filter(heights, sigma * voxel[2] / voxel), np.float32)


def _scaled(heights: Float32) -> Float32:
    """Return a boundary map from 0 to `TOP`."""
    low, high = float(heights.min()), float(heights.max())
    scale = TOP / (high - low) if high > low else 0.0
    return np.asarray((heights - np.float32(low)) * np.float32(scale), np.float32)
