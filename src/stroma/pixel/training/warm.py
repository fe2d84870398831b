"""Computing features ahead of their use: block by block, so that it can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from stroma.data.statistics import Statistics
from stroma.features.cache import FeatureCache
from stroma.pixel.door import Points, Source
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.tasks import Task, each
from stroma.pixel.training.learn import holders, marked


def tasks_at(
    source: Source, points: Points, recipe: Recipe, statistics: Statistics | None = None
) -> list[Task]:
    """Return the blocks whose features training on labelled pixels needs.

    Parameters
    ----------
    source : Source
        The image.
    points : Points
        Its labelled pixels.
    recipe : Recipe
        From pixels to features.
    statistics : Statistics, optional
        Those to normalise by, instead of the image's own.
    """
    working = marked(points, recipe, source)
    return [task for task, _ in holders(source, working, recipe, statistics)]


def warm(
    tasks: Sequence[Task], cache: FeatureCache, *, cancel: Callable[[], bool] | None = None
) -> Iterator[int]:
    """Compute the features of blocks into a cache, and yield how many are done.

    Parameters
    ----------
    tasks : sequence of Task
        The blocks.
    cache : FeatureCache
        Where they are kept.
    cancel : callable, optional
        Asked before every block.

    Raises
    ------
    Cancelled
        When ``cancel`` asked for it.
    """
    yield from each(lambda number, *_: number + 1, tasks, cache, cancel=cancel)
