"""Features as images, for people and scripts that want to see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis
from stroma.blocks.grid import Block
from stroma.blocks.run import run
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.features.pipeline import grid_step
from stroma.pixel.door import Source
from stroma.pixel.predicting.plan import Plan, plan
from stroma.pixel.predicting.predict import dense, on_grid
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.training.learn import Labelled, marked

Array = NDArray[Any]


def feature_image(source: Source, recipe: Recipe) -> NDArray[np.float32]:
    """Return the (F, z, y, x) or (F, y, x) features at every pixel of an image."""
    parts = recipe.parts(source)
    features = len(recipe.pipeline.names(plan(source, parts[0], recipe).feed))
    result = np.empty((features, *source.shape), np.float32)
    for position in parts:
        current = plan(source, position, recipe)
        deep = "z" in current.image.sizes
        for box, values in feature_blocks(current):
            place = box.index if deep else box.slices
            result[(slice(None), *position.values(), *place)] = values if deep else values[:, 0]
    return result


def feature_blocks(current: Plan) -> Iterator[tuple[Box, Array]]:
    """Yield the features of every block at the resolution of the image.

    Yields
    ------
    Box, (F, d, h, w) float32 array
        Which pixels of the plane or volume, and their features.
    """
    cache, grid = FeatureCache(0), current.grid

    def one(block: Block) -> tuple[Box, Array]:
        maps, region = current.features(block, cache), current.region(block)
        box = grid.pixels(block.core)
        working = grid.cells(box).grown(grid.margin).clipped(Box.of(grid.shape))
        if max(grid_step(maps)) > 1:
            order = current.recipe.unpatch_order
            maps = [m.with_order(order) for m in maps]
        return box, grid.restore(dense(maps, working.relative(region)), working, box)

    yield from run(one, current.blocks())


def native_features(source: Source, recipe: Recipe) -> NDArray[np.float32]:
    """Return the (F, z, h, w) features of the grid that is classified, plane by plane."""
    parts = [native_part(plan(source, position, recipe)) for position in recipe.parts(source)]
    return np.concatenate([values for values, _ in parts], axis=1)


def native_part(current: Plan) -> tuple[NDArray[np.float32], PerAxis]:
    """Return the (F, d, h, w) features of a plane or volume, and the sides of a cell.

    These are working pixels along z, y and x.
    """
    cache, result = FeatureCache(0), np.zeros(0, np.float32)
    step: PerAxis = (1, 1, 1)
    for block in current.blocks():
        maps, region = current.features(block, cache), current.region(block)
        step = grid_step(maps)
        values, cells = _native(maps, region, block.core, step)
        if not result.size:
            shape = (len(values), *Box.of(current.grid.shape).coarse(step).sides)
            result = np.zeros(shape, np.float32)
        result[(..., *cells.index)] = values
    return result, step


def _native(maps: Sequence[FeatureMap], region: Box, core: Box, step: PerAxis) -> tuple[Array, Box]:
    cells = core.coarse(step)
    if max(step) == 1:
        return dense(maps, core.relative(region)), cells
    return dense([on_grid(m, step) for m in maps], cells.relative(region.coarse(step))), cells


def labelled_features(
    strokes: Mapping[str, Labelled], recipe: Recipe
) -> tuple[list[Array], list[Array], list[Array], list[str], int]:
    """Return the planes that have labels: features, labels, coordinates, image names, and scale."""
    features: list[Array] = []
    labels: list[Array] = []
    coordinates: list[Array] = []
    names: list[str] = []
    for name, (source, points) in strokes.items():
        here = marked(points, recipe, source)
        for index in np.unique(here.part):
            values, step = native_part(plan(source, recipe.parts(source)[index], recipe))
            chosen = here.part == index
            cells = here.zyx[chosen] // np.array(step)
            painted = np.zeros(values.shape[1:], np.uint16)
            painted[tuple(cells.T)] = here.label[chosen]
            for z in np.unique(cells[:, 0]):
                y, x = np.indices(painted.shape[1:])
                place = np.full_like(y, index * here.depth + z * step[0])
                features.append(values[:, z : z + 1])
                labels.append(painted[z : z + 1])
                coordinates.append(np.stack([place, y * step[1], x * step[2]])[:, None])
                names.append(name)
    return features, labels, coordinates, names, recipe.factors[2]
