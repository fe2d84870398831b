"""The button "new" beside the label of napari's layer controls, for layers that hold no array."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QPushButton, QWidget

from stroma.napari.layers.strokes_layer import Strokes

NAME = "newLabelButton"
TAKEN = "stroma"


def take_new_button(window: QWidget, layer: Strokes) -> None:
    """Let the button take the next label that has no class.

    napari's own looks for the largest label in an array, and refuses layers that have none.

    Parameters
    ----------
    window : QWidget
        That of the viewer.
    layer : Strokes
        The layer whose button is meant.
    """
    for button in window.findChildren(QPushButton, NAME):
        if layer_of(button) is layer and not button.property(TAKEN):
            button.clicked.disconnect()
            button.clicked.connect(lambda _=False: layer.take_new())
            button.setToolTip("Paint a new class (M)")
            button.setProperty(TAKEN, True)


def layer_of(widget: QWidget) -> Any:
    """Return the layer whose controls a widget belongs to; None if it is in none."""
    parent: Any = widget
    while parent is not None:
        if hasattr(parent, "layer"):
            return parent.layer
        parent = parent.parentWidget()
    return None
