"""Blocks on the workers of dask.distributed: what is sent, and what is done there.

A worker gets parameters and the arrays of the classifier; networks it builds from their own
parameters. Of an image it gets how to read it, if it was read from a file, or the pixels of the
block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.blocks.distributed import client, run_distributed
from stroma.blocks.grid import Block
from stroma.blocks.working import WorkingGrid
from stroma.data.image import Image, Index
from stroma.features.cache import FeatureCache
from stroma.features.pipeline import Feed
from stroma.pixel.predicting.edges import Guide
from stroma.pixel.predicting.plan import Plan
from stroma.pixel.predicting.predict import BlockResult, Trained, result_of
from stroma.pixel.predicting.tasks import Task


@dataclass(frozen=True, eq=False)
class _Window:
    """An array of which only one rectangle is here; the rest is never asked for."""

    values: NDArray[Any]
    box: Box
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        *rest, rows, columns = key
        wanted = Box(rows.start or 0, columns.start or 0, rows.stop, columns.stop)
        return self.values[(*rest, *wanted.relative(self.box).slices)]


@dataclass(frozen=True, eq=False)
class _Remote:
    """A task as it travels."""

    position: dict[str, int]
    feed: Feed
    guide: Guide | None
    block: Block
    file: tuple[tuple[str, Any], ...] | None
    selection: Mapping[str, Index]
    pixels: _Window | None
    axes: str
    done: int
    total: int
    coarse: int


def results_of(
    tasks: Sequence[Task], trained: Trained, coarse: int, cancel: Callable[[], bool] | None
) -> Iterator[BlockResult]:
    """Yield the results of blocks, computed by dask's workers, in order."""
    sent = (_sent(task, n, len(tasks), coarse) for n, task in enumerate(tasks, 1))
    with client() as active:
        yield from run_distributed(_compute, sent, active, shared=trained, cancel=cancel)


def _sent(task: Task, done: int, total: int, coarse: int) -> _Remote:
    image = task.plan.image
    file = None if image.read_with is None else tuple(image.read_with.items())
    pixels = None if file else _window(task)
    selection = image.selection if file else {}
    feed, axes = task.plan.feed, image.kept_axes
    return _Remote(
        task.position,
        feed,
        task.plan.guide,
        task.block,
        file,
        selection,
        pixels,
        axes,
        done,
        total,
        coarse,
    )


def _window(task: Task) -> _Window:
    """Read the pixels that a block depends on."""
    current = task.plan
    image, grid = current.image, current.grid
    box = _touched(grid, current.seen(task.block))
    rows, columns = box.slices
    values = image.read({"y": rows, "x": columns})
    return _Window(values, box, image.shape)


def _touched(grid: WorkingGrid, seen: Box) -> Box:
    """Return the pixels of the image that a box of the working grid, mirrored, is made of."""
    asked: list[Box] = []

    def note(box: Box) -> NDArray[Any]:
        asked.append(box)
        return np.zeros(box.shape, np.float32)

    grid.read(note, seen)
    [box] = asked
    return box


def _compute(remote: _Remote, trained: Trained) -> BlockResult:
    """Compute one block, on a worker."""
    if remote.pixels is None:
        image = _read(remote.file or ()).at(**remote.selection)
    else:
        image = Image(remote.pixels, remote.axes)
    task = Task(
        remote.position, Plan(image, remote.feed, trained.recipe, remote.guide), remote.block
    )
    cache = FeatureCache(0)
    return result_of(
        task,
        task.plan.features(task.block, cache),
        trained,
        cache,
        coarse=remote.coarse,
        done=remote.done,
        total=remote.total,
    )


def _read(arguments: tuple[tuple[str, Any], ...]) -> Image:
    """Return the image in a file, opened once for all blocks unless the file changes."""
    path = Path(dict(arguments)["path"])
    return _opened(arguments, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=4)
def _opened(arguments: tuple[tuple[str, Any], ...], modified: int) -> Image:
    from stroma.io import read_image

    return read_image(**dict(arguments))
