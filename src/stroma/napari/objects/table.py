"""The table of objects: a row for each, of which Qt asks those it shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QItemSelection, QItemSelectionModel, QModelIndex, Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from stroma.napari.objects.desk import CLASS, ObjectDesk
from stroma.napari.tabs import parts

NUMBER = "object"
HEIGHT = 220
LOOKED_AT = 30
"""Rows that the width of columns is taken from."""
NONE = QModelIndex()


class Rows(QAbstractTableModel):
    """Objects as rows, in the order of their numbers until sorted otherwise.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    """

    def __init__(self, desk: ObjectDesk) -> None:
        super().__init__()
        self._desk = desk
        self.columns: tuple[str, ...] = (NUMBER, CLASS)
        self._order: NDArray[np.intp] = np.zeros(0, np.intp)
        self._sorted = 0, Qt.SortOrder.AscendingOrder

    def load(self) -> None:
        """Show the objects that there are now, those within the bounds."""
        self.beginResetModel()
        self.columns = (NUMBER, CLASS, *self._desk.measures)
        self._put_in_order()
        self.endResetModel()

    def _put_in_order(self) -> None:
        column, order = self._sorted
        keys = self._keys(self.columns[min(column, len(self.columns) - 1)])
        down = order == Qt.SortOrder.DescendingOrder
        rows = np.argsort(-keys if down else keys, kind="stable")
        self._order = rows[self._desk.passes()[rows]]
        self._classes = self._desk.classes()
        named = self._desk.object_classes
        self._names = {one.label: (one.name, parts.swatch(one.color)) for one in named}

    def _keys(self, name: str) -> NDArray[np.float64]:
        if name == NUMBER:
            return self._desk.numbers.astype(np.float64)
        return self._desk.classes().astype(np.float64) if name == CLASS else self._desk.values(name)

    def number(self, row: int) -> int:
        """Return the object in a row."""
        return int(self._desk.numbers[self._order[row]])

    def rows_of(self, numbers: set[int]) -> NDArray[np.intp]:
        """Return the rows of objects, as far as they are shown."""
        return np.flatnonzero(np.isin(self._desk.numbers[self._order], list(numbers)))

    def rowCount(self, parent: Any = NONE) -> int:
        """Return the number of objects."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Any = NONE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Return the title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section]
        return None

    def data(self, index: Any, role: int = 0) -> Any:
        """Return what a cell shows."""
        row, name = self._order[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(int(row), name)
        if role == Qt.ItemDataRole.DecorationRole and name == CLASS:
            return self._names.get(int(self._classes[row]), ("", None))[1]
        if role == Qt.ItemDataRole.TextAlignmentRole and name != CLASS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, row: int, name: str) -> str:
        if name == NUMBER:
            return str(self._desk.numbers[row])
        if name == CLASS:
            return self._names.get(int(self._classes[row]), ("", None))[0]
        value = self._desk.values(name)[row]
        return f"{value:.4g}" if np.isfinite(value) else ""

    def sort(self, column: int, order: Any = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column."""
        self._sorted = column, order
        self.beginResetModel()
        self._put_in_order()
        self.endResetModel()


class ObjectTableView:
    """The table; rows that are selected are objects that are selected, both ways.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    """

    def __init__(self, desk: ObjectDesk) -> None:
        self._desk = desk
        self.rows = Rows(desk)
        self._showing = False
        self.view = self._view()
        desk.known.connect(self.load)
        desk.look.connect(self._on_look)
        self._shown: Any = None
        self.widget = parts.group("Table", self.view)

    def _view(self) -> QTableView:
        made = QTableView()
        made.setModel(self.rows)
        made.setToolTip("Click to select an object and go to it, on a title to sort")
        made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        made.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        made.setWordWrap(False)
        made.setFixedHeight(HEIGHT)
        header: Any = made.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setResizeContentsPrecision(LOOKED_AT)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        made.setSortingEnabled(True)
        rows: Any = made.verticalHeader()
        rows.hide()
        model: Any = made.selectionModel()
        model.selectionChanged.connect(self._on_chosen)
        made.clicked.connect(self._on_clicked)
        self.rows.modelReset.connect(self._mark)
        return made

    def load(self) -> None:
        """Show the objects that there are now."""
        self.rows.load()
        self._shown = self._desk.bounds
        self.view.resizeColumnsToContents()

    def _on_look(self) -> None:
        if self._desk.bounds != self._shown:
            self.load()
        else:
            self._mark()

    def _mark(self) -> None:
        """Select the rows of the objects that are selected."""
        rows = self.rows.rows_of(self._desk.selected)
        wanted = QItemSelection()
        for row in rows.tolist():
            wanted.select(self.rows.index(row, 0), self.rows.index(row, 0))
        flags = QItemSelectionModel.SelectionFlag
        model: Any = self.view.selectionModel()
        self._showing = True
        model.select(wanted, flags.ClearAndSelect | flags.Rows)
        self._showing = False
        if len(rows) == 1:
            self.view.scrollTo(self.rows.index(int(rows[0]), 0))

    def _on_chosen(self, *_: Any) -> None:
        if self._showing:
            return
        model: Any = self.view.selectionModel()
        self._desk.select(self.rows.number(i.row()) for i in model.selectedRows())

    def _on_clicked(self, index: Any) -> None:
        self._desk.go_to(self.rows.number(index.row()))
