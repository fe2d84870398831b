"""Annotations and results that go to files, to layers of napari, and come from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from stroma.data.strokes import Strokes, as_labels
from stroma.errors import StromaError
from stroma.napari.layers.board import MARK
from stroma.napari.menus.writers import classes_of
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.session.copies import (
    copied_probabilities,
    copied_results,
    copied_strokes,
    saved_labels,
)
from stroma.session.several import RESULT, STROKES, Found, find_strokes, named_after
from stroma.session.words import said
from stroma.workflow.applying.segment import BatchResult

READ = "Annotations (*.png *.tif *.tiff *.zip *.roi *.geojson);;All files (*)"
SAVED = "Label image (*.png *.tif);;ImageJ ROIs (*.zip);;QuPath GeoJSON (*.geojson)"
LABELS = "TIFF (*.tif);;OME-Zarr (*.zarr);;OME-TIFF (*.ome.tif)"
READ_LABELS = "Label images (*.tif *.tiff *.png *.zarr);;All files (*)"
YES = QMessageBox.StandardButton.Yes


class Exchange:
    """A part of the tab of files.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    chosen : callable
        Returns the keys of the images that are meant.
    """

    def __init__(self, studio: Studio, chosen: Callable[[], Sequence[str]]) -> None:
        self._studio = studio
        self._chosen = chosen
        self.annotations: QWidget = parts.group("Annotations", *self._stroke_buttons())
        self.results: QWidget = parts.group("Results", *self._result_buttons())

    def _stroke_buttons(self) -> list[Any]:
        button = parts.button
        return [
            parts.row(
                button(
                    "Import…",
                    "Add annotations from a label image, ImageJ or QuPath; for several images, "
                    "from the files in a folder that have their names",
                    self._ask_import,
                ),
                button(
                    "Export…",
                    "Write the annotations; for several images, into a folder",
                    self._ask_export,
                ),
                button("Clear", "Erase the annotations of the selected images", self._clear),
            ),
            parts.row(
                button(
                    "Take from layer",
                    "Add the labels layers that are selected in the layer list as annotations of "
                    "the image that is shown",
                    self.take_layers,
                ),
                button(
                    "Copy to layer",
                    "Copy the annotations into a labels layer that stays as it is",
                    partial(self.keep, "annotations", copied_strokes),
                ),
            ),
        ]

    def _result_buttons(self) -> list[Any]:
        button = parts.button
        return [
            parts.row(
                button(
                    "Save labels…",
                    "Segment all planes into a file; for several images, into a folder",
                    self._ask_labels,
                ),
                button(
                    "Save probabilities…",
                    "The probability of every class, for all planes of the image that is shown",
                    self._ask_probabilities,
                ),
            ),
            parts.row(
                button(
                    "Probabilities to layer",
                    "Copy the probabilities of all classes, as far as they are known, into one "
                    "layer, a class after the other along its first axis",
                    self.keep_probabilities,
                ),
                button(
                    "Open labels…",
                    "Show a segmentation that was saved over its image, as a labels layer",
                    self._ask_open,
                ),
            ),
            parts.row(
                button(
                    "Copy to layer",
                    "Copy the segmentation, as far as it is known, into a labels layer that stays "
                    "as it is",
                    partial(self.keep, "segmentation", copied_results),
                ),
                button("Segment files…", "Apply the model to many files", self._ask_apply),
            ),
        ]

    @property
    def _image(self) -> str | None:
        return None if self._studio.bridge is None else self._studio.bridge.image

    def _wanted(self) -> list[str]:
        """Return the images that are meant; says so if there is none."""
        found = list(self._chosen())
        if not found:
            self._studio.say(StromaError("There is no image yet. Add one in this tab."))
        return found

    # ------------------------------------------------------------------ annotations

    def _ask_import(self) -> None:
        wanted = self._wanted()
        if len(wanted) == 1:
            path, _ = QFileDialog.getOpenFileName(self.annotations, "Annotations", "", READ)
            if path:
                self.read(wanted[0], Path(path))
        elif wanted:
            folder = QFileDialog.getExistingDirectory(self.annotations, "Folder of annotations")
            if folder:
                self.read_all(wanted, Path(folder))

    def read(self, image: str, path: Path) -> None:
        """Add annotations from a file."""
        session = self._studio.session
        self._studio.call(f"Reading {path.name}", lambda: session.import_strokes(image, path))

    def read_all(self, images: Sequence[str], folder: Path) -> None:
        """Add annotations from the files in a folder that are named after images."""
        session = self._studio.session

        def read() -> Found:
            found = find_strokes(session, images, folder)
            for key, path in found.files.items():
                session.import_strokes(key, path)
            return found

        self._studio.call(f"Reading {folder.name}", read, self._say_found)

    def _say_found(self, found: Found) -> None:
        names = {one.key: one.name for one in self._studio.session.images}
        lines = [f"Annotations of {_images(len(found.files))} were read."]
        for keys, what in ((found.none, "No file for"), (found.several, "More than one file for")):
            if keys:
                lines.append(f"{what} {', '.join(names.get(key, key) for key in keys)}.")
        self._studio.tell(" ".join(lines))

    def _ask_export(self) -> None:
        wanted = self._wanted()
        if len(wanted) == 1:
            path, _ = QFileDialog.getSaveFileName(self.annotations, "Annotations", "", SAVED)
            if path:
                self.write(wanted, [Path(path)])
        elif wanted:
            paths = self._ask_paths(wanted, STROKES)
            if paths:
                self.write(wanted, paths)

    def write(self, images: Sequence[str], paths: Sequence[Path]) -> None:
        """Write the annotations of images."""
        session = self._studio.session

        def write() -> list[Path]:
            return [session.export_strokes(*one) for one in zip(images, paths, strict=True)]

        self._studio.call("Writing annotations", write, self._say_written)

    def _clear(self) -> None:
        for key in self._wanted():
            self._studio.attempt(partial(self._studio.session.clear, key))

    # ------------------------------------------------------------------ layers

    def take_layers(self) -> None:
        """Add the selected labels layers as annotations of the image that is shown."""
        image, session = self._image, self._studio.session
        chosen = self._studio.viewer.layers.selection
        layers = [la for la in chosen if isinstance(la, Labels) and MARK not in la.metadata]
        if image is None or not layers:
            self._studio.say(StromaError("Select a labels layer of your own in the layer list."))
            return

        def read() -> None:
            for layer in layers:
                data = layer.data[0] if layer.multiscale else layer.data
                labels = as_labels(np.asarray(data), source=f"The layer {layer.name!r}")
                named = classes_of({"features": layer.features, "colormap": layer.colormap})
                axes = "tzyx"[-labels.ndim :]
                taken = Strokes(labels, axes, (*session.classes, *named))
                session.import_strokes(image, taken)

        self._studio.call("Reading layers", read)

    def keep(self, what: str, copy: Callable[..., Any]) -> None:
        """Copy strokes or results of the image that is shown into a layer of its own."""
        bridge, session = self._studio.bridge, self._studio.session
        if bridge is None or bridge.board is None:
            self._studio.say(StromaError("Choose an image in the tab Home first."))
            return
        board, image = bridge.board, bridge.board.image
        name = f"{what}_{session.image(image).name}"

        def kept(labels: Any) -> None:
            layer = board.keep(labels, name, visible=False)
            self._studio.tell(f"Copied to the layer {layer.name!r}, which is hidden.")

        self._studio.call(f"Copying the {what}", lambda: copy(session, image), kept)

    # ------------------------------------------------------------------ results

    def keep_probabilities(self) -> None:
        """Copy the probabilities of all classes of the image that is shown into one layer."""
        bridge, session = self._studio.bridge, self._studio.session
        if bridge is None or bridge.board is None:
            self._studio.say(StromaError("Choose an image in the tab Home first."))
            return
        board, image = bridge.board, bridge.board.image
        name = f"probabilities_{session.image(image).name}"

        def kept(values: Any) -> None:
            board.keep_probabilities(values, name)
            order = ", ".join(c.name for c in session.classes)
            self._studio.tell(f"Along the first axis of {name!r}: {order}.")

        self._studio.call(
            "Copying the probabilities", lambda: copied_probabilities(session, image), kept
        )

    def _ask_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self.results, "Segmentation", "", READ_LABELS)
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Show labels that were saved over the image that is shown."""
        bridge, session = self._studio.bridge, self._studio.session
        if bridge is None or bridge.board is None:
            self._studio.say(StromaError("Choose an image in the tab Home first."))
            return
        board, opened = bridge.board, session.image(bridge.board.image)
        shape = (*opened.outer.values(), *opened.shape)

        def shown(labels: Any) -> None:
            board.keep(labels, path.name)

        self._studio.call(f"Reading {path.name}", lambda: saved_labels(path, shape), shown)

    def _ask_labels(self) -> None:
        wanted = self._wanted()
        if len(wanted) == 1:
            path, _ = QFileDialog.getSaveFileName(self.results, "Segmentation", "", LABELS)
            if path:
                self.save(wanted, [Path(path)])
        elif wanted:
            paths = self._ask_paths(wanted, RESULT)
            if paths:
                self.save(wanted, paths)

    def save(self, images: Sequence[str], paths: Sequence[Path]) -> None:
        """Segment images into files."""
        session, written = self._studio.session, list[Path]()
        older = session.older()

        def then(path: Path) -> None:
            written.append(path)
            if len(written) == len(paths):
                self._say_written(written, older)

        for key, path in zip(images, paths, strict=True):
            self._studio.do(partial(session.export_labels, key, path), then)

    def _ask_probabilities(self) -> None:
        image, session = self._image, self._studio.session
        path, _ = QFileDialog.getSaveFileName(self.results, "Probabilities", "", LABELS)
        if path and image is not None:
            older = session.older()
            self._studio.do(
                lambda: session.export_labels(image, path, probabilities=True),
                lambda written: self._say_written([written], older),
            )

    def _ask_apply(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self.results, "Files to segment")
        if not paths:
            return
        folder = QFileDialog.getExistingDirectory(self.results, "Folder for the results")
        if folder:
            session = self._studio.session
            older = session.older()
            self._studio.do(
                lambda: session.apply(paths, folder),
                lambda done: self._studio.tell(f"{_summed(done)} {older}".strip()),
            )

    def _ask_paths(self, images: Sequence[str], end: str) -> list[Path]:
        """Ask for a folder, and whether files there may be replaced."""
        folder = QFileDialog.getExistingDirectory(self.results, "Folder")
        if not folder:
            return []
        paths = named_after(self._studio.session, images, folder, end)
        there = [p.name for p in paths if p.exists()]
        question = f"Replace {', '.join(there[:5])}{' …' * (len(there) > 5)}?"
        if there and QMessageBox.question(self.results, "Files that exist", question) != YES:
            return []
        return paths

    def _say_written(self, paths: Sequence[Path], older: str = "") -> None:
        said = f"{len(paths)} files were written into {paths[0].parent}"
        if len(paths) == 1:
            said = f"Written: {paths[0]}"
        self._studio.tell(f"{said}. {older}" if older else said)


def _summed(done: BatchResult) -> str:
    """Return how many files are done, and why the others are not."""
    reasons = [f"{one.path.name}: {said(one.error)}" for one in done.failed if one.error]
    return "\n".join([str(done).splitlines()[0], *reasons])


def _images(count: int) -> str:
    return f"{count} image{'s' * (count != 1)}"
