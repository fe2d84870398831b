"""The tab of classes: names and colours, what is painted of each, and what was found of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QColorDialog, QFileDialog, QTableWidget

from stroma.data.classes import Class
from stroma.io.class_list import read_class_list, write_class_list
from stroma.napari.layers.board import STROKES as STROKE_LAYER
from stroma.napari.layers.new_button import take_new_button
from stroma.napari.layers.strokes_layer import Strokes
from stroma.napari.menus import commands
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.measuring import Measuring
from stroma.session import events as ev
from stroma.session.core.tasks import Task
from stroma.session.events import Event
from stroma.session.strokes.painted.ownership import ClassCount

NAME, LABEL, PIXELS, STROKES = range(4)

REST_MS = 300
"""What is painted is counted when nothing was for so long."""


class Classes:
    """The tab.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    title = "Classes"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._painted: dict[int, ClassCount] = {}
        self._counting: Task[Any] | None = None
        self._unnamed: int | None = None
        self._rest = QTimer()
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.tally)
        self.table = self._table()
        self.total = parts.note()
        self.measuring = Measuring(studio)
        self.widget = parts.page(
            parts.group("Classes", self.table, self.total, *self._buttons()),
            self.measuring.widget,
        )
        studio.replaced.connect(self.show)
        studio.told.connect(self._on_told)
        for signal in (studio.chosen, studio.shown):
            signal.connect(self._take_new_button)

    def _table(self) -> QTableWidget:
        made = parts.table(
            "Click to paint with a class, double-click its name to change it. The bars compare "
            "how much is painted of each",
            ("Name", "Label", "Pixels", "Strokes"),
        )
        made.setItemDelegateForColumn(PIXELS, parts.Bars(made))
        triggers = QAbstractItemView.EditTrigger
        made.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        made.cellClicked.connect(self._take)
        made.cellChanged.connect(self._rename)
        return made

    def _buttons(self) -> list[Any]:
        return [
            parts.row(
                parts.button("Add", "Add a class, and name it", self._add),
                parts.button("Colour…", "Choose another colour for the class", self._recolor),
                parts.button(
                    "Remove", "Remove the class and its annotations in all images", self._remove
                ),
            ),
            parts.row(
                parts.button(
                    "Import…",
                    "Take names, and colours if there are any, from a text file: label,name,color",
                    self._ask_import,
                ),
                parts.button("Export…", "Write names and colours to a text file", self._ask_export),
                parts.button(
                    "Reset",
                    "Give all classes their first names and colours; nothing is removed",
                    lambda: self._change("reset_classes"),
                ),
            ),
        ]

    # ------------------------------------------------------------------ the table

    def show(self) -> None:
        """Show the classes."""
        rows = [((c.name, c.color), c.label, 0, 0) for c in self._studio.session.classes]
        parts.fill(self.table, rows)
        parts.fit_height(self.table)
        with QSignalBlocker(self.table):
            for i in range(self.table.rowCount()):
                for column in (LABEL, PIXELS, STROKES):
                    item: Any = self.table.item(i, column)
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
        self._show_painted()
        self._name_new()
        self.tally()

    def _add(self) -> None:
        """Add a class; its name is edited as soon as it is listed."""
        made = self._studio.attempt(lambda: self._studio.session.add_class())
        self._unnamed = None if made is None else made.label

    def _name_new(self) -> None:
        labels = [c.label for c in self._studio.session.classes]
        if self._unnamed in labels:
            row, self._unnamed = labels.index(self._unnamed), None
            self.table.setCurrentCell(row, NAME)
            self.table.editItem(self.table.item(row, NAME))

    def tally(self) -> None:
        """Count what is painted of each class; later, if that is being done."""
        if self._counting is not None and not self._counting.done:
            self._rest.start()
            return

        def begin() -> Task[list[ClassCount]]:
            self._counting = self._studio.session.distribution()
            return self._counting

        self._studio.do(begin, self._tallied)

    def _tallied(self, found: list[ClassCount]) -> None:
        self._painted = {one.label: one for one in found}
        self._show_painted()

    def _show_painted(self) -> None:
        most = max((one.pixels for one in self._painted.values()), default=0) or 1
        with QSignalBlocker(self.table):
            for row, c in enumerate(self._studio.session.classes[: self.table.rowCount()]):
                one = self._painted.get(c.label, ClassCount(c.label, 0, 0, 0))
                pixels: Any = self.table.item(row, PIXELS)
                strokes: Any = self.table.item(row, STROKES)
                pixels.setText(f"{one.pixels:,}")
                strokes.setText(f"{one.strokes:,}")
                strokes.setToolTip(f"On {one.images} image{'s' * (one.images != 1)}")
                parts.set_bar(pixels, one.pixels / most, c.color)
        painted = self._painted.values()
        pixels, strokes = sum(o.pixels for o in painted), sum(o.strokes for o in painted)
        self.total.setText(f"{pixels:,} pixels in {strokes:,} stroke{'s' * (strokes != 1)}.")

    def _class(self, row: int) -> Class | None:
        classes = self._studio.session.classes
        return classes[row] if 0 <= row < len(classes) else None

    def _take(self, row: int, column: int) -> None:
        one = self._class(row)
        if one is not None:
            commands.take(self._studio.viewer, one.label)

    def _rename(self, row: int, column: int) -> None:
        item: Any = self.table.item(row, NAME)
        one, name = self._class(row), item.text().strip()
        if one is not None and name and name != one.name:
            self._change("change_class", one.label, name=name)

    def _recolor(self) -> None:
        one = self._class(self.table.currentRow())
        if one is not None:
            color = QColorDialog.getColor(QColor(one.color), self.widget, f"Colour of {one.name}")
            if color.isValid():
                self._change("change_class", one.label, color=color.name())

    def _remove(self) -> None:
        one = self._class(self.table.currentRow())
        if one is not None:
            self._change("remove_class", one.label)

    def _change(self, what: str, *arguments: Any, **values: Any) -> None:
        session = self._studio.session
        self._studio.attempt(lambda: getattr(session, what)(*arguments, **values))

    def _take_new_button(self) -> None:
        """Make napari's button for a new label one for a new class, when it is there."""
        QTimer.singleShot(0, self._on_controls)

    def _on_controls(self) -> None:
        board = None if self._studio.bridge is None else self._studio.bridge.board
        layer = None if board is None else board.layer(STROKE_LAYER)
        if isinstance(layer, Strokes):
            window: Any = self.widget.window()
            take_new_button(window, layer)

    # ------------------------------------------------------------------ files of names

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self.widget, "Class names", "", "Text (*.csv *.txt);;All files (*)"
        )
        if path:
            self.import_names(Path(path))

    def _ask_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self.widget, "Class names", "classes.csv", "Text (*.csv *.txt)"
        )
        if path:
            self.export_names(Path(path))

    def import_names(self, path: Path) -> None:
        """Take names and colours from a file; labels that are not known become classes."""
        session = self._studio.session
        self._studio.attempt(lambda: session.name_classes(read_class_list(path)))

    def export_names(self, path: Path) -> None:
        """Write the names and the colours to a file."""
        classes = self._studio.session.classes
        self._studio.attempt(lambda: write_class_list(path, classes))

    # ------------------------------------------------------------------ what happens

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.ClassesChanged):
            self.show()
        elif isinstance(event, ev.StrokesChanged | ev.ImageClosed) and self.widget.isVisible():
            self._rest.start()
