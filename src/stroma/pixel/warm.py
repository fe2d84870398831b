"""Computing features ahead of their use: block by block, so that it can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from stroma.blocks.grid import holding
from stroma.blocks.run import run
from stroma.data.statistics import Statistics
from stroma.features.cache import FeatureCache
from stroma.pixel.door import Points, Source
from stroma.pixel.plan import Recipe, plan
from stroma.pixel.predict import Task
from stroma.pixel.training import around, marked


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
    tasks = []
    working, positions = marked(points, recipe, source), source.positions
    for index in np.unique(working.plane).tolist():
        yx = working.yx[working.plane == index]
        current = plan(source, positions[index], recipe, statistics)
        held = holding(current.blocks(around(yx, current)), yx)
        tasks += [Task(positions[index], current, block) for block, _ in held]
    return tasks


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

    def one(task: Task) -> None:
        task.plan.features(task.block, cache)

    for done, _ in enumerate(run(one, tasks, cancel=cancel), 1):
        yield done
