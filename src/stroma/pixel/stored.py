"""Results that go to a file as they come, so that neither image nor result need fit in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.image import AXES
from stroma.features.cache import FeatureCache
from stroma.pixel.door import Source
from stroma.pixel.predict import BlockResult, Task, Trained, label_dtype, run_tasks, tasks_of

if TYPE_CHECKING:
    from stroma.io.blockwise import BlockWriter
    from stroma.pixel.model import ConvpaintModel

TILE = 512
"""Side, in pixels, of the chunks that results are written in."""

Progress = Callable[[int, int], None]


def write_result(
    model: ConvpaintModel,
    image: Any,
    path: str | Path,
    *,
    probabilities: bool = False,
    in_channels: Any = None,
    skip_norm: bool = False,
    use_dask: bool = False,
    resume: bool = True,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Path:
    """Segment an image of any size into an OME-Zarr or BigTIFF, a block at a time.

    A run that was interrupted is continued: finished chunks are known, and a chunk counts as
    finished only once it is on the disk.

    Parameters
    ----------
    model : ConvpaintModel
        Trained.
    image : array-like, Image or path
        One image; lazy ones are read block by block.
    path : str or Path
        Result, ending in ``.zarr``, ``.tif`` or ``.ome.tif``.
    probabilities : bool
        Write the probability of every class (axis c first) instead of labels.
    in_channels, skip_norm, use_dask
        As for ``ConvpaintModel.segment``.
    resume : bool
        Continue what an earlier run with the same model and image began.
    progress : callable, optional
        Called with the number of blocks that are ready and that there are.
    cancel : callable, optional
        Asked before every block; what was written is kept, to be continued.
    """
    from stroma.io.blockwise import open_writer

    source, trained = model.open(image, in_channels), model.trained(skip_norm=skip_norm)
    classes = trained.classifier.classes_
    channels = [c.name for c in model.classes if c.label in classes]
    sizes = _sizes(source, len(classes) if probabilities else 0)
    writer = open_writer(
        path,
        shape=tuple(sizes.values()),
        dtype=np.float32 if probabilities else label_dtype(classes),
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
        assembly = _Assembly(source, writer, sizes.get("c", 0))
        tasks = tasks_of(source, trained)
        left = [task for task in tasks if not assembly.has(task)]
        done = len(tasks) - len(left)
        for block in run_tasks(left, trained, FeatureCache(0), use_dask=use_dask, cancel=cancel):
            assembly.add(block)
            if progress is not None:
                progress(done + block.done, len(tasks))
        writer.finish()
    return Path(path)


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
    digest.update(repr((image.source, image.shape, image.dtype.str, image._index)).encode())
    return digest.hexdigest()


class _Assembly:
    """Puts blocks together to whole chunks, and writes each as soon as it is complete."""

    def __init__(self, source: Source, writer: BlockWriter, classes: int) -> None:
        self._shape = source.plane_shape
        self._writer = writer
        self._classes = classes
        self._tiles: dict[tuple[Any, ...], NDArray[Any]] = {}
        self._missing: dict[tuple[Any, ...], int] = {}

    def has(self, task: Task) -> bool:
        """Tell whether everything a block contributes to is written."""
        box = task.plan.grid.pixels(task.block.core)
        return all(self._written(task.position, tile) for tile in self._touched(box))

    def add(self, block: BlockResult) -> None:
        """Take a block, and write the chunks that it completes."""
        box = Box(block.y.start, block.x.start, block.y.stop, block.x.stop)
        values = block.probabilities if self._classes else block.labels[None]
        for tile in self._touched(box):
            if not self._written(block.plane, tile):
                self._put(block.plane, tile, box, values)

    def _put(self, plane: dict[str, int], tile: Box, box: Box, values: NDArray[Any]) -> None:
        key = (*plane.values(), tile)
        if key not in self._tiles:
            self._tiles[key] = np.zeros((len(values), *tile.shape), values.dtype)
            self._missing[key] = tile.area
        both = tile.clipped(box)
        inside = (slice(None), *both.relative(tile).slices)
        self._tiles[key][inside] = values[(slice(None), *both.relative(box).slices)]
        self._missing[key] -= both.area
        if self._missing[key] == 0:
            del self._missing[key]
            for where, plain in zip(self._boxes(plane, tile), self._tiles.pop(key), strict=True):
                self._writer.write(where, plain[(None,) * (len(where) - 2)])

    def _touched(self, box: Box) -> Iterator[Box]:
        cells = box.coarse(TILE)
        for y in range(cells.top, cells.bottom):
            for x in range(cells.left, cells.right):
                yield Box(y, x, y + 1, x + 1).scaled(TILE).clipped(Box.of(self._shape))

    def _written(self, plane: dict[str, int], tile: Box) -> bool:
        return all(self._writer.is_done(where) for where in self._boxes(plane, tile))

    def _boxes(self, plane: dict[str, int], tile: Box) -> list[tuple[slice, ...]]:
        """Return where a chunk belongs in the file, for every class if there is a class axis."""
        rows, columns = tile.slices
        ranges = {a: slice(i, i + 1) for a, i in plane.items()}
        if not self._classes:
            return [(*ranges.values(), rows, columns)]
        before = {a: r for a, r in ranges.items() if a == "t"}
        after = {a: r for a, r in ranges.items() if a != "t"}
        return [
            (*before.values(), slice(k, k + 1), *after.values(), rows, columns)
            for k in range(self._classes)
        ]
