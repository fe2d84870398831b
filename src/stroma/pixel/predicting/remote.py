"""Blocks on the workers of dask.distributed: what is sent, and what is done there.

A worker gets parameters and the arrays of the classifier; networks it builds from their own
parameters. Of an image it gets how to read it, if it was read from a file, or the pixels of the
block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
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
from stroma.data.missing import missing_pixels
from stroma.features.cache import FeatureCache
from stroma.pixel.predicting.plan import Plan
from stroma.pixel.predicting.predict import BlockResult, Trained, results_of
from stroma.pixel.predicting.tasks import Task


@dataclass(frozen=True, eq=False)
class _Window:
    """An array of which only one box is here; the rest is never asked for."""

    values: NDArray[Any]
    box: Box
    shape: tuple[int, ...]
    axes: str

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        inner = len(self.axes.lstrip("c"))
        starts = self.box.start[3 - inner :]
        moved = [
            slice((part.start or 0) - start, part.stop - start)
            for part, start in zip(key[-inner:], starts, strict=True)
        ]
        return self.values[(*key[:-inner], *moved)]


@dataclass(frozen=True, eq=False)
class _Remote:
    """A task as it travels."""

    position: dict[str, int]
    plan: dict[str, Any]
    """Everything but the image."""
    block: Block
    wanted: Box | None
    file: tuple[tuple[str, Any], ...] | None
    selection: Mapping[str, Index]
    pixels: _Window | None
    axes: str
    coarse: int


def computed(
    tasks: Sequence[Task], trained: Trained, coarse: int, cancel: Callable[[], bool] | None
) -> Iterator[list[BlockResult]]:
    """Yield the results of blocks, computed by dask's workers, in order."""
    sent = (_sent(task, coarse) for task in tasks)
    with client() as active:
        yield from run_distributed(_compute, sent, active, shared=trained, cancel=cancel)


def _sent(task: Task, coarse: int) -> _Remote:
    image = task.plan.image
    file = None if image.read_with is None else tuple(image.read_with.items())
    pixels = None if file else _window(task)
    facts = {f.name: getattr(task.plan, f.name) for f in fields(Plan) if f.name != "image"}
    if pixels is not None and missing_pixels(pixels.values) is not None:
        facts["mean"] = task.plan.known_mean  # of the whole image, which the worker does not have
    return _Remote(
        task.position,
        facts,
        task.block,
        task.wanted,
        file,
        image.selection if file else {},
        pixels,
        image.kept_axes,
        coarse,
    )


def _window(task: Task) -> _Window:
    """Read the pixels that a block depends on."""
    current = task.plan
    image, grid = current.image, current.grid
    box = _touched(grid, current.seen(task.block))
    parts = dict(zip("zyx", box.index, strict=True))
    values = image.read({a: part for a, part in parts.items() if a in image.sizes})
    return _Window(values, box, image.shape, image.kept_axes)


def _touched(grid: WorkingGrid, seen: Box) -> Box:
    """Return the pixels of the image that a box of the working grid, mirrored, is made of."""
    asked: list[Box] = []

    def note(box: Box) -> NDArray[Any]:
        asked.append(box)
        return np.zeros(box.sides, np.float32)

    grid.read(note, seen)
    [box] = asked
    return box


def _compute(remote: _Remote, trained: Trained) -> list[BlockResult]:
    """Compute one block, on a worker."""
    if remote.pixels is None:
        image = _read(remote.file or ()).at(**remote.selection)
    else:
        image = Image(remote.pixels, remote.axes)
    task = Task(remote.position, Plan(image, **remote.plan), remote.block, remote.wanted)
    cache = FeatureCache(0)
    maps = task.plan.features(task.block, cache)
    return results_of(task, maps, trained, cache, coarse=remote.coarse)


def _read(arguments: tuple[tuple[str, Any], ...]) -> Image:
    """Return the image in a file, opened once for all blocks unless the file changes."""
    path = Path(dict(arguments)["path"])
    return _opened(arguments, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=4)
def _opened(arguments: tuple[tuple[str, Any], ...], modified: int) -> Image:
    from stroma.io import read_image

    return read_image(**dict(arguments))
