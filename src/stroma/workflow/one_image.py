"""One image through a trained model: labels, probabilities, tables and overlay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stroma.blocks.box import Box
from stroma.data.image import AXES, Image
from stroma.io import open_writer, read_image, write_image, write_labels
from stroma.io.blockwise.assemble import ArraySink, ChunkSink, Plane, Sink, Target, chunks
from stroma.io.pictures.png import read_indices
from stroma.pixel.predicting.predict import label_dtype
from stroma.pixel.predicting.run import predict_blocks
from stroma.workflow.outputs import Files, Job
from stroma.workflow.overlay import overlay, picture, sampled
from stroma.workflow.region import Region
from stroma.workflow.tables import planes, write_tables

if TYPE_CHECKING:
    from stroma.io.blockwise.writer import BlockWriter
    from stroma.pixel.model import ConvpaintModel

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
    model : ConvpaintModel
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

    model: ConvpaintModel
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
        known = {c.label: c.name for c in self.model.classes}
        return [known[label] for label in self.model.classes_.tolist()]

    def segment(self, tell: Tell, cancel: Cancel | None) -> None:
        """Write labels, and probabilities if they are wanted."""
        self.model.open(self.image)
        if self.in_memory:
            self._to_memory(tell, cancel)
        else:
            self._to_files(tell, cancel)

    def describe(self) -> None:
        """Write what follows from the labels: tables and overlay."""
        labels = _read_back(self.files.labels, self.image)
        if self.files.components and self.files.summary:
            write_tables(
                labels,
                self.model.classes,
                self.job.name,
                parts=self.files.components,
                summary=self.files.summary,
                min_size=self.job.outputs.min_size,
            )
        if self.files.overlay:
            self._write_overlay(labels, self.files.overlay)

    def _to_memory(self, tell: Tell, cancel: Cancel | None) -> None:
        labels = ArraySink(self.label_target, label_dtype(self.model.classes_))
        sinks: list[Sink] = [labels]
        if self.files.probabilities:
            sinks.append(ArraySink(self.probability_target, np.float32))
        self._fill(sinks, tell, cancel)
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

    def _to_files(self, tell: Tell, cancel: Cancel | None) -> None:
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
            self._fill(sinks, tell, cancel)
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
            cut = self.image.at(**plane)
            for result in predict_blocks(
                self.model, cut, region=box, use_dask=self.use_dask, cancel=cancel
            ):
                for sink, values in zip(sinks, (result.labels, result.probabilities), strict=False):
                    kept = self.region.cut(plane, result.y, result.x, values)
                    sink.add(plane, result.y, result.x, kept)
                tell(number * result.total + result.done, len(every) * result.total)
            assert self._missing(plane, [s for s in sinks if isinstance(s, ChunkSink)]) is None

    def _planes(self) -> Iterator[Plane]:
        for t, z, _ in planes(self.image):
            yield {a: i for a, i in (("t", t), ("z", z)) if isinstance(i, int)}

    def _missing(self, plane: Plane, sinks: Sequence[Sink]) -> Box | None:
        """Return the box around the chunks that are to be predicted; None if there are none."""
        missing = [
            (y, x)
            for y, x in chunks(self.label_target.shape[-2:], CHUNK)
            if not all(s.is_done(plane, y, x) for s in sinks)
            and self.region.inside(plane, y, x).any()
        ]
        if not missing:
            return None
        return Box(
            min(y.start for y, _ in missing),
            min(x.start for _, x in missing),
            max(y.stop for y, _ in missing),
            max(x.stop for _, x in missing),
        )

    def _write_overlay(self, labels: Image, path: Path) -> None:
        """Write the overlay of one plane as a PNG, of several as a TIFF in colours."""
        shown = []
        for (_, _, plane), (_, _, marked) in zip(planes(self.image), planes(labels), strict=True):
            below = picture(plane)
            above = sampled(marked, below.shape[:2])
            alpha = self.job.outputs.alpha
            shown.append(overlay(below, above, self.model.classes, alpha=alpha))
        target = self.label_target
        outer = target.shape[:-2] if len(shown) > 1 else ()
        values = np.stack(shown).reshape(*outer, *shown[0].shape)
        given = f"{target.axes[: len(outer)]}yxc"
        axes = "".join(a for a in AXES if a in given)
        write_image(path, values.transpose([given.index(a) for a in axes]), axes=axes, rgb=True)


def _open(path: Path, target: Target, dtype: Any, **options: Any) -> BlockWriter:
    sizes = {"y": CHUNK, "x": CHUNK}
    if path.suffix == ".zarr":
        sizes["c"] = target.shape[target.axes.index("c")] if "c" in target.axes else 1
    chunk = tuple(sizes.get(a, 1) for a in target.axes)
    return open_writer(
        path, shape=target.shape, dtype=dtype, axes=target.axes, chunks=chunk, **options
    )


def _read_back(path: Path, image: Image) -> Image:
    """Return the labels that were written, with the axes and spacing of their image."""
    axes = image.kept_axes.replace("c", "")
    stored = read_indices(path) if path.suffix == ".png" else None
    if stored is not None:
        return Image(stored, axes, spacing=image.spacing, unit=image.unit)
    written = read_image(path, axes=axes if path.suffix == ".npy" else None)
    return replace(written, spacing=image.spacing, unit=image.unit)
