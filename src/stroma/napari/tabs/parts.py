"""Small pieces that the tabs are put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from qtpy.QtCore import QEvent, QItemSelectionModel, QObject, QRect, QSignalBlocker, Qt
from qtpy.QtGui import QColor, QIcon, QPalette, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

SWATCH = 14
SHARE = int(Qt.ItemDataRole.UserRole) + 1
BAR_COLOR = SHARE + 1
SORT_KEY = SHARE + 2
ROW_KEY = SHARE + 3
BAR_ALPHA = 120


def button(text: str, tip: str, action: Callable[[], object]) -> QPushButton:
    """Return a button; nothing it does is passed the state of the button."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.clicked.connect(lambda _=False: action())
    return made


def check(text: str, tip: str, action: Callable[[bool], object], *, on: bool = False) -> QCheckBox:
    """Return a box to tick."""
    made = QCheckBox(text)
    made.setToolTip(tip)
    made.setChecked(on)
    made.toggled.connect(action)
    return made


def choice(tip: str, action: Callable[[Any], object]) -> QComboBox:
    """Return a list to choose from; fill it with `offer`."""
    made = QComboBox()
    made.setToolTip(tip)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(8)
    made.activated.connect(lambda index: action(made.itemData(index)))
    return made


def offer(box: QComboBox, items: Iterable[tuple[str, Any]], value: Any = None) -> None:
    """Put items, each a text and a value, in place of those of a list; choose one."""
    with QSignalBlocker(box):
        box.clear()
        chosen = -1
        for index, (text, data) in enumerate(items):
            box.addItem(text, data)
            if data is value or data == value:
                chosen = index
        box.setCurrentIndex(chosen)


def number(tip: str, action: Callable[[int], object], low: int, high: int, value: int) -> QSpinBox:
    """Return a field for a whole number, which acts when the number is complete."""
    made = QSpinBox()
    made.setRange(low, high)
    made.setValue(value)
    made.setToolTip(tip)
    made.setKeyboardTracking(False)
    made.valueChanged.connect(action)
    return made


def fraction(
    tip: str, action: Callable[[float], object], low: float, high: float, value: float
) -> QDoubleSpinBox:
    """Return a field for a number."""
    made = QDoubleSpinBox()
    made.setDecimals(3)
    made.setSingleStep(0.01)
    made.setRange(low, high)
    made.setValue(value)
    made.setToolTip(tip)
    made.setKeyboardTracking(False)
    made.valueChanged.connect(action)
    return made


def show_value(field: Any, value: Any) -> None:
    """Show a value in a field without acting on it."""
    with QSignalBlocker(field):
        if isinstance(field, QCheckBox):
            field.setChecked(bool(value))
        elif isinstance(field, QComboBox):
            field.setCurrentIndex(field.findData(value))
        else:
            field.setValue(value)


