"""Intention meets image: what is computed for one plane, decided before anything is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis
from stroma.blocks.grid import Block, lattice, parts, windows
from stroma.blocks.interpolate import reach
from stroma.blocks.working import WorkingGrid
from stroma.data.content import content, part_content
from stroma.data.image import Image
from stroma.data.missing import lacks_data, missing_pixels, note_missing
from stroma.data.statistics import Statistics, measure, require_numbers
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.features.part import Feed, Piece, lcm
from stroma.pixel.door import Source
from stroma.pixel.predicting.crf import REACH, SIDE, Field, field_of
from stroma.pixel.predicting.edges import GUIDE_REACH, Guide, guide_of, guided_reach
from stroma.pixel.predicting.joint import JOINT_REACH
from stroma.pixel.predicting.recipe import Recipe, sized

MAX_PROBABILITIES = 2**25
"""Probabilities of one block: pixels times classes."""

HALF_ABOVE = 2**16
"""Pixels of a plane above which features are kept in half precision, if it is normalised."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything needed to compute on one plane or volume, block by block.

    Parameters
    ----------
    image : Image
        One plane: axes c (perhaps), y, x; or one volume, with z.
    feed : Feed
        Channels and statistics.
    recipe : Recipe
        What is done.
    guide : Guide or None
        Along which edges probabilities are smoothed, or brought to pixels, if they are.
    field : Field or None
        What refines probabilities by what looks alike, if anything does.
    mean : tuple of float or None
        Values per channel that stand where there is no data; measured, unless given.
    """

    image: Image
    feed: Feed
    recipe: Recipe
    guide: Guide | None = None
    field: Field | None = None
    mean: tuple[float, ...] | None = None

    @cached_property
    def grid(self) -> WorkingGrid:
        """The working grid."""
        shape = (self.image.sizes.get("z", 1), self.image.sizes["y"], self.image.sizes["x"])
        return WorkingGrid(shape, self.recipe.factors)

    @cached_property
    def stride(self) -> PerAxis:
        """Working pixels that blocks are aligned with: whole cells of every map and pixel."""
        return lcm(self.recipe.pipeline.stride, self.grid.up)

    @cached_property
    def context(self) -> PerAxis:
        """Working pixels beyond a block's core that its result depends on, beside features."""
        grid = self.grid
        scales = zip(self.smoothing, grid.down, grid.up, strict=True)
        smoothing = [-(-radius // down) * up for radius, down, up in scales]
        coarse = self.recipe.pipeline.stride
        cells = JOINT_REACH if self.recipe.joint else reach(self.recipe.unpatch_order)
        patch = [n * cells if n > 1 else 0 for n in coarse]
        around = (0, self.looks_around, self.looks_around)
        z, y, x = map(sum, zip(smoothing, around, grid.margin, patch, strict=True))
        return z, y, x

    @property
    def looks_around(self) -> int:
        """Working pixels in a plane that smoothing and refining of probabilities look at."""
        return guided_reach(self.recipe.edges) + (REACH if self.field else 0)

    @property
    def smoothing(self) -> PerAxis:
        """Radius of the majority filter along z, y and x, in pixels of the image."""
        radius = self.recipe.smoothing
        return (radius if self.recipe.axes == "zyx" else 0), radius, radius

    def blocks(
        self, region: Box | None = None, *, classes: int = 1, across: str = "z"
    ) -> list[Block]:
        """Return the blocks that touch a region (pixels of the image), in reading order.

        Of a single plane of a volume, blocks are one working plane deep: they cost less, and hold
        what deeper blocks hold. Many classes make blocks smaller, so that their probabilities take
        bounded memory.

        Parameters
        ----------
        region : Box, optional
            What is wanted; everything unless given.
        classes : int
            How many classes there are.
        across : str
            "y" or "x" where the region is a plane across that axis: blocks are as thin as possible
            along it.
        """
        working = None if region is None else self.grid.cells(region)
        pixels = MAX_PROBABILITIES / classes / math.prod(self.grid.down)
        depth = self.grid.shape[0] if working is None else working.sides[0]
        if self.recipe.pipeline.is_global:
            return self._windows(working, depth, pixels, across)
        thin = across != "z" and not self.field
        pipe = self.recipe.pipeline
        deep, side = pipe.thin_sides if thin else pipe.block_sides(depth)[:2]
        if self.field:  # it sees whole planes, as far as possible
            deep, side = 1, max(side, SIDE)
        while deep > self.stride[0] and deep * side**2 > pixels:
            deep = max(1, deep // 2)
        while side > max(self.stride) and deep * side**2 > pixels:
            side //= 2
        high, wide = (1 if thin and across == axis else side for axis in "yx")
        sides = deep, high, wide
        return lattice(self.grid.shape, stride=self.stride, size=sides, region=working)

    def _windows(self, working: Box | None, depth: int, pixels: float, across: str) -> list[Block]:
        """Return blocks of extractors that see whole windows; across y or x, thin parts of them."""
        pipe = self.recipe.pipeline
        seen = None if pipe.is_global_along_z else pipe.block_sides(depth)[0]
        whole = windows(self.grid.shape, stride=self.stride, depth=seen, region=working)
        if working is not None and across != "z":
            slab = Box.of(self.grid.shape).spanning(
                across, working.aligned(self.stride).along(across)
            )
            whole = [Block(block.core.clipped(slab), block.window) for block in whole]
        return [part for block in whole for part in parts(block, self.stride, pixels)]

    def region(self, block: Block) -> Box:
        """Return the working pixels whose features a block holds: its core and some context."""
        whole = Box.of(self.grid.shape).aligned(self.stride)
        return block.core.grown(self.context).aligned(self.stride).clipped(whole)

    def features(self, block: Block, cache: FeatureCache) -> list[FeatureMap]:
        """Return the feature maps of a block, origins relative to ``region(block)``."""
        return features_of([(self, block)], cache)[0]

    def seen(self, block: Block) -> Box:
        """Return the working pixels that the features of a block depend on."""
        return self.recipe.pipeline.sees(self.region(block), block.window)

    def feature_bytes(self, block: Block) -> float:
        """Return about how many bytes the features of a block are."""
        values = self.recipe.pipeline.weight * len(self.feed.channels)
        return values * self.region(block).area * np.dtype(self.feed.dtype).itemsize

    def asked(self, block: Block) -> Asked:
        """Return the key under which the features of a block are kept."""
        seen, region = self.seen(block), self.region(block)
        known, raw = self._known(seen)
        place = (region.relative(seen), block.window.relative(seen))
        return Asked(self._key(known, *place), self, block, raw)

    def piece(self, asked: Asked) -> Piece:
        """Return what the features of a block are computed of."""
        seen, block = self.seen(asked.block), asked.block
        raw = self.raw(seen) if asked.raw is None else asked.raw
        return Piece(raw, seen, self.region(block), block.window, self.feed)

    def guide_values(self, box: Box, cache: FeatureCache) -> NDArray[np.float32]:
        """Return the (d, h, w) image whose edges are followed, on working pixels."""
        if self.guide is None:
            raise AssertionError("this plan follows no edges")
        around = box.grown(GUIDE_REACH).clipped(Box.of(self.grid.shape))
        known, raw = self._known(around)
        key = self._key(known, box.relative(around), self.guide)
        found = cache.find(key)
        if found is None:
            raw = self.raw(around) if raw is None else raw
            values = self.guide.values(raw, rgb=self.feed.rgb)
            found = [FeatureMap(values[None, *box.relative(around).index], origin=(0, 0, 0))]
            cache.keep(key, found)
        guide: NDArray[np.float32] = found[0].values[0]
        return guide

    def _known(self, seen: Box) -> tuple[str, NDArray[Any] | None]:
        """Return what identifies some working pixels, and them if they had to be read for it."""
        whole, place = content(self.image), f"{self.grid.factor} {seen}"
        if whole is not None:
            return f"{whole} {place}", None
        return part_content(self.image, place, lambda: self.raw(seen))

    def raw(self, seen: Box) -> NDArray[Any]:
        """Return the (C, d, h, w) values of working pixels, as they are in the image."""
        return self.grid.read(self._pixels, seen)

    def missing(self, box: Box) -> NDArray[np.bool_] | None:
        """Return which (d, h, w) pixels of the image hold no data; None where all in a box do.

        What is known of the image counts, so a box whose features were not computed yet, of an
        image that is read lazily, may seem whole.
        """
        return missing_pixels(self._read(box)) if lacks_data(self.image) else None

    def _read(self, box: Box) -> NDArray[Any]:
        """Return the (C, d, h, w) values of pixels of the image."""
        at = dict(zip("zyx", box.index, strict=True))
        values = self.image.read({a: part for a, part in at.items() if a in self.image.sizes})
        return values.reshape(-1, *box.sides)

    def _pixels(self, box: Box) -> NDArray[Any]:
        """Return values that features can be computed of: the mean where there is no data."""
        values = self._read(box)
        require_numbers(values, self.image.source)
        lacking = missing_pixels(values)
        if lacking is not None:
            note_missing(self.image)
            mean = np.array(self.known_mean, values.dtype)
            values = np.where(lacking, mean[:, None, None, None], values)
        exact_in_single = values.dtype.itemsize <= (4 if values.dtype.kind == "f" else 2)
        return values.astype(np.float32 if exact_in_single else np.float64)

    @property
    def known_mean(self) -> tuple[float, ...]:
        """What stands where there is no data, for every channel."""
        return self.mean or (self.feed.statistics or measure(self.image)).mean

    @cached_property
    def _pipeline_facts(self) -> tuple[Any, ...]:
        return self.recipe.pipeline, self.recipe.pipeline.provenance()

    def _key(self, *pixels: Any) -> str:
        facts = (pixels, self.feed, self._pipeline_facts)
        return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, eq=False)
class Asked:
    """The features of one block, asked for.

    Parameters
    ----------
    key : str
        What they depend on, as a digest.
    plan : Plan
        The block's plane.
    block : Block
        Which one.
    raw : array or None
        Its pixels, if they had to be read for the key.
    """

    key: str
    plan: Plan
    block: Block
    raw: NDArray[Any] | None


def features_of(
    blocks: Sequence[tuple[Plan, Block]], cache: FeatureCache
) -> list[list[FeatureMap]]:
    """Return the feature maps of blocks; those that the cache lacks are computed together.

    Parameters
    ----------
    blocks : sequence of (Plan, Block)
        All plans of one recipe.
    cache : FeatureCache
        Where maps are looked for, and kept.
    """
    asked = [current.asked(block) for current, block in blocks]
    found = {one.key: maps for one in asked if (maps := cache.find(one.key)) is not None}
    missing = {one.key: one for one in asked if one.key not in found}
    if missing:
        pipe = asked[0].plan.recipe.pipeline
        computed = pipe.compute([one.plan.piece(one) for one in missing.values()])
        for key, maps in zip(missing, computed, strict=True):
            cache.keep(key, maps)
            found[key] = maps
    return [found[one.key] for one in asked]


def plan(
    source: Source, position: dict[str, int], recipe: Recipe, pooled: Statistics | None = None
) -> Plan:
    """Return the plan for one plane, or volume, of an image.

    Parameters
    ----------
    source : Source
        The image.
    position : dict of str to int
        Which one, by position along t and z as far as present; see ``Recipe.parts``.
    recipe : Recipe
        What is to be done.
    pooled : Statistics, optional
        Statistics to normalise by instead of the image's own.
    """
    part = source.image.at(**position)
    recipe = sized(recipe, source.voxel if recipe.axes == "zyx" else None)
    statistics = None if recipe.normalize == 1 else (pooled or own_statistics(source, recipe, part))
    large = math.prod(part.sizes.get(a, 1) for a in "zyx") > HALF_ABOVE
    half = large and statistics is not None and not recipe.exact
    feed = Feed(source.channels, statistics, source.rgb, half)
    guided = recipe.edges or recipe.joint
    if not guided and not recipe.crf:
        return Plan(part, feed, recipe)
    known = statistics or own_statistics(source, recipe, part)
    cells = math.prod(max(1, f) for f in recipe.factors)
    guide = guide_of(known, cells**0.5, rgb=source.rgb) if guided else None
    return Plan(part, feed, recipe, guide, field_of(known, recipe.crf) if recipe.crf else None)


def own_statistics(source: Source, recipe: Recipe, plane: Image) -> Statistics:
    """Return the statistics of the whole that a plane, or volume, is normalised by.

    They are those of the whole the image came from, so that a crop or one plane of a stack is
    treated as part of its image.
    """
    whole = source.image.whole
    cut = {a: i for a, i in source.image.selection.items() if a == "c"}
    if recipe.normalize == 3:
        cut |= {a: i for a, i in plane.selection.items() if a in "tz"}
    return measure(whole.at(**cut) if cut else whole, rgb=source.rgb)
