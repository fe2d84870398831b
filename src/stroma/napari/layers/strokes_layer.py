"""The layer that strokes are painted on."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels

from stroma.data.classes import free_label
from stroma.napari.layers.views import Pen


class Strokes(Labels):  # type: ignore[misc]
    """A labels layer that keeps nothing: painting goes to the session, and so does undoing.

    Parameters
    ----------
    data : PlaneArray
        From `views.strokes_array`.
    pen : Pen
        The same that the array writes with.
    **options
        As for a labels layer.
    """

    def __init__(self, data: Any, *, pen: Pen, **options: Any) -> None:
        self.pen = pen
        super().__init__(data, **options)
        self.events.paint.connect(self._end_stroke)

    def undo(self) -> None:
        """Unmake the last edit of the session."""
        self.pen.lift()
        self.pen.session.undo()

    def redo(self) -> None:
        """Make the edit that was undone last again."""
        self.pen.lift()
        self.pen.session.redo()

    def look_through(self, data: Any, scale: Any, translate: Any) -> None:
        """Show another part of the image, and draw it once."""
        with self._block_refresh():
            self.scale, self.translate = scale, translate
        self.data = data

    def take_new(self) -> None:
        """Paint with the next label that has no class; it gets one with its first stroke."""
        self.selected_label = free_label(self.pen.session.classes)
        self.mode = "paint"

    @property
    def _type_string(self) -> str:
        return "labels"  # for napari, its writers and icons, this is one of its labels layers

    def _end_stroke(self) -> None:
        self.pen.lift()
        self._reset_history()  # the session remembers; a second history would only take memory


Strokes.bind_key("M", Strokes.take_new)  # napari's own looks for the largest label in an array
