"""Extractors as a model uses them, combined: everything ahead of the classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis, hull
from stroma.errors import ShapeError
from stroma.features.contract import Batched, FeatureMap, in_volume
from stroma.features.half import all_finite, not_finite, to_half
from stroma.features.part import Feed, Part, Piece, Voxel, lcm

VALUES_PER_BLOCK = 2**23

VALUES_PER_VOLUME = 2**25
"""Feature values of a block of a volume, which pays for its context on all sides."""

DEPTH = 32
"""Planes of such a block."""

DEPTH_OF_THIN = 64
"""Planes of a block that is as thin as possible along y or x."""

VALUES_AT_ONCE = 2**26
"""Feature values of blocks that are computed together."""


@dataclass(frozen=True)
class Pipeline:
    """Everything between the pixels of the working grid and the classifier.

    Parameters
    ----------
    parts : tuple of Part
        Their features are concatenated.
    """

    parts: tuple[Part, ...]

    @property
    def is_global(self) -> bool:
        """Whether any part sees whole windows."""
        return any(part.extractor.halo is None for part in self.parts)

    @property
    def is_global_along_z(self) -> bool:
        """Whether any part sees windows of volumes."""
        return any(p.extractor.halo is None and p.axes == "zyx" for p in self.parts)

    @property
    def axes(self) -> str:
        """What an image is cut into: planes, "yx", or volumes, "zyx", if any part looks at them."""
        return max((part.axes for part in self.parts), key=len)

    @property
    def stride(self) -> PerAxis:
        """Working pixels along z, y and x that blocks must be aligned with."""
        return lcm(*(part.stride for part in self.parts))

    def sized(self, voxel: Voxel | None) -> Pipeline:
        """Return the pipeline for images with voxels of that size along z, y and x, in µm."""
        return Pipeline(tuple(part.sized(voxel) for part in self.parts))

    @property
    def weight(self) -> float:
        """Features per working pixel of a one-channel image, as they are stored."""
        return sum(part.weight for part in self.parts)

    @property
    def block_side(self) -> int:
        """Side of a block, in working pixels, that keeps its features in a few dozen megabytes."""
        if self.axes == "zyx":
            exponent = round(math.log2(math.sqrt(VALUES_PER_VOLUME / self.weight / DEPTH)))
        else:
            exponent = math.floor(math.log2(math.sqrt(VALUES_PER_BLOCK / self.weight)))
        return int(2 ** min(10, max(7, exponent)))

    def block_sides(self, depth: int) -> PerAxis:
        """Return the sides of blocks of an image where planes are wanted in such a number."""
        deep = min(depth, DEPTH) if self.axes == "zyx" else 1
        return deep, self.block_side, self.block_side

    @property
    def thin_sides(self) -> tuple[int, int]:
        """Depth of blocks that are as thin as possible along y or x, and their side.

        The same however much is wanted: what is wanted of a plane lies in the same blocks.
        """
        return (DEPTH_OF_THIN if self.axes == "zyx" else 1), self.block_side

    def names(self, feed: Feed) -> list[str]:
        """Return the names of all features; computes and loads nothing."""
        return [name for part in self.parts for name in part.names(feed)]

    def families(self, feed: Feed) -> tuple[int, ...]:
        """Return where the features ahead of the first network end, and those of each but the last.

        Filters behind a network belong to its family. Empty where there are none ahead of it.
        """
        ends, count = [], 0
        for part in self.parts:
            if is_network(part):
                ends.append(count)
            count += len(part.names(feed))
        return tuple(ends) if ends and ends[0] else ()

    def provenance(self) -> list[dict[str, str]]:
        """Return what identifies the pretrained weights in use, one entry per network."""
        parts = (getattr(part.extractor, "provenance", None) for part in self.parts)
        return [known() for known in parts if known is not None]

    def sees(self, region: Box, window: Box) -> Box:
        """Return the working pixels the features of a region depend on."""
        return hull([part.sees(region, window) for part in self.parts])

    def at_once(self, box: Box, channels: int) -> int:
        """Return how many blocks that see such a box are best computed together."""
        batched = [p.extractor for p in self.parts if isinstance(p.extractor, Batched)]
        pixels = max((extractor.batch_pixels for extractor in batched), default=0)
        values = channels * self.weight * box.area
        return max(1, min(pixels // box.area, int(VALUES_AT_ONCE // values)))

    def compute(self, pieces: Sequence[Piece]) -> list[list[FeatureMap]]:
        """Return the feature maps of every piece, origins relative to its region.

        Raises
        ------
        ImageError
            If a feature is not finite.
        ShapeError
            If a piece has another number of channels than its feed.
        """
        for piece in pieces:
            if len(piece.raw) != len(piece.feed.channels):
                expected = len(piece.feed.channels)
                raise ShapeError(f"Expected {expected} channels, got {len(piece.raw)}.")
        parts = zip(*(part.compute(pieces) for part in self.parts), strict=True)
        return [
            [_stored(m, piece.region, piece.feed.dtype) for maps in own for m in maps]
            for piece, own in zip(pieces, parts, strict=True)
        ]


def grid_step(maps: Sequence[FeatureMap]) -> PerAxis:
    """Return the step of the grid that maps are classified on: theirs if they share one, or 1."""
    steps = {in_volume(m).step for m in maps}
    step = steps.pop() if len(steps) == 1 else 1
    return step if isinstance(step, tuple) else (1, 1, 1)


def finest_cells(maps: Sequence[FeatureMap]) -> PerAxis:
    """Return the largest cells that the cells of all maps consist of."""
    steps = [in_volume(m).step for m in maps]
    z, y, x = (math.gcd(*along) for along in zip(*steps, strict=True))
    return z, y, x


def _stored(feature_map: FeatureMap, region: Box, dtype: type[np.floating]) -> FeatureMap:
    values = feature_map.values
    if dtype is np.float16 and values.dtype != np.float16:
        values, finite = to_half(values)
    else:
        values = _owned(values.astype(dtype, copy=False))
        finite = all_finite(values)
    if not finite:
        raise not_finite()
    origin = tuple(o - a for o, a in zip(feature_map.origin, region.start, strict=True))
    return replace(feature_map, values=values, origin=origin)


def _owned(values: NDArray[Any]) -> NDArray[Any]:
    """Return values that keep no larger array in memory, as one block of a batch would."""
    whole = values.base
    if isinstance(whole, np.ndarray) and whole.nbytes > values.nbytes:
        return values.copy(order="K")
    return values


def is_network(part: Part) -> bool:
    """Tell whether features are those of a network that was trained."""
    return getattr(part.extractor, "provenance", None) is not None
