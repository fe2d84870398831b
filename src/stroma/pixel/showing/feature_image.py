"""Features as images, for people and scripts that want to see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.blocks.grid import Block
from stroma.blocks.interpolate import interpolate
from stroma.blocks.run import run
from stroma.features.cache import FeatureCache
from stroma.features.pipeline import grid_step
from stroma.pixel.door import Source
from stroma.pixel.predicting.plan import Plan, Recipe, plan
from stroma.pixel.predicting.predict import dense
from stroma.pixel.training.learn import Labelled, marked

Array = NDArray[Any]


def feature_image(source: Source, recipe: Recipe) -> NDArray[np.float32]:
    """Return the (F, z, y, x) or (F, y, x) features at every pixel of an image."""
    features = len(recipe.pipeline.names(plan(source, source.positions[0], recipe).feed))
    result = np.empty((features, *source.shape), np.float32)
    for position in source.positions:
        current = plan(source, position, recipe)
        for box, values in _blocks(current):
            index: tuple[int | slice, ...] = (slice(None), *position.values(), *box.slices)
            result[index] = values
    return result


def _blocks(current: Plan) -> Iterator[tuple[Box, Array]]:
    """Yield the features of every block at the resolution of the image."""
    cache, grid = FeatureCache(0), current.grid

    def one(block: Block) -> tuple[Box, Array]:
        maps, region = current.features(block, cache), current.region(block)
        box = grid.pixels(block.core)
        working = grid.cells(box).grown(grid.margin).clipped(Box.of(grid.shape))
        if grid_step(maps) > 1:
            order = current.recipe.unpatch_order
            maps = [m.with_order(order) for m in maps]
        return box, grid.restore(dense(maps, working.relative(region)), working, box)

    yield from run(one, current.blocks())


def native_features(source: Source, recipe: Recipe) -> NDArray[np.float32]:
    """Return the (F, z, h, w) features of the grid that is classified, plane by plane."""
    planes = [native_plane(plan(source, position, recipe)) for position in source.positions]
    return np.stack([values for values, _ in planes], axis=1)


def native_plane(current: Plan) -> tuple[NDArray[np.float32], int]:
    """Return the (F, h, w) features of one plane, and the working pixels per cell of their grid."""
    cache, result, step = FeatureCache(0), np.zeros(0, np.float32), 1
    for block in current.blocks():
        maps, region = current.features(block, cache), current.region(block)
        step = grid_step(maps)
        values, cells = _native(maps, region, block.core, step)
        if not result.size:
            shape = (len(values), *Box.of(current.grid.shape).coarse(step).shape)
            result = np.zeros(shape, np.float32)
        result[(..., *cells.slices)] = values
    return result, step


def _native(maps: Any, region: Box, core: Box, step: int) -> tuple[Array, Box]:
    cells = core.coarse(step)
    if step == 1:
        return dense(maps, core.relative(region)), cells
    start = region.coarse(step)
    nearest = [
        interpolate(m.values, cells.relative(start), step=1, origin=_cell_origin(m, step))
        for m in maps
    ]
    return np.concatenate(nearest), cells


def _cell_origin(feature_map: Any, step: int) -> tuple[int, int]:
    return feature_map.origin[0] // step, feature_map.origin[1] // step


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
        for index in np.unique(here.plane):
            values, step = native_plane(plan(source, source.positions[index], recipe))
            chosen = here.plane == index
            cells = here.yx[chosen] // step
            painted = np.zeros(values.shape[1:], np.uint16)
            painted[cells[:, 0], cells[:, 1]] = here.label[chosen]
            y, x = np.indices(painted.shape)
            features.append(values[:, None])
            labels.append(painted[None])
            coordinates.append(np.stack([np.full_like(y, index), y * step, x * step])[:, None])
            names.append(name)
    return features, labels, coordinates, names, recipe.factor