def note(text: str = "") -> QLabel:
    """Return a line or more of text."""
    made = QLabel(text)
    made.setWordWrap(True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def row(*widgets: QWidget, stretch: int | None = None) -> QHBoxLayout:
    """Return widgets side by side; one of them may take the room that is left."""
    made = QHBoxLayout()
    made.setSpacing(4)
    for index, widget in enumerate(widgets):
        made.addWidget(widget, 1 if stretch in (None, index) else 0)
    return made


def group(title: str, *rows: QWidget | QLayout) -> QGroupBox:
    """Return rows in a frame with a title."""
    made = QGroupBox(title)
    layout = QVBoxLayout(made)
    layout.setContentsMargins(8, 8, 8, 8)
    layout.setSpacing(4)
    for one in rows:
        layout.addLayout(one) if isinstance(one, QLayout) else layout.addWidget(one)
    return made


def form(*rows: tuple[str | QLabel, QWidget]) -> QFormLayout:
    """Return rows of a name and a field, whose tip the name shares."""
    made = QFormLayout()
    made.setSpacing(4)
    made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for text, field in rows:
        label = QLabel(text) if isinstance(text, str) else text
        label.setToolTip(field.toolTip())
        made.addRow(label, field)
    return made


def page(*parts: QWidget | QLayout) -> QScrollArea:
    """Return parts below each other, scrolled where there is little room."""
    inner = QWidget()
    layout = QVBoxLayout(inner)
    layout.setContentsMargins(4, 4, 4, 4)
    layout.setSpacing(6)
    for one in parts:
        layout.addLayout(one) if isinstance(one, QLayout) else layout.addWidget(one)
    layout.addStretch(1)
    made = QScrollArea()
    made.setWidgetResizable(True)
    made.setFrameShape(QScrollArea.Shape.NoFrame)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setWidget(inner)
    return made


def table(tip: str, columns: Sequence[str]) -> QTableWidget:
    """Return an empty table whose rows can be chosen."""
    made = QTableWidget(0, len(columns))
    made.setHorizontalHeaderLabels(list(columns))
    rows: Any = made.verticalHeader()
    rows.hide()
    header: Any = made.horizontalHeader()
    made.setToolTip(tip)
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    made.setMinimumHeight(110)
    made.setWordWrap(False)
    made.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    return made


class Sorted(NamedTuple):
    """Text in a table that is sorted by something else."""

    text: str
    key: Any
    tip: str = ""


class _Item(QTableWidgetItem):
    """A cell that is sorted by its key."""

    def __lt__(self, other: QTableWidgetItem) -> bool:
        """Compare two cells of a column."""
        own, others = self.data(SORT_KEY), other.data(SORT_KEY)
        return self.text().lower() < other.text().lower() if own is None else bool(own < others)


def fill(shown: QTableWidget, rows: Sequence[Sequence[Any]], keys: Sequence[str] = ()) -> None:
    """Put rows in place of those of a table; those chosen stay so.

    Parameters
    ----------
    shown : QTableWidget
        The table.
    rows : sequence of sequence
        A cell is text, (text, "#rrggbb"), or `Sorted`.
    keys : sequence of str
        What tells the rows from each other, see `chosen`.
    """
    held, sorts = chosen(shown), shown.isSortingEnabled()
    with QSignalBlocker(shown):
        shown.setSortingEnabled(False)
        shown.setRowCount(len(rows))
        for i, cells in enumerate(rows):
            for j, cell in enumerate(cells):
                shown.setItem(i, j, _item(cell))
            if keys:
                first: Any = shown.item(i, 0)
                first.setData(ROW_KEY, keys[i])
        shown.setSortingEnabled(sorts)
    if keys:
        _choose(shown, held)


def chosen(shown: QTableWidget) -> list[str]:
    """Return the keys of the rows that are chosen, from top to bottom."""
    model: Any = shown.selectionModel()
    rows = sorted(index.row() for index in model.selectedRows())
    return [key for key in (row_key(shown, row) for row in rows) if key is not None]


def row_key(shown: QTableWidget, row: int) -> str | None:
    """Return the key of a row."""
    first = shown.item(row, 0)
    return None if first is None else first.data(ROW_KEY)


def _choose(shown: QTableWidget, keys: Sequence[str]) -> None:
    shown.clearSelection()
    model: Any = shown.selectionModel()
    rows: Any = shown.model()
    flags = QItemSelectionModel.SelectionFlag
    for row in range(shown.rowCount()):
        if row_key(shown, row) in keys:
            model.select(rows.index(row, 0), flags.Select | flags.Rows)


def _item(cell: Any) -> QTableWidgetItem:
    """Return a cell; numbers, and what is sorted as numbers, stand on the right."""
    text, key, tip, color = cell, cell if isinstance(cell, int) else None, "", None
    if isinstance(cell, Sorted):
        text, key, tip = cell
    elif isinstance(cell, tuple):
        text, color = cell
    made = _Item(str(text))
    made.setToolTip(tip)
    if key is not None:
        made.setData(SORT_KEY, key)
    if isinstance(key, int | float):
        made.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    if color:
        made.setIcon(swatch(color))
    return made


def fit_height(shown: QTableWidget, most: int = 8) -> None:
    """Make a table as high as its rows, up to so many."""
    header: Any = shown.horizontalHeader()
    rows = [shown.rowHeight(i) for i in range(min(shown.rowCount(), most))]
    shown.setFixedHeight(header.sizeHint().height() + sum(rows) + 2 * shown.frameWidth() + 2)


def swatch(color: str) -> QIcon:
    """Return a square of a colour."""
    pixels = QPixmap(SWATCH, SWATCH)
    pixels.fill(QColor(color))
    return QIcon(pixels)


class Bars(QStyledItemDelegate):
    """Shows how large a number is: a bar over cells that have a share and a colour (`set_bar`)."""

    def paint(self, painter: Any, option: Any, index: Any) -> None:
        """Paint the cell, its bar, and its text over that."""
        blank = QStyleOptionViewItem(option)
        self.initStyleOption(blank, index)
        text, blank.text = blank.text, ""
        style: Any = blank.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, blank, painter, blank.widget)
        room = option.rect.adjusted(1, 2, -1, -2)
        bar = QRect(room)
        bar.setWidth(round(room.width() * (index.data(SHARE) or 0)))
        filled = QColor(index.data(BAR_COLOR))
        filled.setAlpha(BAR_ALPHA)
        painter.fillRect(bar, filled)
        painter.setPen(blank.palette.color(QPalette.ColorRole.Text))
        painter.drawText(room.adjusted(4, 0, -4, 0), int(blank.displayAlignment), text)


def set_bar(item: QTableWidgetItem, share: float, color: str) -> None:
    """Give a cell a bar of a part of its width, from 0 to 1."""
    item.setData(SHARE, share)
    item.setData(BAR_COLOR, color)


class NoTips(QObject):
    """Keeps the tool tips of a widget, and of all in it, from showing."""

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Swallow tool tips."""
        return bool(event.type() == QEvent.Type.ToolTip)

    def on(self, widget: QWidget) -> None:
        """Begin."""
        for one in (widget, *widget.findChildren(QWidget)):
            one.installEventFilter(self)

    def off(self, widget: QWidget) -> None:
        """Show tips again."""
        for one in (widget, *widget.findChildren(QWidget)):
            one.removeEventFilter(self)


class WhenShown(QObject):
    """Calls a function whenever a widget appears.

    Parameters
    ----------
    widget : QWidget
        The widget.
    action : callable
        What is called.
    """

    def __init__(self, widget: QWidget, action: Callable[[], object]) -> None:
        super().__init__(widget)
        self._action = action
        widget.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Act, and let the event pass."""
        if event.type() == QEvent.Type.Show:
            self._action()
        return False
