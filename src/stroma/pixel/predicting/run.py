"""Results block by block: of one plane after the other, in threads or on dask's workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import dist
from typing import Any

from stroma.blocks.box import Box
from stroma.data.statistics import Statistics
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.pixel.door import Source
from stroma.pixel.predicting.contract import Model
from stroma.pixel.predicting.plan import plan
from stroma.pixel.predicting.predict import BlockResult, Trained, results_of
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.tasks import Task, each


def tasks_of(
    source: Source,
    trained: Trained,
    *,
    positions: Sequence[dict[str, int]] | None = None,
    region: Box | None = None,
    first: tuple[float, float] | None = None,
) -> list[Task]:
    """Return the blocks of an image, plane by plane; parameters as for `blocks_of`."""
    return tasks_under(
        source,
        trained.recipe,
        trained.statistics,
        classes=len(trained.classifier.classes_),
        positions=positions,
        region=region,
        first=first,
    )


def tasks_under(
    source: Source,
    recipe: Recipe,
    statistics: Statistics | None,
    *,
    classes: int = 1,
    positions: Sequence[dict[str, int]] | None = None,
    region: Box | None = None,
    first: tuple[float, float] | None = None,
) -> list[Task]:
    """Return the blocks of an image; there need not be a model yet.

    Parameters
    ----------
    source : Source
        The image.
    recipe : Recipe
        From pixels to features.
    statistics : Statistics or None
        Those to normalise by, instead of the image's own.
    classes : int
        How many classes there are.
    positions, region, first
        As for `blocks_of`.
    """
    tasks = []
    for position, box in _wanted(source, recipe, positions, region):
        current = plan(source, position, recipe, statistics)
        blocks = current.blocks(box, classes=classes)
        if first is not None:
            blocks = sorted(blocks, key=lambda b: dist(current.grid.pixels(b.core).middle, first))
        wanted = None
        if box is not None and positions is not None and "z" in current.image.sizes:
            wanted = replace(current.grid.whole, front=box.front, back=box.back)
        tasks += [Task(position, current, b, wanted) for b in blocks]
    return tasks


def _wanted(
    source: Source, recipe: Recipe, positions: Sequence[dict[str, int]] | None, region: Box | None
) -> Iterator[tuple[dict[str, int], Box | None]]:
    """Yield the planes or volumes to predict, each with what is wanted of it.

    Planes of a volume are asked for one by one, or as neighbours, that come in deeper blocks.
    """
    if positions is None or recipe.axes == "yx" or "z" not in source.image.sizes:
        yield from ((position, region) for position in positions or recipe.parts(source))
        return
    flat = region or Box.of(source.plane_shape)
    for position in positions:
        part = {a: i for a, i in position.items() if a != "z"}
        ends = (position["z"], position["z"] + 1) if "z" in position else (0, source.depth)
        yield part, replace(flat, front=ends[0], back=ends[1])


def blocks_of(
    source: Source,
    trained: Trained,
    cache: FeatureCache,
    *,
    positions: Sequence[dict[str, int]] | None = None,
    region: Box | None = None,
    coarse: int = 1,
    first: tuple[float, float] | None = None,
    workers: int | None = None,
    use_dask: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[BlockResult]:
    """Yield the results of the blocks of an image, as they become ready, in a fixed order.

    Parameters
    ----------
    source : Source
        The image.
    trained : Trained
        The model.
    cache : FeatureCache
        Where features are kept between calls.
    positions : sequence of dict, optional
        Planes to predict, by position along t and z; all, unless given.
    region : Box, optional
        Only blocks that touch these pixels; of volumes, its front and back count where no planes
        are given.
    coarse : int
        Classify only every ``coarse``-th pixel along each axis.
    first : (float, float), optional
        Row and column near which to start; reading order unless given.
    workers : int, optional
        Threads.
    use_dask : bool
        Run on the workers of dask.distributed instead of threads.
    cancel : callable, optional
        Asked before every block.
    """
    tasks = tasks_of(source, trained, positions=positions, region=region, first=first)
    yield from run_tasks(
        tasks, trained, cache, coarse=coarse, workers=workers, use_dask=use_dask, cancel=cancel
    )


def run_tasks(
    tasks: Sequence[Task],
    trained: Trained,
    cache: FeatureCache,
    *,
    coarse: int = 1,
    workers: int | None = None,
    use_dask: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[BlockResult]:
    """Yield the results of given blocks, in their order; parameters as for `blocks_of`."""
    if use_dask:
        from stroma.pixel.predicting.remote import computed  # dask is loaded only when used

        yield from counted(computed(tasks, trained, coarse, cancel), tasks)
        return

    def one(number: int, task: Task, maps: Sequence[FeatureMap]) -> list[BlockResult]:
        return results_of(task, maps, trained, cache, coarse=coarse)

    yield from counted(each(one, tasks, cache, workers=workers, cancel=cancel), tasks)


def counted(results: Iterable[list[BlockResult]], tasks: Sequence[Task]) -> Iterator[BlockResult]:
    """Yield the results of blocks one by one, saying how many are ready and that there are."""
    total = sum(task.pixels.sides[0] for task in tasks)
    for done, result in enumerate((one for block in results for one in block), 1):
        yield replace(result, done=done, total=total)


def predict_blocks(
    model: Model,
    image: Any,
    *,
    region: Box | None = None,
    coarse: int = 1,
    use_dask: bool = False,
    cancel: Callable[[], bool] | None = None,
    skip_norm: bool = False,
) -> Iterator[BlockResult]:
    """Yield the results of a model block by block, for images of any size.

    Parameters
    ----------
    model : ConvpaintModel
        Trained.
    image : array-like, Image or path
        One image.
    region, coarse, use_dask, cancel
        As for ``blocks_of``.
    skip_norm : bool
        Take the pixel values as they are.
    """
    source, trained = model.open(image), model.trained(skip_norm=skip_norm)
    yield from blocks_of(
        source,
        trained,
        model.cache,
        region=region,
        coarse=coarse,
        use_dask=use_dask,
        cancel=cancel,
    )
