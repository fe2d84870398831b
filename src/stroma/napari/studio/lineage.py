"""The lineage of a movie's tracks: a line for each over time, divisions and mergers as forks."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QPointF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QWidget

from stroma.data.tracks import Floats, Ints, Tracks
from stroma.io.tracks.lineage import COLOURS, families, rows
from stroma.napari.studio.desk import TrackDesk

ROW, MARGIN, LEFT = 14, 16, 12
NUMBER = 40
"""Pixels right of the last frame, for the numbers of tracks."""

LEAST = 4.0
"""Pixels of a frame at least, so that one can be pointed at."""

NONE = "No tracks are shown."
HINT = (
    "Click a line: the movie goes to that object, and it is picked instead of others. "
    "With Shift it is picked as well, or left out again."
)


class Lineage(QWidget):
    """Draws the lineage of a desk; a click leads to the object and picks it."""

    def __init__(self) -> None:
        super().__init__()
        self.desk: TrackDesk | None = None
        self.row: Floats = np.zeros(1)
        self.family: list[int] = [0]
        self.setToolTip(HINT)

    def follow(self, desk: TrackDesk | None) -> None:
        """Draw the tracks of a desk from now on, or of none."""
        self.leave()
        self.desk = desk
        if desk is not None:
            desk.changed.connect(self._on_changed)
            desk.looked.connect(self._on_step)
            desk.bridge.viewer.dims.events.point.connect(self._on_step)
        self._on_changed()

    def leave(self) -> None:
        """Follow no desk any longer; what is drawn stays."""
        old, self.desk = self.desk, None
        if old is not None:
            old.changed.disconnect(self._on_changed)
            old.looked.disconnect(self._on_step)
            old.bridge.viewer.dims.events.point.disconnect(self._on_step)

    @property
    def tracks(self) -> Tracks | None:
        """What is drawn."""
        return None if self.desk is None else self.desk.tracks

    def point(self, detection: int) -> tuple[float, float]:
        """Return where an object is drawn, in pixels from the left and from the top."""
        assert self.tracks is not None
        frame, track = self.tracks.detections.frame, self.tracks.track
        return self._x(int(frame[detection])), self._y(int(track[detection]))

    def object_at(self, x: float, y: float) -> int | None:
        """Return the object that is drawn at a point, or the one of that line next to it."""
        tracks = self.tracks
        if tracks is None or not tracks.count:
            return None
        track = int(np.argmin(np.abs(MARGIN + ROW * self.row[1:] - y))) + 1
        if abs(self._y(track) - y) > ROW / 2:
            return None
        members = np.flatnonzero(tracks.track == track)
        frame = (x - LEFT) / self._step
        return int(members[np.argmin(np.abs(tracks.detections.frame[members] - frame))])

    @property
    def _step(self) -> float:
        frames = 1 if self.tracks is None else self.tracks.detections.frames
        return max(LEAST, (self.width() - LEFT - NUMBER) / max(1, frames - 1))

    def _x(self, frame: int) -> float:
        return LEFT + self._step * frame

    def _y(self, track: int) -> float:
        return MARGIN + ROW * float(self.row[track])

    def sizeHint(self) -> QSize:  # the name is Qt's
        """Return the size at which every frame can be pointed at."""
        frames = 0 if self.tracks is None else self.tracks.detections.frames
        lowest = float(self.row.max(initial=0.0))
        return QSize(int(LEFT + NUMBER + LEAST * frames), int(2 * MARGIN + ROW * lowest))

    def mousePressEvent(self, event: Any) -> None:
        """Go to what is clicked, and pick it."""
        at = event.position()
        found = self.object_at(at.x(), at.y())
        if found is None or self.desk is None:
            return
        node = self.desk.go_to(found)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.desk.pick(*node)
        else:
            self.desk.pick_only(*node)

    def paintEvent(self, event: Any) -> None:
        """Draw what of the tracks, their forks and the frame of the viewer is in view."""
        painter, tracks = QPainter(self), self.tracks
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if tracks is None or self.desk is None:
            painter.setPen(self.palette().text().color())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, NONE)
            return
        x, top, bottom = self._x(self.desk.frame), event.rect().top(), event.rect().bottom()
        painter.setPen(QPen(QColor("#888888"), 1))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        y = MARGIN + ROW * self.row
        lineage = tracks.lineage
        low, high = (f(y[lineage], axis=1) for f in (np.min, np.max))
        self._draw_forks(painter, tracks, lineage[(high >= top) & (low <= bottom)])
        seen = np.flatnonzero((y > top - ROW) & (y < bottom + ROW))
        self._draw_lines(painter, tracks, seen[seen > 0])
        self._draw_picked(painter, tracks)

    def _draw_forks(self, painter: QPainter, tracks: Tracks, lineage: Ints) -> None:
        for earlier, later in lineage.tolist():
            start = self.point(tracks.ends[earlier - 1, 1])
            end = self.point(tracks.ends[later - 1, 0])
            painter.setPen(QPen(self._colour(later), 1.5))
            painter.drawLine(QPointF(*start), QPointF(start[0], end[1]))
            painter.drawLine(QPointF(start[0], end[1]), QPointF(*end))

    def _draw_lines(self, painter: QPainter, tracks: Tracks, seen: Ints) -> None:
        for track in seen.tolist():
            (x1, y), (x2, _) = (self.point(i) for i in tracks.ends[track - 1])
            painter.setPen(QPen(self._colour(track), 3))
            painter.drawLine(QPointF(x1, y), QPointF(max(x2, x1 + 1), y))
            painter.drawText(QPointF(x2 + 5, y + 4), str(track))

    def _draw_picked(self, painter: QPainter, tracks: Tracks) -> None:
        assert self.desk is not None
        painter.setPen(QPen(QColor("#ffcc00"), 2))
        for detection in self.desk.rows:
            painter.drawEllipse(QPointF(*self.point(detection)), 5, 5)

    def _colour(self, track: int) -> QColor:
        return QColor(COLOURS[self.family[track] % len(COLOURS)])

    def _on_changed(self) -> None:
        tracks = self.tracks
        self.row = np.zeros(1) if tracks is None else rows(tracks)
        self.family = [0] if tracks is None else families(tracks)
        self.setMinimumSize(self.sizeHint())
        self.update()

    def _on_step(self, event: Any = None) -> None:
        self.update()
