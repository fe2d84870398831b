"""The tab of files: the project, its images, and what goes in and out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QMessageBox

from stroma.io import is_image
from stroma.napari import parts
from stroma.napari.studio import Studio
from stroma.session import Session
from stroma.session import events as ev
from stroma.session.events import Event

STROKES = "Annotations (*.png *.tif *.tiff *.zip *.roi *.geojson);;All files (*)"
SAVED = "Label image (*.png *.tif);;ImageJ ROIs (*.zip);;QuPath GeoJSON (*.geojson)"
LABELS = "TIFF (*.tif);;OME-Zarr (*.zarr);;OME-TIFF (*.ome.tif)"


class Files:
    """The tab.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    title = "Files"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.project = parts.note()
        self.images = parts.table(
            "The images of the session; double-click shows one", ("Image", "Planes", "Annotated")
        )
        self.images.cellDoubleClicked.connect(lambda row, _: self._show_image(row))
        self.widget = parts.page(
            parts.group("Project", self.project, *self._project_buttons()),
            parts.group("Images", self.images, *self._image_buttons()),
            parts.group("Annotations", *self._stroke_buttons()),
            parts.group("Results", *self._result_buttons()),
        )
        for signal in (studio.replaced, studio.chosen):
            signal.connect(self.show)
        studio.told.connect(self._on_told)

    def _project_buttons(self) -> list[Any]:
        new = parts.button(
            "Save as…", "Keep the session in a project, where every stroke is saved", self._ask_new
        )
        opened = parts.button("Open…", "Go on with a project", self._ask_open)
        save = parts.button(
            "Save", "Save the model too; strokes are saved by themselves", self.save
        )
        return [parts.row(opened, new, save)]

    def _image_buttons(self) -> list[Any]:
        add = parts.button("Add files…", "Open images in this session", self._ask_images)
        folder = parts.button("Add folder…", "Open all images of a folder", self._ask_folder)
        remove = parts.button(
            "Close", "Take the image, with its annotations, out of the session", self._close_image
        )
        before = parts.button("‹", "The image before", lambda: self._step(-1))
        after = parts.button("›", "The next image", lambda: self._step(1))
        return [parts.row(add, folder, remove), parts.row(before, after)]

    def _stroke_buttons(self) -> list[Any]:
        return [
            parts.row(
                parts.button(
                    "Import…",
                    "Add annotations of this image from a label image, ImageJ or QuPath",
                    self._ask_import,
                ),
                parts.button("Export…", "Write the annotations of this image", self._ask_export),
                parts.button("Clear", "Erase the annotations of this image", self._clear),
            )
        ]

    def _result_buttons(self) -> list[Any]:
        return [
            parts.row(
                parts.button(
                    "Save labels…", "Segment all of this image into a file", self._ask_labels
                ),
                parts.button(
                    "Save probabilities…",
                    "The probability of every class, for all of this image",
                    partial(self._ask_labels, True),
                ),
            ),
            parts.button("Segment other files…", "Apply the model to many files", self._ask_apply),
        ]

    # ------------------------------------------------------------------ project

    def _ask_new(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self.widget, "New project", "untitled.stroma", "Projects (*.stroma)"
        )
        if path:
            self.save_as(Path(path))

    def save_as(self, path: Path) -> None:
        """Keep the session in a new project."""
        folder = path if path.suffix == ".stroma" else path.with_name(path.name + ".stroma")
        session = self._studio.session
        self._studio.call(
            f"Saving {folder.name}", lambda: session.save_as(folder), lambda _: self.show()
        )

    def _ask_open(self) -> None:
        path = QFileDialog.getExistingDirectory(self.widget, "Project (a folder .stroma)")
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Go on with a project in place of this session."""
        self._studio.begin(lambda: Session.open(path), f"Opening {path.name}")

    def save(self) -> None:
        """Save everything into the project."""
        session = self._studio.session
        if session.path is None:
            self._ask_new()
        else:
            self._studio.call("Saving the project", session.save)

    # ------------------------------------------------------------------ images

    def show(self) -> None:
        """Show the project and its images."""
        if self._studio.bridge is None:
            return
        session, current = self._studio.session, self._studio.bridge.image
        path = session.path
        self.project.setText("Not saved yet." if path is None else f"{path.name}")
        self.project.setToolTip(str(path or ""))
        rows = []
        for one in session.images:
            planes = len(session.points(one.key).label)
            mark = "▸ " if one.key == current else ""
            lost = " (file missing)" if one.missing else ""
            count = " × ".join(map(str, one.outer.values())) or "1"
            rows.append((f"{mark}{one.name}{lost}", count, f"{planes:,} px"))
        parts.fill(self.images, rows)

    def _show_image(self, row: int) -> None:
        bridge, images = self._studio.bridge, self._studio.session.images
        if bridge is not None and 0 <= row < len(images):
            self._studio.attempt(lambda: bridge.show_image(images[row].key))

    def _step(self, by: int) -> None:
        bridge, images = self._studio.bridge, self._studio.session.images
        keys = [one.key for one in images]
        if bridge is not None and keys:
            at = keys.index(bridge.image) + by if bridge.image in keys else 0
            self._show_image(at % len(keys))

    def _ask_images(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self.widget, "Images")
        self.add([Path(p) for p in paths])

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self.widget, "Folder of images")
        if folder:
            found = sorted(p for p in Path(folder).iterdir() if is_image(p))
            self.add(found)

    def add(self, paths: Sequence[Path]) -> None:
        """Open images; the first is shown."""
        session, studio = self._studio.session, self._studio

        def opened() -> list[str]:
            return [session.add_image(path) for path in paths]

        def shown(keys: list[str]) -> None:
            if keys and studio.bridge is not None:
                studio.bridge.show_image(keys[0])
            self.show()

        if paths:
            studio.call(f"Opening {len(paths)} image{'s' * (len(paths) != 1)}", opened, shown)

    def _close_image(self) -> None:
        images, at = self._studio.session.images, self.images.currentRow()
        if 0 <= at < len(images):
            one = images[at]
            question = f"Take {one.name} and its annotations out of the session?"
            if QMessageBox.question(self.widget, "Close", question) == YES:
                self._studio.attempt(lambda: self._studio.session.close_image(one.key))

    # ------------------------------------------------------------------ strokes and results

    def _current(self) -> str | None:
        return None if self._studio.bridge is None else self._studio.bridge.image

    def _ask_import(self) -> None:
        image, session = self._current(), self._studio.session
        path, _ = QFileDialog.getOpenFileName(self.widget, "Annotations", "", STROKES)
        if path and image is not None:
            self._studio.call(
                f"Reading {Path(path).name}", lambda: session.import_strokes(image, path)
            )

    def _ask_export(self) -> None:
        image, session = self._current(), self._studio.session
        path, _ = QFileDialog.getSaveFileName(self.widget, "Annotations", "", SAVED)
        if path and image is not None:
            self._studio.call(
                f"Writing {Path(path).name}", lambda: session.export_strokes(image, path)
            )

    def _clear(self) -> None:
        image = self._current()
        if image is not None:
            self._studio.attempt(lambda: self._studio.session.clear(image))

    def _ask_labels(self, probabilities: bool = False) -> None:
        image = self._current()
        path, _ = QFileDialog.getSaveFileName(self.widget, "Result", "", LABELS)
        if path and image is not None:
            self.save_result(image, Path(path), probabilities=probabilities)

    def save_result(self, image: str, path: Path, *, probabilities: bool = False) -> None:
        """Segment all of an image into a file."""
        session = self._studio.session
        self._studio.do(
            lambda: session.export_labels(image, path, probabilities=probabilities), self._say_done
        )

    def _ask_apply(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self.widget, "Files to segment")
        folder = QFileDialog.getExistingDirectory(self.widget, "Folder for the results")
        if paths and folder:
            session = self._studio.session
            self._studio.do(lambda: session.apply(paths, folder), self._say_applied)

    def _say_done(self, path: Path) -> None:
        self._studio.tell(f"Written: {path}")

    def _say_applied(self, result: Any) -> None:
        self._studio.tell(str(result))

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.ImageOpened | ev.ImageClosed | ev.ImageChanged | ev.Saved) or (
            isinstance(event, ev.RoundFinished) and self.widget.isVisible()
        ):
            self.show()


YES = QMessageBox.StandardButton.Yes
