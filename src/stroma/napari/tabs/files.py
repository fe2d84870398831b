"""The tab of files: the project, its images, and what goes in and out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QHeaderView, QMessageBox

from stroma.errors import StromaError
from stroma.io.address import address_of
from stroma.io.series import Series
from stroma.napari.menus import asked
from stroma.napari.studio.studio import Relay, Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.exchange import YES, Exchange
from stroma.napari.tabs.series import Listed, ask_which, listed
from stroma.session import events as ev
from stroma.session.core.opening import OpenImage
from stroma.session.events import Event
from stroma.session.strokes.exports import Written
from stroma.session.words import said
from stroma.workflow.applying.find import find_images

COLUMNS = ("Image", "Planes", "Painted", "Result")
WIDTHS = (54, 62, 74)
SHOWN = "▸ "
HEIGHT = 150


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
            "The images of the session. Double-click shows one; what is below is done with those "
            "that are selected. Click on a title to sort",
            COLUMNS,
        )
        self.images.setSortingEnabled(True)
        self.images.setFixedHeight(HEIGHT)
        header: Any = self.images.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        for column, width in enumerate(WIDTHS, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.images.setColumnWidth(column, width)
        self.images.cellDoubleClicked.connect(
            lambda row, _: self._show_image(parts.row_key(self.images, row))
        )
        self.exchange = Exchange(studio, self.chosen)
        self.widget = parts.page(
            parts.group("Project", self.project, *self._project_buttons()),
            parts.group("Images", self.images, *self._image_buttons()),
            self.exchange.annotations,
            self.exchange.results,
        )
        for signal in (studio.replaced, studio.chosen):
            signal.connect(self.show)
        studio.told.connect(self._on_told)
        self._wait = Relay(lambda: asked.ask(studio, self.widget), 0)
        studio.replaced.connect(self._ask_servers)

    def _ask_servers(self) -> None:
        """Ask about servers as soon as the project is shown."""
        self._wait()

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
            "Close",
            "Take the selected images, with their annotations, out of the session",
            self._close_images,
        )
        find = parts.button("Find file…", "Say where the file of an image is now", self._ask_place)
        before = parts.button("‹", "The image before", lambda: self._step(-1))
        after = parts.button("›", "The next image", lambda: self._step(1))
        return [parts.row(add, folder, remove), parts.row(before, after, find)]

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
        asked.open_project(self._studio, path)

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
        images, written = session.images, session.all_written()
        rows = [self._row(one, current, written.get(one.key)) for one in images]
        parts.fill(self.images, rows, [one.key for one in images])

    def _row(self, one: OpenImage, current: str | None, written: Written | None) -> tuple[Any, ...]:
        session = self._studio.session
        mark = SHOWN if one.key == current else ""
        lost = " (file missing)" if one.missing else ""
        planes = math.prod(one.outer.values())
        pixels = session.painted_pixels(one.key)
        file = session.source(one.key)
        where = (address_of(file) or file) if file else "In memory"
        return (
            parts.Sorted(f"{mark}{one.name}{lost}", one.name.lower(), str(where)),
            parts.Sorted(" × ".join(map(str, one.outer.values())) or "1", planes),
            parts.Sorted(f"{pixels:,}" if pixels else "–", pixels),
            self._segmented(one, planes, written),
        )

    def _segmented(self, one: OpenImage, planes: int, written: Written | None) -> parts.Sorted:
        known = self._studio.session.planes_shown(one.key)
        if written is not None:
            word, older = ("saved", "") if written.current else ("older", "Strokes changed since: ")
            return parts.Sorted(word, 3 if written.current else 2, f"{older}{written.path}")
        if not known:
            return parts.Sorted("–", 0)
        return parts.Sorted(
            "unsaved", 1, f"Known of {known} of {planes} planes, but in no file of its own"
        )

    def chosen(self) -> list[str]:
        """Return the images that are selected in the table, else the one that is shown."""
        current = None if self._studio.bridge is None else self._studio.bridge.image
        return parts.chosen(self.images) or ([] if current is None else [current])

    def _show_image(self, key: str | None) -> None:
        bridge = self._studio.bridge
        if bridge is not None and key is not None:
            self._studio.attempt(lambda: bridge.show_image(key))

    def _step(self, by: int) -> None:
        bridge, images = self._studio.bridge, self._studio.session.images
        keys = [one.key for one in images]
        if bridge is not None and keys:
            at = keys.index(bridge.image) + by if bridge.image in keys else 0
            self._show_image(keys[at % len(keys)])

    def _ask_images(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self.widget, "Images")
        self.add([Path(p) for p in paths])

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self.widget, "Folder of images")
        if folder:
            self.add(find_images([folder]))

    def add(self, paths: Sequence[Path]) -> None:
        """Open images; which, is asked of files with several; the first is shown."""
        if paths:
            what = f"Looking at {_counted(len(paths), 'file')}"
            self._studio.call(what, lambda: [listed(path) for path in paths], self._add_listed)

    def _add_listed(self, files: Sequence[Listed]) -> None:
        session, studio = self._studio.session, self._studio
        failed = [f"{one.path.name}: {one.problem}" for one in files if one.problem]
        wanted = [(f, series) for f in files for series in ask_which(self.widget, f)]

        def opened() -> list[str]:
            keys = []
            for file, series in wanted:
                name = _title(file, series)
                try:
                    keys.append(session.add_image(file.path, name=name, series=series.number))
                except (StromaError, OSError) as error:
                    failed.append(f"{name}: {said(error)}")
            return keys

        def shown(keys: list[str]) -> None:
            if keys and studio.bridge is not None:
                studio.bridge.show_image(keys[0])
            self.show()
            if failed:
                count = f"{len(keys)} of {_counted(len(keys) + len(failed), 'image')}"
                studio.warn("\n".join([f"{count} opened.", *failed]))

        if wanted or failed:
            studio.call(f"Opening {_counted(len(wanted), 'image')}", opened, shown)

    def _close_images(self) -> None:
        session, bridge, wanted = self._studio.session, self._studio.bridge, self.chosen()
        names = [session.image(key).name for key in wanted]
        some = ", ".join(names[:5]) + " …" * (len(names) > 5)
        question = f"Take {some} and the annotations out of the session?"
        if wanted and QMessageBox.question(self.widget, "Close", question) == YES:
            for key in wanted:
                self._studio.attempt(partial(session.close_image, key))
            if bridge is not None:
                bridge.pump()  # at once: layers cannot be drawn without their image

    def _ask_place(self) -> None:
        session = self._studio.session
        lost = [key for key in self.chosen() if session.image(key).missing]
        if not lost:
            self._studio.tell("Select an image whose file is missing.")
            return
        path, _ = QFileDialog.getOpenFileName(self.widget, f"File of {session.image(lost[0]).name}")
        if path:
            self.locate(lost[0], Path(path))

    def locate(self, image: str, path: Path) -> None:
        """Say where the file of an image is now."""
        session, bridge = self._studio.session, self._studio.bridge

        def shown(_: None) -> None:
            if bridge is not None:
                bridge.show_again(image)
            self.show()

        self._studio.call(f"Opening {path.name}", lambda: session.relocate(image, path), shown)

    def _on_told(self, event: Event) -> None:
        listed = ev.ImageOpened | ev.ImageClosed | ev.ImageChanged | ev.Saved
        counted = ev.RoundFinished | ev.StrokesChanged
        if isinstance(event, listed) or (isinstance(event, counted) and self.widget.isVisible()):
            self.show()


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _title(file: Listed, series: Series) -> str:
    """Return what an image of a file is called."""
    if len(file.series) < 2:
        return file.path.name
    return f"{file.path.name} · {series.name or series.number}"
