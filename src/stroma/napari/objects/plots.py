"""Pictures of measures: how often each value is, and one measure beside another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPen
from qtpy.QtWidgets import QWidget

from stroma.napari.objects.desk import ObjectDesk

HEIGHT, EDGE, FOOT = 150, 6, 16
BINS = 40
DOT, CHOSEN = 2.5, 4.0

Floats = NDArray[np.float64]


class Plot(QWidget):
    """A histogram of a measure, or points of two; dragging over it selects objects.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    """

    def __init__(self, desk: ObjectDesk) -> None:
        super().__init__()
        self._desk = desk
        self.across = self.upwards = ""
        self._dragged: tuple[QPointF, QPointF] | None = None
        self.setMinimumHeight(HEIGHT)
        self.setToolTip("Drag over values to select the objects that have them")
        self.setAccessibleName("Measures of the objects")
        for signal in (desk.known, desk.look):
            signal.connect(self.show_again)

    def show_measures(self, x: str, y: str) -> None:
        """Plot a measure, or (``y`` given) two against each other."""
        self.across, self.upwards = x, y
        self.update()

    def show_again(self) -> None:
        """Paint the picture anew."""
        self.update()

    # ------------------------------------------------------------------ where values lie

    def _along(self, name: str, length: float) -> Floats:
        """Return where every row lies along an axis of the picture, in pixels; NaN for none."""
        values = self._desk.values(name)
        values = np.where(self._desk.passes(), values, np.nan)
        low, high = bounds_of(self._desk.values(name))
        return EDGE + (values - low) / (high - low) * (length - 2 * EDGE)

    def _places(self) -> tuple[Floats, Floats]:
        x = self._along(self.across, self.width())
        if not self.upwards:
            return x, np.zeros(len(x))
        return x, self._room - self._along(self.upwards, self._room)

    @property
    def _room(self) -> float:
        return float(self.height() - FOOT)

    def inside(self, start: QPointF, end: QPointF) -> list[int]:
        """Return the objects within a rectangle of the picture; of a histogram, within its width.

        Parameters
        ----------
        start, end : QPointF
            Corners.
        """
        x, y = self._places()
        found = (x >= min(start.x(), end.x())) & (x <= max(start.x(), end.x()))
        if self.upwards:
            found &= (y >= min(start.y(), end.y())) & (y <= max(start.y(), end.y()))
        return [int(number) for number in self._desk.numbers[found]]

    # ------------------------------------------------------------------ the pointer

    def mousePressEvent(self, event: Any) -> None:
        """Begin to drag."""
        self._dragged = event.position(), event.position()

    def mouseMoveEvent(self, event: Any) -> None:
        """Select what is dragged over."""
        if self._dragged is not None:
            self._dragged = self._dragged[0], event.position()
            self._desk.select(self.inside(*self._dragged))

    def mouseReleaseEvent(self, event: Any) -> None:
        """Leave what is selected; a click selects nothing."""
        if self._dragged is not None and self._dragged[0] == self._dragged[1]:
            self._desk.select([])
        self._dragged = None
        self.update()

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: Any) -> None:
        """Paint the picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.across and len(self._desk.numbers):
            self._paint_points(painter) if self.upwards else self._paint_bars(painter)
            self._paint_ends(painter)
        if self._dragged is not None:
            painter.setPen(QColor(128, 128, 128))
            painter.setBrush(QColor(128, 128, 128, 60))
            painter.drawRect(self._rectangle(*self._dragged))
        painter.end()

    def _rectangle(self, start: QPointF, end: QPointF) -> QRectF:
        found = QRectF(start, end).normalized()
        return found if self.upwards else QRectF(found.left(), 0, found.width(), self._room)

    def _text(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.Text)

    def _paint_points(self, painter: Any) -> None:
        x, y = self._places()
        colours = np.round(self._desk.colours() * 255).astype(int)
        chosen = np.isin(self._desk.numbers, list(self._desk.selected))
        for row in np.flatnonzero(np.isfinite(x) & np.isfinite(y)):
            painter.setBrush(QColor(*colours[row].tolist()))
            painter.setPen(self._text() if chosen[row] else Qt.PenStyle.NoPen)
            radius = CHOSEN if chosen[row] else DOT
            painter.drawEllipse(QPointF(x[row], y[row]), radius, radius)

    def _paint_bars(self, painter: Any) -> None:
        x = self._along(self.across, self.width())
        chosen = np.isin(self._desk.numbers, list(self._desk.selected))
        ends = EDGE, self.width() - EDGE
        counts, _ = np.histogram(x[np.isfinite(x)], BINS, ends)
        marked, _ = np.histogram(x[np.isfinite(x) & chosen], BINS, ends)
        wide, most = (ends[1] - ends[0]) / BINS, max(1, counts.max())
        painter.setPen(QPen(Qt.PenStyle.NoPen))
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        for heights, colour in ((counts, accent), (marked, self._text())):
            painter.setBrush(colour)
            for k, count in enumerate(heights):
                high = count / most * (self._room - EDGE)
                painter.drawRect(QRectF(EDGE + k * wide, self._room - high, wide - 1, high))

    def _paint_ends(self, painter: Any) -> None:
        painter.setPen(self._text())
        low, high = bounds_of(self._desk.values(self.across))
        below = QRectF(EDGE, self._room, self.width() - 2 * EDGE, FOOT)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft), f"{low:.4g}")
        painter.drawText(below, int(Qt.AlignmentFlag.AlignRight), f"{high:.4g}")


def bounds_of(values: Floats) -> tuple[float, float]:
    """Return the least and the greatest value, never the same; those that are NaN are left out."""
    there = values[np.isfinite(values)]
    if not len(there):
        return 0.0, 1.0
    low, high = float(there.min()), float(there.max())
    return low, high if high > low else low + 1.0
