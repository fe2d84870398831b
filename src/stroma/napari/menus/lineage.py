"""The lineage of a movie docked below it, with a button for each correction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from stroma.napari.studio.desk import TrackDesk
from stroma.napari.studio.lineage import Lineage
from stroma.session.tracks.book import KINDS, fits

SAYS = {
    "link": ("Link", "The earlier of two picked objects becomes the later one"),
    "unlink": ("Unlink", "The earlier of two picked objects does not become the later one"),
    "divide": ("Divide", "The earliest of three picked objects divides into the other two"),
    "merge": ("Merge", "Two picked objects become the third, which is later"),
    "swap": ("Swap", "Two picked objects of a frame exchange what becomes of them"),
    "delete": ("Delete", "The picked objects are none"),
    "undo": ("Undo", "Take back the last step"),
    "again": ("Link again", "Link all objects anew; what was corrected stays"),
}
HEIGHT = 120
"""Pixels of the lineage at least."""


class LineagePanel(QWidget):
    """Buttons for corrections, and the lineage below them.

    Parameters
    ----------
    calls : mapping of str to callable
        What each button does, by the names of ``SAYS``.
    """

    def __init__(self, calls: Mapping[str, Callable[[], object]]) -> None:
        super().__init__()
        self.desk: TrackDesk | None = None
        self.lineage = Lineage()
        self.picked = QLabel()
        self.picked.setWordWrap(True)
        self.buttons = {kind: _button(*said, calls[kind]) for kind, said in SAYS.items()}
        self._lay_out()
        self.destroyed.connect(partial(_leave, self))  # with the window, say
        self.show_picked()

    def follow(self, desk: TrackDesk | None) -> None:
        """Show the tracks of a desk from now on, or of none."""
        self.leave()
        self.desk = desk
        if desk is not None:
            desk.changed.connect(self.show_picked)
            desk.looked.connect(self.show_picked)
        self.lineage.follow(desk)
        self.show_picked()

    def give_up(self) -> None:
        """Close the desk, whose session is another now."""
        if self.desk is not None:
            self.desk.close()
        self.follow(None)

    def leave(self) -> None:
        """Follow no desk any longer; what is shown stays."""
        old, self.desk = self.desk, None
        self.lineage.leave()
        if old is not None:
            old.changed.disconnect(self.show_picked)
            old.looked.disconnect(self.show_picked)

    def show_picked(self) -> None:
        """Say what is picked, and offer what can be done with as many, of these frames."""
        desk = self.desk
        frames = [] if desk is None else [frame for frame, _ in desk.picked]
        shown = desk is not None and desk.tracks is not None
        for kind in KINDS:
            offered = bool(frames) if kind == "delete" else fits(kind, frames)
            self.buttons[kind].setEnabled(offered)
        for kind in ("undo", "again"):
            self.buttons[kind].setEnabled(shown)
        self.picked.setText("" if desk is None or not shown else desk.said())

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        for button in self.buttons.values():
            above.addWidget(button)
        above.addWidget(self.picked, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(self.lineage)
        area.setMinimumHeight(HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(above)
        layout.addWidget(area, 1)


def _button(title: str, tip: str, call: Callable[[], object]) -> QPushButton:
    made = QPushButton(title)
    made.setToolTip(tip)
    made.clicked.connect(lambda *_: call())
    return made


def _leave(panel: Any, *_: object) -> None:
    panel.leave()
