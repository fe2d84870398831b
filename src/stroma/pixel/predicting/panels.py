"""Planes of any direction: what is computed for one is shown in rectangles of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from math import dist

import numpy as np

from stroma.blocks.box import Box
from stroma.data import cut
from stroma.data.statistics import Statistics
from stroma.features.cache import FeatureCache
from stroma.pixel.door import Source
from stroma.pixel.predicting.plan import plan
from stroma.pixel.predicting.predict import BlockResult, Trained
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.run import run_tasks, tasks_under
from stroma.pixel.predicting.tasks import Task

ROWS = 16
"""Rows of a plane across y or x that are shown together, where each is predicted by itself."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A rectangle of a plane that is shown as one.

    Parameters
    ----------
    box : Box
        Its pixels: of a plane across y or x, rows are z.
    tasks : sequence of Task
        The blocks that make it up, from its first row on.
    across : str
        The axis that the plane lies across: z, y or x.
    """

    box: Box
    tasks: Sequence[Task]
    across: str = "z"

    @property
    def results(self) -> int:
        """How many results its blocks have: one for each of their planes across z."""
        return sum(task.pixels.sides[0] for task in self.tasks)


def panels_of(
    source: Source,
    recipe: Recipe,
    statistics: Statistics | None,
    *,
    position: Mapping[str, int],
    box: Box,
    classes: int = 1,
    first: tuple[float, float] | None = None,
) -> list[Panel]:
    """Return what is to be computed for a rectangle of a plane; there need not be a model yet.

    Parameters
    ----------
    source : Source
        The image.
    recipe : Recipe
        From pixels to features.
    statistics : Statistics or None
        Those to normalise by, instead of the image's own.
    position : mapping of str to int
        Which plane: along t and z, or t and y or x.
    box : Box
        Its pixels that are wanted.
    classes : int
        How many classes there are.
    first : (float, float), optional
        Row and column near which to start; reading order unless given.
    """
    across = cut.across(position)
    if across == "z":
        tasks = tasks_under(
            source,
            recipe,
            statistics,
            classes=classes,
            positions=[dict(position)],
            region=box,
            first=first,
        )
        return [Panel(task.rectangle, [task]) for task in tasks]
    tasks = _tasks_across(source, recipe, statistics, position, box, classes)
    panels = [
        Panel(_around(group, across), group, across)
        for group in (list(g) for _, g in groupby(tasks, key=lambda t: _place(t, across)))
    ]
    return panels if first is None else sorted(panels, key=lambda p: dist(p.box.middle, first))


def run_panels(
    panels: Sequence[Panel],
    trained: Trained,
    cache: FeatureCache,
    *,
    coarse: int = 1,
    workers: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[tuple[Panel, BlockResult]]:
    """Yield the results of rectangles, as they become ready, in their order.

    Rows and columns of a result, and its shape, are those of the plane it is shown on.
    Parameters as for `stroma.pixel.predicting.run.blocks_of`.
    """
    tasks = [task for panel in panels for task in panel.tasks]
    results = run_tasks(tasks, trained, cache, coarse=coarse, workers=workers, cancel=cancel)
    for panel in panels:
        found = list(islice(results, panel.results))
        yield panel, found[0] if panel.across == "z" else _joined(panel, found)


def _tasks_across(
    source: Source,
    recipe: Recipe,
    statistics: Statistics | None,
    position: Mapping[str, int],
    box: Box,
    classes: int,
) -> list[Task]:
    """Return the blocks of a plane across y or x, one pixel thick, column by column of blocks."""
    axis = "y" if "y" in position else "x"
    part = {a: i for a, i in position.items() if a == "t"}
    body = _voxels(axis, position[axis], box)
    parts = [(part, body)]
    if recipe.axes == "yx":
        flat = body.spanning("z", (0, 1))
        parts = [({**part, "z": z}, flat) for z in range(*body.along("z"))]
    tasks = []
    for place, voxels in parts:
        current = plan(source, place, recipe, statistics)
        blocks = current.blocks(voxels, classes=classes, across=axis)
        wanted = current.grid.whole.spanning(axis, voxels.along(axis))
        tasks += [Task(place, current, block, wanted) for block in blocks]
    return sorted(tasks, key=lambda task: _place(task, axis))


def _voxels(axis: str, at: int, box: Box) -> Box:
    """Return the voxels of a rectangle of the plane across an axis."""
    if axis == "y":
        return Box(at, box.left, at + 1, box.right, box.top, box.bottom)
    return Box(box.left, at, box.right, at + 1, box.top, box.bottom)


def _place(task: Task, axis: str) -> tuple[int, int]:
    """Return where the rectangle lies that a block is shown in, by column and row."""
    row = task.position["z"] // ROWS if "z" in task.position else task.pixels.front
    return _columns(task, axis)[0], row


def _around(tasks: Sequence[Task], axis: str) -> Box:
    """Return the rectangle that blocks make up."""
    left, right = _columns(tasks[0], axis)
    return Box(_rows(tasks[0])[0], left, _rows(tasks[-1])[1], right)


def _columns(task: Task, axis: str) -> tuple[int, int]:
    return task.pixels.along("x" if axis == "y" else "y")


def _rows(task: Task) -> tuple[int, int]:
    if "z" in task.position:
        return task.position["z"], task.position["z"] + 1
    return task.pixels.front, task.pixels.back


def _joined(panel: Panel, rows: Sequence[BlockResult]) -> BlockResult:
    """Return results, one for each row of a rectangle, as one."""
    turned = panel.across == "x"
    probabilities = [r.probabilities.swapaxes(1, 2) if turned else r.probabilities for r in rows]
    labels = [r.labels.T if turned else r.labels for r in rows]
    return replace(
        rows[-1],
        y=slice(panel.box.top, panel.box.bottom),
        x=slice(panel.box.left, panel.box.right),
        probabilities=np.concatenate(probabilities, axis=1),
        labels=np.concatenate(labels),
    )
