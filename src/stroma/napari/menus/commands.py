"""What can be done by a key or from the command palette."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import napari

from stroma.errors import StromaError
from stroma.napari.layers.board import SEGMENTATION, STROKES
from stroma.napari.studio.bridge import Bridge
from stroma.napari.studio.studio import Studio, studio_of


def toggle_annotations(viewer: Any = None) -> None:
    """Show or hide what is painted."""
    _toggle(viewer, STROKES)


def toggle_segmentation(viewer: Any = None) -> None:
    """Show or hide the segmentation."""
    _toggle(viewer, SEGMENTATION)


def train(viewer: Any = None) -> None:
    """Train now, on everything that is painted."""
    studio = _studio(viewer)
    studio.attempt(lambda: studio.session.train())


def segment(viewer: Any = None) -> None:
    """Segment what is in view with the present model, in any mode."""
    studio = _studio(viewer)

    def look() -> None:
        bridge = _bridge(studio)
        if studio.session.settings.mode == "paused":
            studio.session.set_mode("demand")
        bridge.show(SEGMENTATION)
        bridge.gaze.look()

    studio.attempt(look)


def suggest(viewer: Any = None) -> None:
    """Go to the place, of all images, where a stroke would help most."""
    studio = _studio(viewer)

    def ask() -> Any:
        bridge = _bridge(studio)
        if bridge.image is None:
            raise StromaError("There is no image to paint on. Choose one in the tab Home.")
        return studio.session.suggest_anywhere(bridge.image, plane=bridge.gaze.plane())

    def go(place: Any) -> None:
        if place is None:
            studio.say(StromaError("Nothing is uncertain yet: paint first."))
        else:
            _bridge(studio).lead_to(place.image, place.plane, place.found.box)

    studio.do(ask, go)


def take(viewer: Any, label: int) -> None:
    """Paint a class from now on; 0 erases."""
    studio = _studio(viewer)

    def paint() -> None:
        bridge = _bridge(studio)
        if bridge.board is None:
            raise StromaError("There is no image to paint on. Choose one in the tab Home.")
        bridge.show(STROKES)
        layer: Any = bridge.board.layer(STROKES)
        bridge.viewer.layers.selection.active = layer
        if label:
            layer.selected_label = label
        layer.mode = "paint" if label else "erase"

    studio.attempt(paint)


def take_nth(number: int, viewer: Any = None) -> None:
    """Paint the n-th class."""
    studio = _studio(viewer)
    classes = studio.attempt(lambda: studio.session.classes) or ()
    if number <= len(classes):
        take(viewer or studio.viewer, classes[number - 1].label)


def class_1(viewer: Any = None) -> None:
    """Paint the first class."""
    take_nth(1, viewer)


def class_2(viewer: Any = None) -> None:
    """Paint the second class."""
    take_nth(2, viewer)


def class_3(viewer: Any = None) -> None:
    """Paint the third class."""
    take_nth(3, viewer)


def class_4(viewer: Any = None) -> None:
    """Paint the fourth class."""
    take_nth(4, viewer)


KEYS: dict[str, Callable[[Any], None]] = {
    "Shift-A": toggle_annotations,
    "Shift-S": train,
    "Shift-D": segment,
    "Shift-F": toggle_segmentation,
    "Shift-Q": class_1,
    "Shift-W": class_2,
    "Shift-E": class_3,
    "Shift-R": class_4,
    "Shift-X": suggest,
}


def bind_keys(viewer: Any) -> None:
    """Bind the keys of the commands; napari does not take them from manifests yet."""
    for key, command in KEYS.items():
        viewer.bind_key(key, command, overwrite=True)


def _studio(viewer: Any) -> Studio:
    found = viewer or napari.current_viewer()
    if found is None:
        raise StromaError("There is no viewer. Open napari first.")
    return studio_of(found)


def _bridge(studio: Studio) -> Bridge:
    if studio.bridge is None:
        raise StromaError("Stroma is not open. Choose Plugins > Stroma.")
    return studio.bridge


def _toggle(viewer: Any, role: str) -> None:
    studio = _studio(viewer)

    def toggle() -> None:
        bridge = _bridge(studio)
        bridge.hide(role) if bridge.is_shown(role) else bridge.show(role)

    studio.attempt(toggle)
