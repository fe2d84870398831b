"""A plane of a volume in a small window: a picture in proportion, and where the others cut it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy import QtCore
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

LEAST = 120
"""Pixels of the screen, at least."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """What a pane shows.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8
        The plane; perhaps not every row and column of it.
    shape : (int, int)
        Rows and columns of the plane.
    stretch : float
        Height of a pixel, in its widths.
    """

    picture: NDArray[np.uint8]
    shape: tuple[int, int]
    stretch: float


class Pane(QWidget):
    """Shows a plane; a click, or a drag, says where the planes are to meet.

    Attributes
    ----------
    pointed : Signal
        Emitted with row and column of the pixel under the mouse.
    """

    pointed: Any = QtCore.Signal(int, int)  # type: ignore[attr-defined]

    def __init__(self) -> None:
        super().__init__()
        self.sheet: Sheet | None = None
        self.cross = (0, 0)
        self.setMinimumSize(LEAST, LEAST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setToolTip("Click: all planes go through this voxel.")

    def show_sheet(self, sheet: Sheet | None) -> None:
        """Show a plane, or none."""
        self.sheet = sheet
        self.update()

    def show_cross(self, row: int, column: int) -> None:
        """Show where the other planes cut this one."""
        self.cross = (row, column)
        self.update()

    def place(self, row: float, column: float) -> QPointF:
        """Return where a place of the plane is in the pane; pixels reach from 0 to 1."""
        at = self._frame()
        rows, columns = self.sheet.shape if self.sheet else (1, 1)
        return QPointF(
            at.left() + column / columns * at.width(), at.top() + row / rows * at.height()
        )

    def _frame(self) -> QRectF:
        """Return the rectangle that the plane fills, in the middle of the pane."""
        rows, columns = self.sheet.shape if self.sheet else (1, 1)
        high = rows * (self.sheet.stretch if self.sheet else 1.0)
        scale = min(self.width() / columns, self.height() / high)
        width, height = columns * scale, high * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def paintEvent(self, event: Any) -> None:  # the name is Qt's
        """Draw the plane, and a line where each of the others cuts it."""
        if self.sheet is None:
            return
        painter, frame = QPainter(self), self._frame()
        values = np.ascontiguousarray(self.sheet.picture)
        height, width = values.shape[:2]
        data: Any = values.data
        shown = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888)
        painter.drawImage(frame, shown)
        at = self.place(self.cross[0] + 0.5, self.cross[1] + 0.5)
        for thick, colour in ((3, QColor(0, 0, 0, 90)), (1, QColor(255, 255, 255, 180))):
            painter.setPen(QPen(colour, thick))
            painter.drawLine(QPointF(frame.left(), at.y()), QPointF(frame.right(), at.y()))
            painter.drawLine(QPointF(at.x(), frame.top()), QPointF(at.x(), frame.bottom()))
        painter.end()

    def mousePressEvent(self, event: Any) -> None:  # the name is Qt's
        """Say where the planes are to meet."""
        self._point(event)

    def mouseMoveEvent(self, event: Any) -> None:  # the name is Qt's
        """Say it again while the button is held."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._point(event)

    def _point(self, event: Any) -> None:
        if self.sheet is None:
            return
        frame, at = self._frame(), event.position()
        share = (at.y() - frame.top()) / frame.height(), (at.x() - frame.left()) / frame.width()
        row, column = (
            int(np.clip(part * size, 0, size - 1))
            for part, size in zip(share, self.sheet.shape, strict=True)
        )
        self.pointed.emit(row, column)
