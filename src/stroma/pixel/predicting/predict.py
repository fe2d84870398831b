"""The result of one block: probabilities and labels, from its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis
from stroma.blocks.interpolate import interpolate
from stroma.blocks.result import BlockResult as BlockResult
from stroma.classify.contract import Classifier
from stroma.classify.maps import predict_maps
from stroma.data.statistics import Statistics
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap, in_volume
from stroma.features.pipeline import finest_cells, grid_step
from stroma.pixel.predicting.edges import guided
from stroma.pixel.predicting.joint import Joint
from stroma.pixel.predicting.plan import Plan
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.tasks import Task

VALUES_AT_ONCE = 1 << 25
"""Features of pixels that are made of cells at once, where pixels are classified."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What prediction needs of a model; nothing in it changes.

    Parameters
    ----------
    recipe : Recipe
        From pixels to features.
    classifier : Classifier
        Fitted.
    statistics : Statistics or None
        Those to normalise by, instead of each image's own.
    """

    recipe: Recipe
    classifier: Classifier
    statistics: Statistics | None = None


def results_of(
    task: Task,
    maps: Sequence[FeatureMap],
    trained: Trained,
    cache: FeatureCache,
    *,
    coarse: int,
) -> list[BlockResult]:
    """Return the results of one block, whose features are given: one for each of its planes."""
    box = task.pixels
    if coarse > 1:
        probabilities = coarse_probabilities(task, maps, trained.classifier, coarse)
        best: NDArray[np.integer] = most_probable(probabilities)
    else:
        radius = task.plan.smoothing
        around = box.grown(radius).clipped(task.plan.grid.whole)
        wide = probabilities_in(task, maps, around, trained.classifier, cache)
        inner = box.relative(around).index
        best = majority(most_probable(wide), radius, lacking=task.plan.missing(around))[inner]
        probabilities = wide[(..., *inner)]
    classes = trained.classifier.classes_
    labels = classes.astype(label_dtype(classes))[best]
    lacking = task.plan.missing(box)
    if lacking is not None:
        none = lacking if coarse == 1 else lacking[(slice(None), *_middles(box, coarse))]
        labels[none] = 0
        probabilities = np.where(none, np.float32(0), probabilities)
    rows, columns = box.slices
    deep = "z" in task.plan.image.sizes
    return [
        BlockResult(
            {**task.position, "z": box.front + z} if deep else task.position,
            rows,
            columns,
            probabilities[:, z],
            labels[z],
            coarse,
            0,
            0,
        )
        for z in range(box.sides[0])
    ]


def label_dtype(classes: NDArray[np.int64]) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type that keeps all labels: uint8 or uint16."""
    return np.uint8 if classes.max() <= 255 else np.uint16


def probabilities_in(
    task: Task,
    maps: Sequence[FeatureMap],
    box: Box,
    classifier: Classifier,
    cache: FeatureCache,
) -> NDArray[np.float32]:
    """Return the (K, d, h, w) probabilities of pixels of the image in and around a block.

    Parameters
    ----------
    task : Task
        The block.
    maps : sequence of FeatureMap
        Its features.
    box : Box
        Pixels of the image; at most the block's core and what its context covers.
    classifier : Classifier
        Fitted.
    cache : FeatureCache
        Where the edges are kept along which probabilities are smoothed.
    """
    current, grid = task.plan, task.plan.grid
    whole = Box.of(grid.shape)
    working = grid.cells(box).grown(grid.margin).clipped(whole)
    around = working.grown(current.looks_around).clipped(whole)
    values = _on_working_grid(task, maps, around, classifier, cache)
    if current.field is None and not current.recipe.edges:
        return grid.restore(values, around, box)
    refined = [_refined(values[:, z], z, task, around, cache) for z in range(around.sides[0])]
    inner = np.stack(refined, axis=1)[(..., *working.relative(around).index)]
    return grid.restore(inner, working, box)


