"""Objects in files: tables, label images, outlines, and what was learnt of their classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.data.objects import ObjectTable, stacked
from stroma.errors import Cancelled, NotTrainedError, ParameterError
from stroma.io import write_labels
from stroma.objects.classes import ObjectClassifier
from stroma.session.core.core import Core
from stroma.session.core.tasks import Task
from stroma.session.objects.bench import ObjectBench
from stroma.session.objects.found import Found
from stroma.session.objects.learning import ObjectModel
from stroma.workflow.measuring.object_files import save_object_classifier, write_object_table
from stroma.workflow.measuring.object_outlines import write_outlines

Wanted = Callable[[Path, Image, ObjectTable, ObjectClassifier | None], object]


def _table(path: Path, labels: Image, table: ObjectTable, own: ObjectClassifier | None) -> None:
    write_object_table(path, table)


def _label_image(
    path: Path, labels: Image, table: ObjectTable, own: ObjectClassifier | None
) -> None:
    write_labels(path, labels.read(), like=labels)


def _outlines(path: Path, labels: Image, table: ObjectTable, own: ObjectClassifier | None) -> None:
    write_outlines(path, labels, table, () if own is None else own.classes)


FORMATS: dict[str, tuple[str, Wanted]] = {
    "csv": ("table.csv", _table),
    "parquet": ("table.parquet", _table),
    "tif": ("objects.tif", _label_image),
    "geojson": ("objects.geojson", _outlines),
    "zip": ("rois.zip", _outlines),
}
"""What can be written, by name: "geojson" is for QuPath, "zip" for ImageJ's ROI Manager."""


class ObjectExports:
    """Writing objects.

    Parameters
    ----------
    core : Core
        Of which session.
    model : ObjectModel
        What finds and classes objects.
    """

    def __init__(self, core: Core, model: ObjectModel) -> None:
        self.core, self.model = core, model

    def learn_objects(self) -> tuple[ObjectClassifier | None, str]:
        """Return what the labelled objects of all images teach now, or None and what is lacking."""
        turn = self.model.turn()
        taught = turn.lesson()
        if taught.lacking:
            return None, taught.lacking
        return turn.blank.fit(taught.table, taught.classes), ""

    def save_object_model(self, path: str | Path) -> Path:
        """Write what was learnt of classes to a file, for ``stroma objects --model``.

        Raises
        ------
        NotTrainedError
            If too little is labelled.
        """
        own, lacking = self.learn_objects()
        if own is None:
            raise NotTrainedError(lacking)
        save_object_classifier(path, own)
        return Path(path)

    def export_objects(
        self, image: str, folder: str | Path, *, formats: Sequence[str] = ("csv",)
    ) -> Task[tuple[Path, ...]]:
        """Measure and class all objects of an image, and write them; returns the files.

        Parameters
        ----------
        image : str
            Key of the image.
        folder : path
            Where files go; made if need be.
        formats : sequence of str
            "csv" and "parquet" (tables), "tif" (label image), "geojson" (QuPath), "zip" (ImageJ).

        Raises
        ------
        ParameterError
            If there is no such format.
        """
        for name in formats:
            if name not in FORMATS:
                raise ParameterError(
                    f"Objects are written as {', '.join(FORMATS)}, got {name[:20]!r}."
                )
        sheet = self.core.document.sheet(image)

        def export(progress: Any, cancelled: Any) -> tuple[Path, ...]:
            own = self.learn_objects()[0]
            frames = []
            for found in self._frames(image):
                if cancelled():
                    raise Cancelled("The export was cancelled.")
                frames.append(found.classed(own))
                progress(len(frames), sheet.sizes.get("t", 1))
            labels, table = self._joined(image, frames)
            target, stem = Path(folder), Path(sheet.name).stem or "image"
            target.mkdir(parents=True, exist_ok=True)
            paths = []
            for name in formats:
                ending, write = FORMATS[name]
                paths.append(target / f"{stem}_{ending}")
                write(paths[-1], labels, table, own)
            return tuple(paths)

        return self.core.tasks.start("exporting objects", export)

    def _frames(self, image: str) -> list[Found]:
        """Return all frames; where objects follow the segmentation, those that are segmented."""
        book = self.core.bench(ObjectBench).books[image]
        frames = [self.model.frame((image, number)) for number in range(book.frames)]
        there = [one for one in frames if one is not None]
        if not there:
            raise ParameterError(self.model.waits_for(image))
        return there

    def _joined(self, image: str, frames: Sequence[Found]) -> tuple[Image, ObjectTable]:
        pixels = self.core.pixels(image)
        book = self.core.bench(ObjectBench).books[image]
        whole = np.zeros((book.frames, *book.size), np.int32)
        for one in frames:
            whole[one.frame] = one.labels
        # an axis of one sample is none for outlines and tables, as for objects in files
        axes = [a for a, n in zip("tz", (book.frames, book.size[0]), strict=True) if n > 1]
        shape = [n for n in whole.shape[:2] if n > 1] + list(book.size[1:])
        spacing = {a: s for a, s in pixels.spacing.items() if a in (*axes, "y", "x")}
        labels = Image(
            whole.reshape(shape), "".join([*axes, "yx"]), spacing=spacing, unit=pixels.unit
        )
        if book.frames == 1:
            return labels, frames[0].table
        timed = [
            ObjectTable({"label": f.table["label"], "t": np.full(f.table.rows, f.frame), **f.table})
            for f in frames
        ]
        return labels, stacked(timed)
