"""The dock widget: what is there at once, and how the rest of it comes."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.qt.threading import create_worker
from qtpy.QtCore import QTimer

from stroma.napari.dock.frame import Frame

if TYPE_CHECKING:
    import napari

    from stroma.napari.dock.panel import Panel


class StromaWidget(Frame):
    """Paint a few strokes, see the segmentation.

    What the widget needs is imported in the background, and its tabs are made one after the other,
    so that the viewer never waits.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer the widget is docked in.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self.panel: Panel | None = None
        self._closing: list[Callable[[], object]] = []
        # When the viewer's window is closed, its parts get no closeEvent.
        self.destroyed.connect(partial(_close, self._closing))
        # A program that ends with the window open takes Qt's objects away in any order, later.
        atexit.register(_close, self._closing)
        create_worker(
            loaded, _connect={"returned": self._make}, _progress={"desc": "Starting Stroma"}
        )

    def closeEvent(self, event: Any) -> None:
        """Close the session with the widget."""
        _close(self._closing)
        super().closeEvent(event)

    def _make(self, panel: Any) -> None:
        """Make the tabs, each in a turn of the event loop of its own."""
        made = self.panel = panel(self)
        self._closing.append(made.close)
        self._next(made.steps())

    def _next(self, steps: Any) -> None:
        if self._closing and next(steps, None) is not None:
            QTimer.singleShot(0, lambda: self._next(steps))


def _close(closing: list[Callable[[], object]], _: object = None) -> None:
    """Call what is to be done at the end, once."""
    while closing:
        closing.pop()()


def loaded() -> Any:
    """Import what the widget needs, and let napari compile how it colours labels."""
    from stroma.napari.dock.panel import Panel
    from stroma.napari.layers.colors import label_colors

    for dtype in (np.uint8, np.uint16):
        label_colors(()).map(np.zeros((2, 2), dtype))
    return Panel
