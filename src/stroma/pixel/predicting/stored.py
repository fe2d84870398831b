"""Results that go to a file as they come, so that neither image nor result need fit in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import AXES
from stroma.features.cache import FeatureCache
from stroma.io.blockwise.assemble import ChunkSink, Target, chunks
from stroma.io.blockwise.writer import open_writer
from stroma.pixel.door import Source
from stroma.pixel.predicting.contract import Model
from stroma.pixel.predicting.predict import Trained, label_dtype
from stroma.pixel.predicting.run import run_tasks, tasks_of
from stroma.pixel.predicting.tasks import Task

TILE = 512
"""Side, in pixels, of the chunks that results are written in."""

Progress = Callable[[int, int], None]


def write_result(
    model: Model,
    image: Any,
    path: str | Path,
    *,
    probabilities: bool = False,
    in_channels: Any = None,
    skip_norm: bool = False,
    use_dask: bool = False,
    device: str | None = None,
    resume: bool = True,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Path:
    """Segment an image of any size into an OME-Zarr or BigTIFF, a block at a time.

    A run that was interrupted is continued: finished chunks are known, and a chunk counts as
    finished only once it is on the disk.

    Parameters
    ----------
    model : Model
        Trained.
    image : array-like, Image or path
        One image; lazy ones are read block by block.
    path : str or Path
        Result, ending in ``.zarr``, ``.tif`` or ``.ome.tif``.
    probabilities : bool
        Write the probability of every class (axis c first) instead of labels.
    in_channels, skip_norm, use_dask, device
        As for ``ConvpaintModel.segment``.
    resume : bool
        Continue what an earlier run with the same model and image began.
    progress : callable, optional
        Called with the number of blocks that are ready and that there are.
    cancel : callable, optional
        Asked before every block; what was written is kept, to be continued.
    """
    source, trained = (
        model.open(image, in_channels),
        model.trained(skip_norm=skip_norm, device=device),
    )
    classes = trained.classifier.classes_
    channels = [c.name for c in model.classes if c.label in classes]
    dtype = np.float32 if probabilities else label_dtype(classes)
    sizes = _sizes(source, len(classes) if probabilities else 0)
    writer = open_writer(
        path,
        shape=tuple(sizes.values()),
        dtype=dtype,
        axes="".join(sizes),
        chunks=tuple(TILE if axis in "yx" else 1 for axis in sizes),
        like=source.image,
        classes=model.classes,
        channels=channels if probabilities else (),
        labels=not probabilities,
        fingerprint=fingerprint(source, trained),
        resume=resume,
    )
    with writer:
        sink = ChunkSink(writer, Target("".join(sizes), tuple(sizes.values())), TILE, dtype)
        tasks = tasks_of(source, trained)
        left = [task for task in tasks if not _written(task, sink)]
        total = sum(task.pixels.sides[0] for task in tasks)
        done = total - sum(task.pixels.sides[0] for task in left)
        for block in run_tasks(left, trained, FeatureCache(0), use_dask=use_dask, cancel=cancel):
            values = block.probabilities if probabilities else block.labels
            sink.add(block.plane, block.y, block.x, values)
            if progress is not None:
                progress(done + block.done, total)
        writer.finish()
    return Path(path)


def _written(task: Task, sink: ChunkSink) -> bool:
    """Tell whether everything a block contributes to is in the file."""
    grid = task.plan.grid
    box = grid.pixels(task.block.core)
    deep = "z" in task.plan.image.sizes
    planes = [{"z": z} for z in range(box.front, box.back)] if deep else [{}]
    touched = list(chunks(grid.whole.shape, TILE, *box.slices))
    return all(
        sink.is_done({**task.position, **plane}, rows, columns)
        for plane in planes
        for rows, columns in touched
    )


def _sizes(source: Source, classes: int) -> dict[str, int]:
    """Return the sizes of a result by axis: t before the classes, if there are some, before z."""
    sizes = {**source.outer, "y": source.plane_shape[0], "x": source.plane_shape[1]}
    if classes:
        sizes["c"] = classes
    return {axis: sizes[axis] for axis in AXES if axis in sizes}


def fingerprint(source: Source, trained: Trained) -> str:
    """Return a digest of all that a result depends on, but the pixels of the image."""
    digest = hashlib.blake2b(repr((trained.recipe, trained.statistics)).encode(), digest_size=16)
    for name, array in sorted(trained.classifier.arrays().items()):
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    image = source.image
    digest.update(repr((image.source, image.shape, image.dtype.str, image.selection)).encode())
    return digest.hexdigest()
