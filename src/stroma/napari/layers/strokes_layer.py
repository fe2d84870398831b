"""The layer that strokes are painted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels

from stroma.data.classes import free_label
from stroma.data.strokes import as_labels
from stroma.errors import ShapeError
from stroma.napari.layers.arrays import PlaneArray
from stroma.napari.layers.views import Pen

AT_REST = ("erase", "pan_zoom", "transform")
"""Modes that a choice of another label ends."""


class Strokes(Labels):  # type: ignore[misc]
    """A labels layer that keeps nothing: painting goes to the session, and so does undoing.

    Parameters
    ----------
    data : PlaneArray
        From `views.strokes_array`.
    pen : Pen
        The same that the array writes with.
    whole : PlaneArray
        The same for all pixels of the planes, where ``data`` covers a part of them.
    **options
        As for a labels layer.
    """

    def __init__(self, data: Any, *, pen: Pen, whole: PlaneArray, **options: Any) -> None:
        self.pen = pen
        self.whole = whole
        super().__init__(data, **options)
        self._chosen = self.selected_label
        self.events.paint.connect(self._end_stroke)
        self.events.selected_label.connect(self._paint_with_it)

    @property
    def data(self) -> Any:
        """What is painted."""
        return super().data

    @data.setter
    def data(self, values: Any) -> None:
        if isinstance(values, PlaneArray):
            super(Strokes, type(self)).data.fset(self, values)
        else:
            self.take(values)

    def take(self, values: Any) -> None:
        """Take labels in place of all that is painted on the image, as one step of undo.

        Parameters
        ----------
        values : array of int
            Of the shape of ``data``, or of all planes of the image.

        Raises
        ------
        ShapeError
            If they have another shape.
        LabelError
            If they are no labels.
        """
        labels = as_labels(np.asarray(values), source="What is given as annotations")
        found = [one for one in (self.data, self.whole) if one.shape == labels.shape]
        if not found:
            raise ShapeError(
                f"The annotations of this image have the shape {self.whole.shape}, got labels of "
                f"{labels.shape}. For one plane of it: layer.data[3] = labels"
            )
        self.pen.lift()
        found[0][...] = labels
        self.pen.lift()
        self.refresh()

    def undo(self) -> None:
        """Unmake the last edit of the session, and show where it was."""
        self.pen.lift()
        self.pen.show(self.pen.session.undo())

    def redo(self) -> None:
        """Make the edit that was undone last again, and show where it is."""
        self.pen.lift()
        self.pen.show(self.pen.session.redo())

    def look_through(self, data: Any, scale: Any, translate: Any) -> None:
        """Show another part of the image, and draw it once."""
        with self._block_refresh():
            self.scale, self.translate = scale, translate
        self.data = data

    def take_new(self) -> None:
        """Paint with the next label that has no class; it gets one with its first stroke."""
        self.selected_label = free_label(self.pen.session.classes)
        self.mode = "paint"

    def take_nth(self, nth: int) -> None:
        """Paint the n-th class; nothing where there are fewer."""
        classes = self.pen.session.classes
        if nth <= len(classes):
            self.selected_label = classes[nth - 1].label
            self.mode = "paint"

    @property
    def _type_string(self) -> str:
        return "labels"  # for napari, its writers and icons, this is one of its labels layers

    def _paint_with_it(self) -> None:
        """Paint with a label that was chosen: nobody chooses one to erase or to look around."""
        if self.selected_label != self._chosen and self.mode in AT_REST:
            self.mode = "paint"
        self._chosen = self.selected_label

    def _end_stroke(self) -> None:
        self.pen.lift()
        self._reset_history()  # the session remembers; a second history would only take memory


def _takes(nth: int) -> Callable[[Strokes], None]:
    """Return what a number key does."""

    def take(layer: Strokes) -> None:
        layer.take_nth(nth)

    return take


Strokes.bind_key("M", Strokes.take_new)  # napari's own looks for the largest label in an array
for _nth in range(1, 10):
    Strokes.bind_key(str(_nth), _takes(_nth))  # napari's own choose its modes, which have letters
