"""The tab of classes: names, colours, and how much of the image is which."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QColorDialog, QFileDialog, QTableWidget

from stroma.data.classes import Class
from stroma.errors import FormatError
from stroma.napari import commands, parts
from stroma.napari.studio import Studio
from stroma.session import events as ev
from stroma.session.events import Event

NAME, LABEL, PAINTED = range(3)


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
        self.table = self._table()
        self.areas = parts.table(
            "How much of the plane in view each class covers, where there is a result",
            ("Class", "Share", "Pixels", "Parts"),
        )
        self.smallest = parts.number(
            "Parts of fewer pixels are not counted", lambda _: None, 0, 1_000_000, 0
        )
        self.widget = parts.page(
            parts.group("Classes", self.table, *self._buttons()),
            parts.group(
                "Coverage",
                parts.button(
                    "Measure the plane",
                    "Count the pixels and the connected parts of each class in this plane",
                    self.measure,
                ),
                parts.form(("Smallest part, pixels", self.smallest)),
                self.areas,
            ),
        )
        studio.replaced.connect(self.show)
        studio.told.connect(self._on_told)

    def _table(self) -> QTableWidget:
        made = parts.table(
            "Click to paint with a class; double-click its name to change it, its colour to "
            "choose another",
            ("Name", "Label", "Annotated"),
        )
        triggers = QAbstractItemView.EditTrigger
        made.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        made.cellClicked.connect(self._take)
        made.cellChanged.connect(self._rename)
        return made

    def _buttons(self) -> list[Any]:
        return [
            parts.row(
                parts.button("Add", "Add a class", lambda: self._change("add_class")),
                parts.button("Colour…", "Choose another colour for the class", self._recolor),
                parts.button(
                    "Remove", "Remove the class and its annotations in all images", self._remove
                ),
            ),
            parts.row(
                parts.button(
                    "Import…", "Take names from a text file: label,name", self._ask_import
                ),
                parts.button("Export…", "Write the names to a text file", self._ask_export),
            ),
        ]

    # ------------------------------------------------------------------ the table

    def show(self) -> None:
        """Show the classes."""
        counts = self._counts()
        rows = [
            ((c.name, c.color), c.label, f"{counts.get(c.label, 0):,} px")
            for c in self._studio.session.classes
        ]
        parts.fill(self.table, rows)
        for i in range(self.table.rowCount()):
            for column in (LABEL, PAINTED):
                item: Any = self.table.item(i, column)
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)

    def _counts(self) -> dict[int, int]:
        counts: Counter[int] = Counter()
        for image in self._studio.session.images:
            labels, found = np.unique(
                self._studio.session.points(image.key).label, return_counts=True
            )
            counts.update(dict(zip(labels.tolist(), found.tolist(), strict=True)))
        return counts

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

    # ------------------------------------------------------------------ files of names

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self.widget, "Class names", "", "Text (*.csv *.txt);;All files (*)"
        )
        if path:
            self._studio.attempt(lambda: self.import_names(Path(path)))

    def _ask_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self.widget, "Class names", "classes.csv", "Text (*.csv *.txt)"
        )
        if path:
            self._studio.attempt(lambda: self.export_names(Path(path)))

    def import_names(self, path: Path) -> None:
        """Take names from a file; labels that are not known are added as classes."""
        session = self._studio.session
        for label, name in parsed_names(path.read_text("utf-8-sig"), path):
            while label not in {c.label for c in session.classes}:
                session.add_class()
            session.change_class(label, name=name)

    def export_names(self, path: Path) -> None:
        """Write the names to a file."""
        lines = [f"{c.label},{c.name}" for c in self._studio.session.classes]
        path.write_text("\n".join(["label,name", *lines, ""]), "utf-8")

    # ------------------------------------------------------------------ coverage

    def measure(self) -> None:
        """Measure the plane in view."""
        studio, bridge = self._studio, self._studio.bridge
        if bridge is None or bridge.image is None:
            return
        image, plane, least = bridge.image, bridge.plane(), self.smallest.value()
        studio.do(
            lambda: studio.session.areas(image, plane=plane, min_size=least), self._show_areas
        )

    def _show_areas(self, found: Any) -> None:
        classes = {c.label: c for c in self._studio.session.classes}
        shown = [(classes.get(a.label, Class(a.label)), a) for a in found]
        parts.fill(
            self.areas,
            [((c.name, c.color), f"{a.share:.1%}", f"{a.area:,}", a.components) for c, a in shown],
        )

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.ClassesChanged) or (
            isinstance(event, ev.ModelTrained | ev.ImageClosed) and self.widget.isVisible()
        ):
            self.show()


def parsed_names(text: str, path: Path) -> list[tuple[int, str]]:
    """Return labels and names from lines of ``label,name``, or from names alone.

    Raises
    ------
    FormatError
        If a line is neither, or a label is not from 1 to 255.
    """
    lines = [line.strip() for line in text.replace(";", ",").splitlines() if line.strip()]
    if len(lines) == 1 and not lines[0].split(",")[0].strip().isdecimal():
        return list(enumerate((name.strip() for name in lines[0].split(",")), 1))
    if lines and not lines[0].split(",")[0].strip().isdecimal():
        lines = lines[1:]
    found = []
    for line in lines:
        label, _, name = (part.strip() for part in line.partition(","))
        if not label.isdecimal() or not 0 <= int(label) < 256 or not name:
            raise FormatError(f"{path.name}: expected lines of label,name, got {line[:50]!r}.")
        if int(label):
            found.append((int(label), name))
    return found
