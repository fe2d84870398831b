"""Looking at measures: colours, plots, bounds, and the table of all objects."""

from __future__ import annotations

import math
from typing import Any

from qtpy.QtGui import QDoubleValidator
from qtpy.QtWidgets import QLabel, QLineEdit

from stroma.napari.objects.desk import CLASS, Bounds, ObjectDesk
from stroma.napari.objects.plots import Plot
from stroma.napari.tabs import parts

NONE = "-"
SIZES = ("area_um2", "area_px", "volume_um3", "volume_vx")


class Measures:
    """A part of the tab of objects.

    Parameters
    ----------
    desk : ObjectDesk
        The objects.
    """

    def __init__(self, desk: ObjectDesk) -> None:
        self._desk = desk
        self.colour = parts.choice("What the outlines are coloured by", desk.colour)
        self.x = parts.choice("The measure that is plotted", self._plot)
        self.y = parts.choice("Another measure, to plot both against each other", self._plot)
        self.by = parts.choice("Show only objects whose measure lies between two values", self._by)
        self.low, self.high = self._bound("from"), self._bound("to")
        self.plot = Plot(desk)
        self.widget = parts.group(
            "Measures",
            parts.form(("Colour by", self.colour), ("Plot", self.x), ("Against", self.y)),
            self.plot,
            parts.form(("Show only", self.by)),
            parts.row(self.low, QLabel("to"), self.high, stretch=None),
        )
        desk.known.connect(self.show)

    def _bound(self, text: str) -> QLineEdit:
        made = QLineEdit()
        made.setPlaceholderText(text)
        made.setValidator(QDoubleValidator())
        made.setToolTip("Objects with other values are not shown")
        made.editingFinished.connect(self._by)
        return made

    def show(self) -> None:
        """Offer the measures that there are; while there are no objects, those that there were."""
        desk = self._desk
        if desk.table is None and self.colour.count():
            return
        names = desk.measures
        titled = [(name, name) for name in names]
        usual = next((n for n in SIZES if n in names), names[0] if names else None)
        parts.offer(self.colour, [("class", CLASS), *titled], desk.colour_by)
        _offer(self.x, titled, usual)
        _offer(self.y, [(NONE, ""), *titled], "")
        by = "" if desk.bounds is None else desk.bounds.name
        parts.offer(self.by, [(NONE, ""), *titled], by)
        self._plot()

    def _plot(self, name: Any = None) -> None:
        self.plot.show_measures(self.x.currentData() or "", self.y.currentData() or "")

    def _by(self, name: Any = None) -> None:
        by = self.by.currentData()
        low, high = (_number(field.text(), usual) for field, usual in self._fields())
        self._desk.bound(Bounds(by, low, high) if by else None)

    def _fields(self) -> tuple[tuple[QLineEdit, float], ...]:
        return (self.low, -math.inf), (self.high, math.inf)


def _number(text: str, usual: float) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return usual


def _offer(box: Any, items: list[tuple[str, Any]], usual: Any) -> None:
    """Offer items if they are others; what was chosen stays chosen where it is among them."""
    before = box.currentData()
    if [box.itemData(i) for i in range(box.count())] == [data for _, data in items]:
        return
    there = before in [data for _, data in items]
    parts.offer(box, items, before if there and before is not None else usual)
