"""Tools for objects: classing and selecting them, cutting them, drawing around what is one."""

from __future__ import annotations

from typing import Literal

import numpy as np

from stroma.napari.objects.desk import ObjectDesk
from stroma.napari.objects.hand import Press, Tool
from stroma.napari.objects.layers import ObjectLayers
from stroma.napari.objects.sketch import LINE, Drawn

CLICK, CARVE, LABEL, SELECT, SPLIT, DRAW, REASSIGN = (
    "click",
    "carve",
    "label",
    "select",
    "split",
    "draw",
    "reassign",
)
TITLES = {
    CLICK: ("Click", "A"),
    CARVE: ("Carve", "K"),
    LABEL: ("Class", "L"),
    SELECT: ("Select", "Q"),
    SPLIT: ("Cut", "C"),
    DRAW: ("Draw", "D"),
    REASSIGN: ("Give", "G"),
}
"""Names of tools, and their keys."""

HELP = {
    CLICK: (
        "Click an object and commit it (C). A right click, or Alt, says what is not of it; a drag "
        "is a box around it, with Shift a stroke on it."
    ),
    CARVE: (
        "Draw on an object, and with the right button, or Alt, beside it: regions of the image are "
        "shared out between both. In a volume, on all planes."
    ),
    LABEL: (
        "Click objects of the class that is chosen; click once more to take it back. Keys 1 to 9 "
        "choose."
    ),
    SELECT: (
        "Click an object; with Shift, more of them. Keys 1 to 9 then give all of them a class."
    ),
    SPLIT: "Draw a line right across an object, from outside to outside.",
    DRAW: "Draw around what is to be a new object.",
    REASSIGN: (
        "Draw around what belongs to the object that is selected; with Alt, what belongs to none."
    ),
}
"""What each tool is for."""

Kind = Literal["split", "draw", "reassign"]


class Labelling:
    """Gives the object that is clicked the class that is chosen."""

    def __init__(self, desk: ObjectDesk) -> None:
        self._desk = desk

    def moved(self, press: Press) -> None:
        """Draw nothing."""

    def done(self, press: Press) -> None:
        """Give the class, or take it back."""
        if press.still:
            self._desk.studio.attempt(lambda: self._desk.toggle(press.points[0]))


class Selecting:
    """Selects the object that is clicked."""

    def __init__(self, desk: ObjectDesk) -> None:
        self._desk = desk

    def moved(self, press: Press) -> None:
        """Draw nothing."""

    def done(self, press: Press) -> None:
        """Select it; with Shift, it too."""
        number = self._desk.studio.attempt(lambda: self._desk.at(press.points[0]))
        self._desk.select([number] if number else [], more=press.shift)


class Drawing:
    """Corrects objects by a line, or by what is drawn around.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    layers : ObjectLayers
        Where the line is shown.
    kind : {"split", "draw", "reassign"}
        What is corrected.
    """

    def __init__(self, desk: ObjectDesk, layers: ObjectLayers, kind: Kind) -> None:
        self._desk, self._layers, self._kind = desk, layers, kind

    def moved(self, press: Press) -> None:
        """Show the line."""
        wide = 2 * self._layers.screen_pixel
        closed = self._kind != SPLIT
        line = Drawn(np.array(press.points), LINE, width=wide, closed=closed)
        _, plane = self._desk.place
        self._layers.draw([line], plane)

    def done(self, press: Press) -> None:
        """Correct the objects."""
        _, plane = self._desk.place
        self._layers.draw([], plane)
        if press.still:
            return
        given = [0] if press.alt else sorted(self._desk.selected)
        numbers = given if self._kind == REASSIGN else []
        self._desk.correct(self._kind, numbers, press.points)


def tool_of(desk: ObjectDesk, layers: ObjectLayers, name: str) -> Tool:
    """Return a tool by its name; clicking and carving have their own."""
    if name == LABEL:
        return Labelling(desk)
    if name == SELECT:
        return Selecting(desk)
    kinds: dict[str, Kind] = {SPLIT: "split", DRAW: "draw", REASSIGN: "reassign"}
    return Drawing(desk, layers, kinds[name])
