"""The result of one block: probabilities and labels, from its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.blocks.interpolate import interpolate, sample
from stroma.blocks.result import BlockResult as BlockResult
from stroma.classify.contract import Classifier
from stroma.classify.maps import predict_maps
from stroma.data.statistics import Statistics
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.features.pipeline import grid_step
from stroma.pixel.predicting.edges import guided
from stroma.pixel.predicting.plan import Plan, Recipe
from stroma.pixel.predicting.tasks import Task


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


def result_of(
    task: Task,
    maps: Sequence[FeatureMap],
    trained: Trained,
    cache: FeatureCache,
    *,
    coarse: int,
    done: int,
    total: int,
) -> BlockResult:
    """Return the result of one block, whose features are given."""
    box = task.plan.grid.pixels(task.block.core)
    if coarse > 1:
        probabilities = coarse_probabilities(task, maps, trained.classifier, coarse)
        best: NDArray[np.integer] = most_probable(probabilities)
    else:
        around = box.grown(task.plan.recipe.smoothing).clipped(Box.of(task.plan.grid.image_shape))
        wide = probabilities_in(task, maps, around, trained.classifier, cache)
        inner = box.relative(around).slices
        best = majority(most_probable(wide), task.plan.recipe.smoothing)[inner]
        probabilities = wide[(..., *inner)]
    classes = trained.classifier.classes_
    labels = classes.astype(label_dtype(classes))[best]
    rows, columns = box.slices
    return BlockResult(task.position, rows, columns, probabilities, labels, coarse, done, total)


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
    """Return the (K, h, w) probabilities of pixels of the image in and around a block.

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
    values = _on_working_grid(task, maps, around, classifier)
    if current.field is not None:
        values = current.field.refine(values, current.raw(around))
    if current.guide is not None:
        guide, noise = current.guide_values(around, cache), current.guide.softness
        values = guided(values, guide, radius=current.recipe.edges, softness=noise)
    return grid.restore(values[(..., *working.relative(around).slices)], working, box)


def _on_working_grid(
    task: Task, maps: Sequence[FeatureMap], working: Box, classifier: Classifier
) -> NDArray[np.float32]:
    region, step = task.plan.region(task.block), grid_step(maps)
    if step > 1:
        return _on_patches(maps, region, task.plan, classifier, step, working)
    return classify(maps, working.relative(region), classifier)


def _on_patches(
    maps: Sequence[FeatureMap],
    region: Box,
    current: Plan,
    classifier: Classifier,
    step: int,
    working: Box,
) -> NDArray[np.float32]:
    """Classify whole patches, and find the probabilities of pixels between their centres."""
    cells = region.clipped(Box.of(current.grid.shape).aligned(step)).coarse(step)
    origin = (cells.top * step, cells.left * step)
    on_cells = [
        FeatureMap(m.values, origin=((m.origin[0]) // step, (m.origin[1]) // step)) for m in maps
    ]
    values = classify(on_cells, Box.of(cells.shape), classifier)
    return interpolate(
        values, working, step=step, origin=origin, order=current.recipe.unpatch_order
    )


def classify(maps: Sequence[FeatureMap], box: Box, classifier: Classifier) -> NDArray[np.float32]:
    """Return the (K, h, w) probabilities in a box, in pixels from where the maps' origins count."""
    ready = [m if m.order == 0 or m.step == 1 else _dense_map(m, box) for m in maps]
    return predict_maps(classifier, ready, box.slices)


def _dense_map(feature_map: FeatureMap, box: Box) -> FeatureMap:
    """Return a map whose values are to be interpolated as one that has them at every pixel."""
    return FeatureMap(dense([feature_map], box), origin=(box.top, box.left))


def dense(maps: Sequence[FeatureMap], box: Box) -> NDArray[np.floating]:
    """Return the (F, h, w) features in a box."""
    return np.concatenate(
        [interpolate(m.values, box, step=m.step, origin=m.origin, order=m.order) for m in maps]
    )


def coarse_probabilities(
    task: Task, maps: Sequence[FeatureMap], classifier: Classifier, every: int
) -> NDArray[np.float32]:
    """Return the probabilities at the centres of squares of ``every`` x ``every`` pixels."""
    grid = task.plan.grid
    box = grid.pixels(task.block.core)
    rows = np.minimum(np.arange(box.top, box.bottom, every) + every // 2, box.bottom - 1)
    columns = np.minimum(np.arange(box.left, box.right, every) + every // 2, box.right - 1)
    pixels = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    working = pixels // grid.down * grid.up
    X = features_at(task, maps, working)
    return classifier.predict_proba(X).T.reshape(-1, len(rows), len(columns))


def features_at(
    task: Task, maps: Sequence[FeatureMap], yx: NDArray[np.intp]
) -> NDArray[np.floating]:
    """Return the (n, F) features of working pixels in a block, as the classifier sees them."""
    region = task.plan.region(task.block)
    points = yx - np.array([region.top, region.left])
    on_patches = grid_step(maps) > 1
    columns = [
        sample(m.values, points, step=m.step, origin=m.origin, order=0 if on_patches else m.order)
        for m in maps
    ]
    return np.concatenate(columns, axis=1)


def most_probable(probabilities: NDArray[np.float32]) -> NDArray[np.unsignedinteger[Any]]:
    """Return the (h, w) positions of the greatest of (K, h, w) probabilities, of equals the first.

    Some times faster than numpy's argmax along the first axis.
    """
    best = np.zeros(probabilities.shape[1:], np.uint8 if len(probabilities) <= 256 else np.uint16)
    most = probabilities[0].copy()
    for k, plane in enumerate(probabilities[1:], 1):
        np.copyto(best, k, where=plane > most)
        np.maximum(most, plane, out=most)
    return best


def majority(classes: NDArray[np.integer], radius: int) -> NDArray[np.integer]:
    """Return the most frequent class in a disk around every pixel, the smallest of equals.

    Only pixels inside the array count. A radius of 0 changes nothing.
    """
    if radius == 0:
        return classes
    from skimage.filters.rank import majority as rank_majority
    from skimage.morphology import disk

    dtype = np.uint8 if classes.max() <= 255 else np.uint16
    result: NDArray[np.integer] = rank_majority(classes.astype(dtype), disk(radius))
    return result
