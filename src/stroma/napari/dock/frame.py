"""What of the dock widget is there at once: room for tabs, and a line of status below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    import napari

WIDTH = 340


class Frame(QWidget):
    """An empty dock widget.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer it is docked in.

    Attributes
    ----------
    tabs : QTabWidget
        Room for the tabs.
    status : QLabel
        What is under way, in words.
    progress : QProgressBar
        How far it is.
    stop : QPushButton
        Stops it.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.tabs = QTabWidget()
        self.tabs.setUsesScrollButtons(False)
        self.status = QLabel("Starting…")
        self.status.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.stop = QPushButton("Cancel")
        self.stop.setToolTip("Stop what is under way")
        self.stop.setEnabled(False)
        self._lay_out()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.status)
        below = QHBoxLayout()
        below.addWidget(self.progress, 1)
        below.addWidget(self.stop)
        layout.addLayout(below)
        self.setMinimumWidth(WIDTH)
