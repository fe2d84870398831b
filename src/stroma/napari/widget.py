"""The dock widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QProgressBar, QTabWidget, QVBoxLayout, QWidget

from stroma.errors import StromaError
from stroma.napari import commands, parts, pictures
from stroma.napari.activity import PHASES
from stroma.napari.advanced import Advanced
from stroma.napari.classes import Classes
from stroma.napari.files import Files
from stroma.napari.home import Home
from stroma.napari.model import Model
from stroma.napari.studio import studio_of
from stroma.session import events as ev
from stroma.session.events import Event

if TYPE_CHECKING:
    import napari

WIDTH = 340
STEPS = 1000


class StromaWidget(QWidget):
    """Paint a few strokes, see the segmentation.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer the widget is docked in.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self.studio = studio_of(napari_viewer)
        self._tips = parts.NoTips()
        self.home = Home(self.studio)
        self.model = Model(self.studio)
        self.classes = Classes(self.studio)
        self.files = Files(self.studio)
        self.advanced = Advanced(self.studio, self._show_tips)
        self.status = parts.note("Starting…")
        self.progress = QProgressBar()
        self.progress.setMaximum(0)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.stop = parts.button("Cancel", "Stop what is under way", self._stop)
        self._lay_out()
        commands.bind_keys(napari_viewer)
        self.studio.replaced.connect(self._begin)
        self.studio.told.connect(self._on_told)
        self.studio.watched.connect(self._show_status)
        napari_viewer.layers.events.inserted.connect(self._on_inserted)
        if self.studio.bridge is None:
            QTimer.singleShot(0, self.studio.begin)
        else:
            self.studio.replaced.emit()

    def _lay_out(self) -> None:
        tabs = QTabWidget()
        for tab in (self.home, self.model, self.classes, self.files, self.advanced):
            tabs.addTab(tab.widget, tab.title)
        tabs.setUsesScrollButtons(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(tabs, 1)
        layout.addWidget(self.status)
        layout.addLayout(parts.row(self.progress, self.stop, stretch=0))
        self.tabs = tabs
        self.setMinimumWidth(WIDTH)
        self._show_busy(False)

    def closeEvent(self, event: Any) -> None:
        """Close the session with the widget."""
        self.home.close()
        self.studio.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self.studio.close()
        super().closeEvent(event)

    # ------------------------------------------------------------------ images that come

    def _begin(self) -> None:
        bridge = self.studio.bridge
        if bridge is not None and bridge.image is None:
            self._take_first()
        self._show_status()

    def _on_inserted(self, event: Any) -> None:
        bridge = self.studio.bridge
        if bridge is not None and bridge.image is None:
            QTimer.singleShot(0, self._take_first)

    def _take_first(self) -> None:
        """Paint on the image that is there, if there is just one way to take it."""
        bridge = self.studio.bridge
        if bridge is None or bridge.image is not None or not self.advanced.auto.isChecked():
            return
        candidates = bridge.candidates()
        if not candidates:
            return
        layer = candidates[-1]
        self.studio.attempt(lambda: bridge.paint_on([layer], pictures.guessed_axes(layer)))

    # ------------------------------------------------------------------ status

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.Progress):
            self._show_progress(event)
        elif isinstance(event, ev.RoundFailed):
            self.status.setText(event.message)
            self._show_busy(False)

    def _show_progress(self, event: ev.Progress) -> None:
        left = f", {event.seconds_left:.0f} s left" if event.seconds_left > 1 else ""
        self.status.setText(f"{PHASES.get(event.what, event.what)}{left}")
        self._show_busy(True)
        self.progress.setMaximum(STEPS)
        self.progress.setValue(STEPS * event.done // max(1, event.total))

    def _show_status(self) -> None:
        bridge = self.studio.bridge
        if bridge is None:
            return
        status = bridge.session.status
        working = [t for t in bridge.session.tasks.values() if not t.done]
        if status.busy:
            self.status.setText(f"{PHASES.get(status.phase, 'Working')} …")
        elif working:
            self.status.setText(f"{working[0].what} …")
        elif bridge.image is None:
            self.status.setText("Open an image: drag it into the viewer, or use the tab Files.")
        else:
            self.status.setText(status.message or "Up to date. Paint more where it is wrong.")
        self._show_busy(status.busy or bool(working))

    def _show_busy(self, busy: bool) -> None:
        self.stop.setEnabled(busy)
        if not busy:
            self.progress.setMaximum(1)
            self.progress.setValue(0)
        elif self.progress.maximum() == 1:
            self.progress.setMaximum(0)

    def _stop(self) -> None:
        bridge = self.studio.bridge
        if bridge is None:
            raise StromaError("Nothing is under way.")
        bridge.session.cancel()
        for task in bridge.session.tasks.values():
            task.cancel()

    def _show_tips(self, on: bool) -> None:
        self._tips.off(self) if on else self._tips.on(self)