def _refined(
    values: NDArray[np.float32], z: int, task: Task, box: Box, cache: FeatureCache
) -> NDArray[np.float32]:
    """Return the (K, h, w) probabilities of a plane of a box, refined by the image there."""
    current, plane = task.plan, replace(box, front=box.front + z, back=box.front + z + 1)
    if current.field is not None:
        values = current.field.refine(values, current.raw(plane)[:, 0])
    if current.guide is not None and current.recipe.edges:
        guide, noise = current.guide_values(plane, cache)[0], current.guide.softness
        values = guided(values, guide, radius=current.recipe.edges, softness=noise)
    return values


def _on_working_grid(
    task: Task,
    maps: Sequence[FeatureMap],
    working: Box,
    classifier: Classifier,
    cache: FeatureCache,
) -> NDArray[np.float32]:
    current, region, step = task.plan, task.plan.region(task.block), grid_step(maps)
    if current.recipe.joint:
        step = finest_cells(maps)
    if max(step) == 1:
        return classify(maps, working.relative(region), classifier)
    cells = region.clipped(Box.of(current.grid.shape).aligned(step)).coarse(step)
    values = classify([on_grid(m, step) for m in maps], Box.of(cells.sides), classifier)
    place = cells.scaled(step)
    if current.recipe.joint and max(step[1:]) > 1:
        return _along_edges(values, place, step, maps, current, working, cache)
    order = current.recipe.unpatch_order
    return interpolate(values, working, step=step, origin=place.start, order=order)


