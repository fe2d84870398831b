"""The table of connected components: as many rows as there are, of which Qt asks those it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from stroma.data.classes import Class
from stroma.napari.tabs import parts
from stroma.workflow.applying.components import Component, Measured

COLUMNS = ("Class", "Pixels", "µm²", "y", "x", "Box (y, x)")
CLASS, PIXELS, AREA, MIDDLE_Y, MIDDLE_X, BOX = range(len(COLUMNS))
NONE = QModelIndex()
HEIGHT = 190
LOOKED_AT = 30
"""Rows that the width of columns is taken from."""


class Components(QAbstractTableModel):
    """Components of a plane as rows, largest first until sorted otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self._show(Measured((), (), (), None))

    def show(self, measured: Measured) -> None:
        """Show other components."""
        self.beginResetModel()
        self._show(measured)
        self.endResetModel()

    def _show(self, measured: Measured) -> None:
        self._found = measured.components
        self._pixel_area = measured.pixel_area
        self._classes = {c.label: c for c in measured.classes}
        self._icons = {c.label: parts.swatch(c.color) for c in measured.classes}
        self._order: NDArray[np.intp] = np.argsort([-c.area for c in self._found], kind="stable")

    def component(self, row: int) -> Component:
        """Return the component in a row."""
        return self._found[int(self._order[row])]

    @property
    def has_areas(self) -> bool:
        """Whether areas are known in µm² too."""
        return self._pixel_area is not None

    def rowCount(self, parent: Any = NONE) -> int:
        """Return the number of components."""
        return 0 if parent.isValid() else len(self._found)

    def columnCount(self, parent: Any = NONE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Return the title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Any, role: int = 0) -> Any:
        """Return what a cell shows."""
        one, column = self.component(index.row()), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(one, column)
        if role == Qt.ItemDataRole.DecorationRole and column == CLASS:
            return self._icons.get(one.label)
        if role == Qt.ItemDataRole.TextAlignmentRole and column != CLASS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, one: Component, column: int) -> str:
        if column == CLASS:
            return self._classes.get(one.label, Class(one.label)).name
        if column == AREA:
            return f"{one.area * (self._pixel_area or 0):.4g}"
        if column == BOX:
            return f"{one.top}-{one.bottom - 1}, {one.left}-{one.right - 1}"
        return f"{one.area:,}" if column == PIXELS else f"{(one.y, one.x)[column - MIDDLE_Y]:.1f}"

    def sort(self, column: int, order: Any = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column; what is chosen stays chosen."""
        self.layoutAboutToBeChanged.emit()
        held = self.persistentIndexList()
        chosen = [self._order[index.row()] for index in held]
        keys = self._keys(column)
        down = order == Qt.SortOrder.DescendingOrder
        self._order = np.argsort(-keys if down else keys, kind="stable")
        row_of = np.argsort(self._order)
        moved = [
            self.index(int(row_of[i]), index.column())
            for i, index in zip(chosen, held, strict=True)
        ]
        self.changePersistentIndexList(held, moved)
        self.layoutChanged.emit()

    def _keys(self, column: int) -> NDArray[np.float64]:
        name = {CLASS: "label", MIDDLE_Y: "y", MIDDLE_X: "x", BOX: "top"}.get(column, "area")
        return np.array([getattr(c, name) for c in self._found], np.float64)


def component_view(model: Components, go_to: Callable[[Component], object]) -> QTableView:
    """Return a table of components; the one whose row is chosen is gone to."""
    made = QTableView()
    made.setModel(model)
    made.setToolTip(
        "The connected parts of the segmentation. Click on one to go to it, on a title to sort"
    )
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    made.setSortingEnabled(True)
    made.setWordWrap(False)
    made.setFixedHeight(HEIGHT)
    header: Any = made.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setResizeContentsPrecision(LOOKED_AT)
    header.setSortIndicator(PIXELS, Qt.SortOrder.DescendingOrder)
    rows: Any = made.verticalHeader()
    rows.hide()
    chosen: Any = made.selectionModel()
    chosen.currentRowChanged.connect(
        lambda now, _: go_to(model.component(now.row())) if now.isValid() else None
    )
    return made
