"""One extractor as a model uses it: on several scales, with its own input."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis, hull
from stroma.blocks.interpolate import reach
from stroma.blocks.working import block_mean
from stroma.data.statistics import Statistics
from stroma.errors import ParameterError
from stroma.features.contract import (
    Extractor,
    FeatureMap,
    axes_of,
    computed,
    halo_of,
    in_volume,
    stride_of,
)
from stroma.features.normalise import fed_channels, normalise

NONE: PerAxis = (0, 0, 0)

Voxel = tuple[float, float, float]
"""Size along z, y and x."""


@dataclass(frozen=True)
class Feed:
    """How the pixels of an image are given to extractors.

    Parameters
    ----------
    channels : tuple of str
        Names of the channels.
    statistics : Statistics or None
        Of the whole image; None where nothing is to be normalised.
    rgb : bool
        Whether the channels are red, green and blue.
    half : bool
        Keep features in half precision, which does for normalised images.
    """

    channels: tuple[str, ...]
    statistics: Statistics | None = None
    rgb: bool = False
    half: bool = False

    @property
    def dtype(self) -> type[np.floating]:
        """Type in which features are kept."""
        return np.float16 if self.half else np.float32


@dataclass(frozen=True, eq=False)
class Piece:
    """What the features of one block are computed of.

    Parameters
    ----------
    raw : (C, z, y, x) array
        Pixel values of ``seen``, not normalised.
    seen : Box
        What ``Pipeline.sees(region, window)`` returned.
    region : Box
        Working pixels wanted, aligned with the pipeline's stride.
    window : Box
        What extractors with global context see.
    feed : Feed
        Channels and statistics.
    """

    raw: NDArray[Any]
    seen: Box
    region: Box
    window: Box
    feed: Feed


@dataclass(frozen=True)
class Part:
    """One extractor with its pyramid.

    Parameters
    ----------
    extractor : Extractor
        What computes the features.
    scalings : tuple of int
        Factors by which the working grid is reduced (block means) before extraction.
    order : int
        Interpolation between the cells of maps coarser than the working grid.
    equal_layers : bool
        Keep as many features of every layer as the smallest layer has (``fe_use_min_features``).
    """

    extractor: Extractor
    scalings: tuple[int, ...] = (1,)
    order: int = 0
    equal_layers: bool = False

    def __post_init__(self) -> None:
        """Check the combination of parameters."""
        if self.equal_layers and not hasattr(self.extractor, "features_per_layer"):
            raise ParameterError(
                f"fe_use_min_features=True needs an extractor with layers; "
                f"{type(self.extractor).__name__} has none. Set it to False."
            )

    @property
    def axes(self) -> str:
        """The axes that the extractor looks at, "yx" or "zyx"."""
        return axes_of(self.extractor)

    @property
    def halo(self) -> PerAxis:
        """Context of the extractor along z, y and x; none where it is global."""
        return halo_of(self.extractor) or NONE

    @property
    def stride(self) -> PerAxis:
        """Working pixels along z, y and x that blocks must be aligned with."""
        return lcm(*(self._cell(s) for s in self.scalings))

    def sized(self, voxel: Voxel | None) -> Part:
        """Return the part for images with voxels of that size along z, y and x, in µm."""
        adapt = getattr(self.extractor, "sized", None)
        return self if adapt is None else replace(self, extractor=adapt(voxel))

    def factor(self, scale: int) -> PerAxis:
        """Return a factor of the pyramid along z, y and x."""
        return (scale if self.axes == "zyx" else 1), scale, scale

    def _cell(self, scale: int) -> PerAxis:
        """Return the sides, in working pixels, of what the extractor takes as one at a scale."""
        return times(self.factor(scale), stride_of(self.extractor))

    @property
    def weight(self) -> float:
        """Features per working pixel of a one-channel image, as they are stored."""
        features = len(self.extractor.names(["channel"]))
        return sum(features / math.prod(self.factor(s)) for s in self.scalings)

    def names(self, feed: Feed) -> list[str]:
        """Return the names of the features, scale by scale."""
        base: list[str] = []
        series = self._series(feed)
        for channels in series:
            every = self.extractor.names(channels)
            names = [every[i] for i in self._kept(channels)]
            base += [f"{channels[0]}:{name}" for name in names] if len(series) > 1 else names
        return [f"{name}@{s}" if s > 1 else name for s in self.scalings for name in base]

    def sees(self, region: Box, window: Box) -> Box:
        """Return the working pixels the features of a region depend on."""
        if self.extractor.halo is None:
            return window
        return hull([self._with_halo(self._reached(region, s), s) for s in self.scalings])

    def compute(self, pieces: Sequence[Piece]) -> list[list[FeatureMap]]:
        """Return the maps of every piece, origins in working pixels of the whole grid."""
        values = [self._normalised(piece) for piece in pieces]
        found: list[list[FeatureMap]] = [[] for _ in pieces]
        for scale in self.scalings:
            fed = [self._fed(v, p, scale) for v, p in zip(values, pieces, strict=True)]
            half = scale == 1 and all(piece.feed.half for piece in pieces)
            maps = iter(self._extracted([block for blocks in fed for block in blocks], half))
            for piece, blocks, known in zip(pieces, fed, found, strict=True):
                area = self._area(piece, scale)
                own = [m for _ in blocks for m in self._trimmed(next(maps))]
                placed = (_placed(m, self.factor(scale), area, self.order) for m in own)
                known += [_cropped(m, piece.region) for m in placed]
        return found

    def _normalised(self, piece: Piece) -> NDArray[np.float32]:
        """Return the (C, z, y, x) values of what this part sees, as its extractor wants them."""
        seen = self.sees(piece.region, piece.window).relative(piece.seen)
        kind, feed = self.extractor.wants.normalisation, piece.feed
        return normalise(piece.raw[(..., *seen.index)], feed.statistics, kind, rgb=feed.rgb)

    def _area(self, piece: Piece, scale: int) -> Box:
        """Return what maps of one scale cover: the region, or the window."""
        if self.extractor.halo is None:
            return piece.window
        return self._reached(piece.region, scale)

    def _reached(self, region: Box, scale: int) -> Box:
        """Return the region with the cells that interpolation looks at."""
        cell = self._cell(scale)
        return region.aligned(cell).grown(_margin(cell, self.order))

    def _with_halo(self, area: Box, scale: int) -> Box:
        return area.grown(times(self.factor(scale), self.halo))

    def _series(self, feed: Feed) -> list[tuple[str, ...]]:
        """Return the groups of channels that go through the extractor together."""
        wants = self.extractor.wants
        channels = fed_channels(feed.channels, wants.normalisation, rgb=feed.rgb)
        if not channels:
            return []
        fits = wants.channels in (None, len(channels))
        if fits and (wants.normalisation != "imagenet" or wants.channels != 3 or feed.rgb):
            return [channels]
        return [(channel,) for channel in channels]

    def _fed(
        self, values: NDArray[np.float32], piece: Piece, scale: int
    ) -> list[NDArray[np.float32]]:
        """Return the blocks of one scale that go through the extractor."""
        seen = self.sees(piece.region, piece.window)
        needed = self._with_halo(self._area(piece, scale), scale).relative(seen)
        block = block_mean(values[(..., *needed.index)], self.factor(scale))
        wanted = self.extractor.wants.channels
        if len(self._series(piece.feed)) == 1 and wanted in (None, len(block)):
            return [block]
        return [np.broadcast_to(channel, (wanted or 1, *channel.shape)) for channel in block]

    def _extracted(
        self, blocks: Sequence[NDArray[np.float32]], half: bool
    ) -> Iterator[list[FeatureMap]]:
        """Yield the maps of volumes: of extractors of planes, those of all planes together."""
        if self.axes == "zyx":
            found = computed(self.extractor, blocks, half=half)
            yield from ([in_volume(m) for m in maps] for maps in found)
            return
        planes = [block[:, z] for block in blocks for z in range(block.shape[1])]
        maps = iter(computed(self.extractor, planes))
        for block in blocks:
            own = [[in_volume(m) for m in next(maps)] for _ in range(block.shape[1])]
            yield [_stacked(same) for same in zip(*own, strict=True)]

    def _kept(self, channels: Sequence[str]) -> list[int]:
        """Return the positions of the features that are kept."""
        if not self.equal_layers:
            return list(range(len(self.extractor.names(channels))))
        sizes: tuple[int, ...] = self.extractor.features_per_layer  # type: ignore[attr-defined]
        starts = np.cumsum([0, *sizes[:-1]])
        return [int(start) + i for start in starts for i in range(min(sizes))]

    def _trimmed(self, maps: list[FeatureMap]) -> list[FeatureMap]:
        if not self.equal_layers:
            return maps
        least = min(len(m.values) for m in maps)
        return [replace(m, values=m.values[:least]) for m in maps]


def lcm(*steps: PerAxis) -> PerAxis:
    """Return the least common multiples along every axis."""
    z, y, x = (math.lcm(*along) for along in zip(*steps, strict=True))
    return z, y, x


def times(a: PerAxis, b: PerAxis) -> PerAxis:
    """Return the products along every axis."""
    z, y, x = (m * n for m, n in zip(a, b, strict=True))
    return z, y, x


def _margin(cell: PerAxis, order: int) -> PerAxis:
    """Return how far interpolation between cells looks along every axis, in working pixels."""
    z, y, x = (n * reach(order) if n > 1 else 0 for n in cell)
    return z, y, x


def _stacked(maps: Sequence[FeatureMap]) -> FeatureMap:
    """Return the maps of planes as one of their volume."""
    if len(maps) == 1:
        return maps[0]
    mixes = tuple(mix for m in maps for mix in m.mixes)
    return replace(maps[0], values=np.concatenate([m.values for m in maps], axis=1), mixes=mixes)


def _placed(feature_map: FeatureMap, factor: PerAxis, area: Box, order: int) -> FeatureMap:
    """Return a map of a reduced block as one of the working grid."""
    assert isinstance(feature_map.step, tuple)
    first = (f * o for f, o in zip(factor, feature_map.origin, strict=True))
    origin = tuple(a + o for a, o in zip(area.start, first, strict=True))
    return replace(feature_map, step=times(feature_map.step, factor), origin=origin, order=order)


def _cropped(feature_map: FeatureMap, region: Box) -> FeatureMap:
    """Drop cells that neither lie in the region nor are needed to interpolate there."""
    step, sides = feature_map.step, feature_map.values.shape[1:]
    assert isinstance(step, tuple)
    ends = (o + n * s for o, n, s in zip(feature_map.origin, sides, step, strict=True))
    covered = Box.between(feature_map.origin, ends)
    kept = region.aligned(step).grown(_margin(step, feature_map.order)).clipped(covered)
    cells = kept.relative(covered).coarse(step)
    if cells == Box.of(sides):
        return feature_map
    values = feature_map.values[(..., *cells.index)].copy()
    mixes = feature_map.mixes[cells.index[0]]
    return replace(feature_map, values=values, origin=kept.start, mixes=mixes)