def _along_edges(
    values: NDArray[np.float32],
    place: Box,
    step: PerAxis,
    maps: Sequence[FeatureMap],
    current: Plan,
    working: Box,
    cache: FeatureCache,
) -> NDArray[np.float32]:
    """Return the probabilities of working pixels from those of cells, with the image as guide."""
    assert current.guide is not None
    coarsest = max(max(in_volume(m).step[1:]) for m in maps)  # type: ignore[index]
    joint = Joint.of(step[1], coarsest, current.guide.softness)
    inside = replace(place, front=working.front, back=working.back)
    inside = inside.clipped(Box.of(current.grid.shape))
    guide = current.guide_values(inside, cache)
    first = working.top - place.top, working.left - place.left
    planes = [
        joint.upsample(
            values[:, (z - place.front) // step[0]],
            guide[z - working.front],
            first=first,
            shape=working.shape,
        )
        for z in range(working.front, working.back)
    ]
    return np.stack(planes, axis=1)


def on_grid(feature_map: FeatureMap, step: PerAxis) -> FeatureMap:
    """Return a map as one whose pixels are the cells of a coarser grid."""
    known = in_volume(feature_map)
    assert isinstance(known.step, tuple)
    z, y, x = (own // cell for own, cell in zip(known.step, step, strict=True))
    origin = tuple(o // s for o, s in zip(known.origin, step, strict=True))
    return replace(known, step=(z, y, x), origin=origin)


def classify(maps: Sequence[FeatureMap], box: Box, classifier: Classifier) -> NDArray[np.float32]:
    """Return the (K, d, h, w) probabilities in a box, in pixels like the maps' origins."""
    if not any(map(_made_of_cells, maps)):
        return predict_maps(classifier, maps, box.index)
    rows = max(1, VALUES_AT_ONCE // (sum(m.features for m in maps) * box.area // box.shape[0]))
    parts = []
    for top in range(box.top, box.bottom, rows):
        part = replace(box, top=top, bottom=min(top + rows, box.bottom))
        ready = [_dense_map(m, part) if _made_of_cells(m) else m for m in maps]
        parts.append(predict_maps(classifier, ready, part.index))
    return np.concatenate(parts, axis=2)


def _made_of_cells(feature_map: FeatureMap) -> bool:
    """Tell whether the features of a pixel are made of several cells, not those of its own."""
    between = feature_map.order > 0 and feature_map.step != (1, 1, 1)
    return between or bool(feature_map.mixes)


def _dense_map(feature_map: FeatureMap, box: Box) -> FeatureMap:
    """Return a map whose values are to be made of cells as one that has them at every pixel."""
    return FeatureMap(feature_map.dense(box), (1, 1, 1), box.start)


def dense(maps: Sequence[FeatureMap], box: Box) -> NDArray[np.floating]:
    """Return the (F, d, h, w) features in a box."""
    return np.concatenate([m.dense(box) for m in maps])


def coarse_probabilities(
    task: Task, maps: Sequence[FeatureMap], classifier: Classifier, every: int
) -> NDArray[np.float32]:
    """Return the probabilities at the centres of squares of ``every`` x ``every`` pixels."""
    grid, box = task.plan.grid, task.pixels
    planes = np.arange(box.front, box.back)
    rows, columns = _middles(box, every)
    rows, columns = rows.ravel() + box.top, columns.ravel() + box.left
    pixels = np.stack(np.meshgrid(planes, rows, columns, indexing="ij"), -1).reshape(-1, 3)
    working = pixels // np.array(grid.down) * np.array(grid.up)
    X = features_at(task, maps, working)
    shape = len(planes), len(rows), len(columns)
    return classifier.predict_proba(X).T.reshape(-1, *shape)


def _middles(box: Box, every: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the (h, 1) rows and (1, w) columns, within a box, of the centres of squares."""
    height, width = box.shape
    rows = np.minimum(np.arange(0, height, every) + every // 2, height - 1)
    columns = np.minimum(np.arange(0, width, every) + every // 2, width - 1)
    return rows[:, None], columns[None]


def features_at(
    task: Task, maps: Sequence[FeatureMap], zyx: NDArray[np.intp]
) -> NDArray[np.floating]:
    """Return the (n, F) features of working pixels in a block, as the classifier sees them."""
    points = zyx - np.array(task.plan.region(task.block).start)
    on_patches = max(grid_step(maps)) > 1
    columns = [m.sample(points, order=0 if on_patches else m.order) for m in maps]
    return np.concatenate(columns, axis=1)


def most_probable(probabilities: NDArray[np.float32]) -> NDArray[np.unsignedinteger[Any]]:
    """Return the positions of the greatest of (K, d, h, w) probabilities, of equals the first.

    Some times faster than numpy's argmax along the first axis.
    """
    best = np.zeros(probabilities.shape[1:], np.uint8 if len(probabilities) <= 256 else np.uint16)
    most = probabilities[0].copy()
    for k, plane in enumerate(probabilities[1:], 1):
        np.copyto(best, k, where=plane > most)
        np.maximum(most, plane, out=most)
    return best


def majority(
    classes: NDArray[np.integer],
    radius: PerAxis,
    *,
    lacking: NDArray[np.bool_] | None = None,
) -> NDArray[np.integer]:
    """Return the most frequent class in a ball around every pixel, the smallest of equals.

    Only pixels inside the array count, and of these those that are not ``lacking``. Radii of 0
    change nothing; one along z of 0 makes the ball a disk in each plane.
    """
    if max(radius) == 0:
        return classes
    from skimage.filters.rank import majority as rank_majority

    dtype = np.uint8 if classes.max() <= 255 else np.uint16
    ball, counted = _ball(radius), None if lacking is None else (~lacking).astype(np.uint8)
    if len(ball) == 1:
        masks = [None] * len(classes) if counted is None else list(counted)
        pairs = zip(classes, masks, strict=True)
        return np.stack([rank_majority(c.astype(dtype), ball[0], mask=m) for c, m in pairs])
    result: NDArray[np.integer] = rank_majority(classes.astype(dtype), ball, mask=counted)
    return result


def _ball(radius: PerAxis) -> NDArray[np.uint8]:
    """Return which pixels lie in a ball with a radius along every axis."""
    away = np.indices([2 * r + 1 for r in radius]) - np.array(radius)[:, None, None, None]
    size = np.maximum(radius, 1)[:, None, None, None]
    ball: NDArray[np.uint8] = (np.square(away / size).sum(axis=0) <= 1).astype(np.uint8)
    return ball
