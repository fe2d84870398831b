"""One image through a trained model: labels, probabilities, tables and overlay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stroma.blocks.box import Box
from stroma.blocks.result import BlockResult
from stroma.data.image import AXES, Image
from stroma.errors import ParameterError
from stroma.io import open_writer, read_image, write_image, write_labels
from stroma.io.blockwise.assemble import ArraySink, ChunkSink, Plane, Sink, Target, chunks
from stroma.io.pictures.png import read_indices
from stroma.pixel.predicting.predict import label_dtype
from stroma.pixel.predicting.run import predict_blocks
from stroma.workflow.applying.applied import is_network
from stroma.workflow.applying.outputs import Files, Job
from stroma.workflow.applying.overlay import overlay, write_overlay
from stroma.workflow.applying.region import Region
from stroma.workflow.applying.tables import write_tables
from stroma.workflow.applying.volume_tables import write_volume_tables

if TYPE_CHECKING:
    from stroma.io.blockwise.writer import BlockWriter
    from stroma.workflow.applying.applied import Model

CHUNK = 512
"""Side of the chunks in which large results are written."""

LARGE_BYTES = 2**29
"""Larger results are written block by block, not held in memory (512 MiB)."""

Tell = Callable[[int, int], None]
"""Is told how many blocks are ready, and of how many."""

Cancel = Callable[[], bool]
"""Says whether to stop."""


@dataclass(frozen=True)
class Work:
    """One image on its way through a model.

    Parameters
    ----------
    model : ConvpaintModel or Network
        Trained.
    image : Image
        What is segmented.
    job : Job
        What is wanted.
    files : Files
        Where results go.
    region : Region
        The pixels to segment.
    use_dask : bool
        Compute blocks on the workers of dask.distributed.
    """

    model: Model
    image: Image
    job: Job
    files: Files
    region: Region
    use_dask: bool = False

    @property
    def in_memory(self) -> bool:
        """Whether results are held in memory: small ones, and those of formats without blocks."""
        ending = self.files.labels.suffix
        per_pixel = 1 + (4 * len(self.model.classes_) if self.files.probabilities else 0)
        size = per_pixel * np.prod(self.label_target.shape, dtype=np.int64)
        return not (ending == ".zarr" or (ending == ".tif" and size > LARGE_BYTES))

    @property
    def label_target(self) -> Target:
        """Shape of the labels."""
        axes = self.image.kept_axes.replace("c", "")
        return Target(axes, tuple(self.image.sizes[a] for a in axes))

    @property
    def probability_target(self) -> Target:
        """Shape of the probabilities."""
        sizes = {**self.image.sizes, "c": len(self.model.classes_)}
        axes = "".join(a for a in AXES if a in sizes)
        return Target(axes, tuple(sizes[a] for a in axes))

    @property
    def names(self) -> list[str]:
        """Names of the channels of the probabilities."""
        if is_network(self.model):
            return self.model.channel_names
        known = {c.label: c.name for c in self.model.classes}
        return [known[label] for label in self.model.classes_.tolist()]

    def segment(self, tell: Tell, cancel: Cancel | None) -> None:
        """Write labels, and probabilities if they are wanted."""
        self.model.open(self.image)
        with self.taking() as sinks:
            self._fill(sinks, tell, cancel)

    @contextmanager
    def taking(self) -> Iterator[list[Sink]]:
        """Yield what takes labels, and probabilities if they are wanted, and write them."""
        if self.in_memory:
            yield from self._to_memory()
        elif is_network(self.model) and self.model.largest_:
            raise ParameterError(
                f"{self.job.path}: this network keeps only the largest part of classes, which "
                "takes the whole image, and results in OME-Zarr or above 512 MiB are written block "
                "by block. Give format='png', or npy."
            )
        else:
            yield from self._to_files()

    def describe(self) -> None:
        """Write what follows from the labels: tables and overlay."""
        labels = read_back(self.files.labels, self.image)
        if self.files.components and self.files.summary:
            write = write_volume_tables if self._deep else write_tables
            write(
                labels,
                self.model.classes,
                self.job.name,
                parts=self.files.components,
                summary=self.files.summary,
                min_size=self.job.outputs.min_size,
            )
        if self.files.overlay:
            draw = partial(overlay, classes=self.model.classes, alpha=self.job.outputs.alpha)
            write_overlay(self.image, labels, self.files.overlay, draw)

    def _to_memory(self) -> Iterator[list[Sink]]:
        labels = ArraySink(self.label_target, label_dtype(self.model.classes_))
        sinks: list[Sink] = [labels]
        if self.files.probabilities:
            sinks.append(ArraySink(self.probability_target, np.float32))
        yield sinks
        if is_network(self.model):
            self.model.finished(labels.array)
        write_labels(self.files.labels, labels.array, like=self.image, classes=self.model.classes)
        if self.files.probabilities:
            probabilities = sinks[1]
            assert isinstance(probabilities, ArraySink)
            write_image(
                self.files.probabilities,
                probabilities.array,
                axes=self.probability_target.axes,
                spacing={a: s for a, s in self.image.spacing.items() if a != "c"},
                unit=self.image.unit,
                channels=self.names,
            )

    def _to_files(self) -> Iterator[list[Sink]]:
        resume: Any = False if self.job.outputs.overwrite else "if same"
        common = {"like": self.image, "fingerprint": self.job.fingerprint, "resume": resume}
        dtype, target = label_dtype(self.model.classes_), self.label_target
        with ExitStack() as stack:
            writers = [
                _open(self.files.labels, target, dtype, classes=self.model.classes, **common)
            ]
            sinks: list[Sink] = [ChunkSink(writers[0], target, CHUNK, dtype)]
            if self.files.probabilities:
                path, target = self.files.probabilities, self.probability_target
                writers.append(
                    _open(path, target, np.float32, labels=False, channels=self.names, **common)
                )
                sinks.append(ChunkSink(writers[1], target, CHUNK, np.float32))
            for writer in writers:
                stack.enter_context(writer)
            yield sinks
            for writer in writers:
                writer.finish()

    def _fill(
        self,
        sinks: Sequence[Sink],
        tell: Tell,
        cancel: Cancel | None,
    ) -> None:
        """Predict every plane where chunks are missing."""
        every = list(self._planes())
        for number, plane in enumerate(every):
            box = self._missing(plane, sinks)
            if box is None:
                tell(number + 1, len(every))
                continue
            for result in self._results(self.image.at(**plane), box, cancel):
                self.take(sinks, plane, result)
                tell(number * result.total + result.done, len(every) * result.total)
            assert self._missing(plane, [s for s in sinks if isinstance(s, ChunkSink)]) is None

    def take(self, sinks: Sequence[Sink], plane: Plane, result: BlockResult) -> None:
        """Give sinks what was predicted of a block, as far as it lies in the region."""
        at = {**plane, **result.plane}
        for sink, values in zip(sinks, (result.labels, result.probabilities), strict=False):
            sink.add(at, result.y, result.x, self.region.cut(at, result.y, result.x, values))

    def _results(self, image: Image, box: Box, cancel: Cancel | None) -> Iterator[BlockResult]:
        """Predict blocks, by strokes or by a network."""
        how: dict[str, Any] = {"region": box, "use_dask": self.use_dask, "cancel": cancel}
        if is_network(self.model):
            mirror = self.job.outputs.mirror
            return self.model.blocks(self.model.open(image), mirror=mirror, **how)
        return predict_blocks(self.model, image, **how)

    def _planes(self) -> Iterator[Plane]:
        """Yield what is predicted at once: planes, or the volume of each time."""
        outer = "t" if self._deep else "tz"
        sizes = {a: n for a, n in self.image.sizes.items() if a in outer}
        for place in product(*map(range, sizes.values())):
            yield dict(zip(sizes, place, strict=True))

    @property
    def _deep(self) -> bool:
        """Whether the model looks along z too."""
        return self.model.ndim == 3 and "z" in self.image.sizes

    def _missing(self, plane: Plane, sinks: Sequence[Sink]) -> Box | None:
        """Return the box around the chunks that are to be predicted; None if there are none."""
        depth = self.image.sizes["z"] if self._deep else 1
        inner = [{**plane, "z": z} for z in range(depth)] if self._deep else [plane]
        missing = [
            (z, y, x)
            for z, at in enumerate(inner)
            for y, x in chunks(self.label_target.shape[-2:], CHUNK)
            if not all(s.is_done(at, y, x) for s in sinks) and self.region.inside(at, y, x).any()
        ]
        if not missing:
            return None
        return Box(
            min(y.start for _, y, _ in missing),
            min(x.start for *_, x in missing),
            max(y.stop for _, y, _ in missing),
            max(x.stop for *_, x in missing),
            min(z for z, *_ in missing),
            max(z for z, *_ in missing) + 1,
        )


def _open(path: Path, target: Target, dtype: Any, **options: Any) -> BlockWriter:
    sizes = {"y": CHUNK, "x": CHUNK}
    if path.suffix == ".zarr":
        sizes["c"] = target.shape[target.axes.index("c")] if "c" in target.axes else 1
    chunk = tuple(sizes.get(a, 1) for a in target.axes)
    return open_writer(
        path, shape=target.shape, dtype=dtype, axes=target.axes, chunks=chunk, **options
    )


def read_back(path: Path, image: Image) -> Image:
    """Return the labels that were written, with the axes and spacing of their image."""
    axes = image.kept_axes.replace("c", "")
    stored = read_indices(path) if path.suffix == ".png" else None
    if stored is not None:
        return Image(stored, axes, spacing=image.spacing, unit=image.unit)
    written = read_image(path, axes=axes if path.suffix == ".npy" else None)
    return replace(written, spacing=image.spacing, unit=image.unit)
