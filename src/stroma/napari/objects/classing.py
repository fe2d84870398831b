"""Classes of objects: names and colours, how many are of each, and which to label next."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QTableWidget

from stroma.data.classes import Class
from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.tabs import parts

CLASSIFIERS = (
    ("Random forest", "forest"),
    ("Ensemble", "ensemble"),
    ("Logistic", "logistic"),
    ("CatBoost", "catboost"),
)


class Classing:
    """A part of the tab of objects.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    """

    def __init__(self, desk: ObjectDesk) -> None:
        self._desk, self._studio = desk, desk.studio
        self.table = self._table()
        self.note, self.accuracy = parts.note(), parts.note()
        self.classifier = parts.choice("What learns the classes", self._set_classifier)
        parts.offer(self.classifier, CLASSIFIERS)
        self.widget = self._laid_out()
        for signal in (desk.known, desk.look):
            signal.connect(self.show)

    def _table(self) -> QTableWidget:
        made = parts.table(
            "Click to label objects of a class (keys 1 to 9), double-click its name to change it",
            ("Class", "Key", "Labelled", "In all"),
        )
        triggers = made.EditTrigger
        made.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        made.cellClicked.connect(lambda row, _: self._choose(row))
        made.cellChanged.connect(self._rename)
        return made

    def _laid_out(self) -> Any:
        button = parts.button
        return parts.group(
            "Classes of objects",
            self.table,
            self.note,
            parts.row(
                button("Add class", "Add a class of objects", self._add),
                button("Colour…", "Choose another colour for the class", self._recolor),
                button("Remove", "Remove the class, and what was labelled so", self._remove),
            ),
            parts.row(
                button(
                    "Label this next",
                    "Go to the object that is least sure (J)",
                    self._desk.ask_next,
                ),
                button(
                    "Accuracy", "Tell each labelled object from the others", self.measure_accuracy
                ),
            ),
            self.accuracy,
            parts.form(("Classifier", self.classifier)),
        )

    def show(self) -> None:
        """Show the classes, how many objects are of each, and what is lacking."""
        seen = self._desk.seen
        given = np.zeros(0, np.int64) if seen is None else seen.given
        of = self._desk.classes()
        rows = [
            (
                (one.name, one.color),
                str(i) if i <= 9 else "",
                int((given == one.label).sum()),
                int((of == one.label).sum()),
            )
            for i, one in enumerate(self._desk.object_classes, 1)
        ]
        parts.fill(self.table, rows)
        parts.fit_height(self.table)
        with QSignalBlocker(self.table):
            self._mark_chosen()
        self.note.setText("" if seen is None else seen.lacking)
        self.note.setVisible(bool(self.note.text()))
        self.accuracy.setVisible(bool(self.accuracy.text()))
        if self._desk.bridge is not None:
            now = self._studio.session.object_settings
            parts.show_value(self.classifier, now.classifier)

    def _mark_chosen(self) -> None:
        for row, one in enumerate(self._desk.object_classes):
            for column in range(self.table.columnCount()):
                item: Any = self.table.item(row, column)
                font = item.font()
                font.setBold(one.label == self._desk.label)
                item.setFont(font)
                if column:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            if one.label == self._desk.label:
                self.table.setCurrentCell(row, 0)

    def _class(self, row: int) -> Class | None:
        classes = self._desk.object_classes
        return classes[row] if 0 <= row < len(classes) else None

    def _choose(self, row: int) -> None:
        one = self._class(row)
        if one is not None:
            self._desk.choose_class(one.label)

    def _add(self) -> None:
        made = self._studio.attempt(lambda: self._studio.session.add_object_class())
        if made is not None:
            self._desk.choose_class(made.label)

    def _rename(self, row: int, column: int) -> None:
        one, item = self._class(row), self.table.item(row, 0)
        name = "" if item is None else item.text().strip()
        if one is not None and name and name != one.name:
            self._change(one.label, name=name)

    def _recolor(self) -> None:
        one = self._class(self.table.currentRow())
        if one is not None:
            color = QColorDialog.getColor(QColor(one.color), self.widget, f"Colour of {one.name}")
            if color.isValid():
                self._change(one.label, color=color.name())

    def _change(self, label: int, **values: str) -> None:
        session = self._studio.session
        self._studio.attempt(lambda: session.change_object_class(label, **values))

    def _remove(self) -> None:
        one = self._class(self.table.currentRow())
        if one is not None:
            label = one.label
            self._studio.attempt(lambda: self._studio.session.remove_object_class(label))

    def _set_classifier(self, name: str) -> None:
        session = self._studio.session
        self._studio.attempt(lambda: session.set_object_model(classifier=name))

    def measure_accuracy(self) -> None:
        """Tell each labelled object from the others, and say how many are told rightly."""
        self._studio.do(lambda: self._studio.session.object_accuracy(), self._show_accuracy)

    def _show_accuracy(self, share: float) -> None:
        self.accuracy.setText(
            f"{share:.0%} of the labelled objects are told rightly from the others."
        )
        self.accuracy.show()
