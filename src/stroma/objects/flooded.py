"""What strokes mean: regions that were flooded from them, and the pixels of any part of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stroma.errors import ParameterError
from stroma.objects.seeds import BACKGROUND, OBJECT, Places
from stroma.objects.supervoxels import Supervoxels

Mask = NDArray[np.bool_]
Part = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Priority:
    """How much more readily background spreads than an object.

    An object has one boundary all around and background is what lies beyond, marked only here and
    there: where nothing was marked, both reach a place over boundaries that are about as high.

    Parameters
    ----------
    bias : float
        Background gets across boundaries as if they were so many times as high; 1 is no bias.
    no_bias_below : float
        Boundaries that are lower than this, of 255, are none: there is no bias.
    """

    bias: float = 0.95
    no_bias_below: float = 64.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not 0 < self.bias <= 1 or not 0 <= self.no_bias_below < np.inf:
            raise ParameterError(
                "The bias is above 0 and at most 1, the height below which there is none 0 or "
                f"more; got {self.bias} and {self.no_bias_below}."
            )


@dataclass(frozen=True, eq=False)
class Flooded:
    """Regions that were flooded; pixels are looked up where they are wanted.

    Parameters
    ----------
    regions : Supervoxels
        The image in small regions.
    state : (n,) uint8
        1 for regions of the background, 2 for those of the object.
    on, beside : (k,) int64
        Pixels of the strokes, as places in the flat image.
    mixed : (m,) int64
        Regions that strokes of both kinds lie in; their pixels belong to the nearest.
    """

    regions: Supervoxels
    state: NDArray[np.uint8]
    on: Places
    beside: Places
    mixed: Places

    def mask(self, part: Part = (slice(None), slice(None), slice(None))) -> Mask:
        """Return which pixels of a part (z, y, x) of the image belong to the object."""
        labels = self.regions.labels[part]
        mask: Mask = np.take(self.state == OBJECT, labels)
        origin = [s.indices(n)[0] for s, n in zip(part, self.regions.labels.shape, strict=True)]
        self._share(mask, labels, origin)
        for places, value in ((self.beside, False), (self.on, True)):
            inner = np.stack(np.unravel_index(places, self.regions.labels.shape)) - np.array(
                [[o] for o in origin]
            )
            there = ((inner >= 0) & (inner < np.array(mask.shape)[:, None])).all(axis=0)
            mask[tuple(inner[:, there])] = value
        return mask

    def _share(self, mask: Mask, labels: NDArray[np.int32], origin: list[int]) -> None:
        """Share out regions with strokes of both kinds: each pixel to the nearest."""
        if not len(self.mixed):
            return
        within = np.isin(labels, self.mixed)
        pixels = np.argwhere(within) + origin
        if not len(pixels):
            return
        shape = self.regions.labels.shape
        near, far = (np.stack(np.unravel_index(p, shape), 1) for p in (self.on, self.beside))
        apart = [cKDTree(seeds).query(pixels)[0] for seeds in (near, far)]
        mask[within] = apart[0] < apart[1]


def flooded(
    regions: Supervoxels,
    on: Places,
    beside: Places,
    *,
    lost: NDArray[np.integer] | None = None,
    priority: Priority | None = None,
) -> Flooded:
    """Flood regions from strokes; where there are both kinds, the greater number floods on.

    Parameters
    ----------
    regions : Supervoxels
        The image in small regions.
    on, beside : (k,) int64
        Pixels of strokes on the object and beside it, as places in the flat image.
    lost : (n,) int, optional
        Pixels of each region that other objects have: background, where that is most of it.
    priority : Priority, optional
        How much more readily background spreads.
    """
    count, flat = regions.count, regions.labels.ravel()
    own = priority or Priority()
    marks = np.stack([np.bincount(flat[p], minlength=count) for p in (beside, on)])
    start = np.where(marks[1] > marks[0], OBJECT, marks.any(axis=0) * BACKGROUND).astype(np.uint8)
    if lost is not None:
        start[(2 * lost > regions.sizes) & (marks[1] == 0)] = BACKGROUND
    state = regions.flooded(start, bias=own.bias, least=own.no_bias_below)
    return Flooded(regions, state, on, beside, np.flatnonzero(marks.all(axis=0)))
