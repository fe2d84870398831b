"""What the segmentation of a plane consists of: how much of each class, and in which parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog

from stroma.blocks.box import Box
from stroma.errors import StromaError
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.component_table import AREA, Components, component_view
from stroma.session import events as ev
from stroma.session.core.status import Measurement
from stroma.session.events import Event, Position
from stroma.workflow.components import Component, Measured
from stroma.workflow.tables import write_components

CHANGED = " The segmentation has changed since; measure again."


class Measuring:
    """A part of the tab of classes.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._measured: Measured | None = None
        self._image, self._name = "", ""
        self._plane: Position = {}
        self.areas = parts.table(
            "How much of the plane each class covers, where there is a result",
            ("Class", "Share", "Pixels", "Parts"),
        )
        self.smallest = parts.number(
            "Parts of fewer pixels are not counted and not listed", lambda _: None, 0, 10**6, 0
        )
        self.components = Components()
        self.list = component_view(self.components, self.go_to)
        self.note = parts.note()
        self.widget = self._laid_out()
        self._show_none()
        studio.replaced.connect(self._show_none)
        studio.told.connect(self._on_told)

    def _laid_out(self) -> Any:
        measure = parts.button(
            "Measure the plane",
            "List the connected parts of the segmentation of this plane, and sum them up by class",
            self.measure,
        )
        self.save = parts.button(
            "Save as CSV…", "Write the list of parts into a table", self._ask_save
        )
        return parts.group(
            "Measure",
            parts.row(measure, self.save),
            parts.form(("Smallest part, pixels", self.smallest)),
            self.note,
            self.areas,
            self.list,
        )

    def measure(self) -> None:
        """Measure the plane in view."""
        studio, bridge = self._studio, self._studio.bridge
        if bridge is None or bridge.image is None:
            studio.say(StromaError("Choose an image in the tab Home first."))
            return
        image, plane, least = bridge.image, bridge.plane(), self.smallest.value()
        name = studio.session.image(image).name

        def then(found: Measurement[Measured]) -> None:
            if found.value is None:
                studio.say(StromaError(found.reason or "This is still being computed."))
                return
            self._image, self._name, self._plane = image, name, plane
            self.show(found.value)

        studio.do(lambda: studio.session.measure(image, plane=plane, min_size=least), then)

    def show(self, measured: Measured) -> None:
        """Show what was measured."""
        self._measured = measured
        classes = {c.label: c for c in measured.classes}
        cells = [(classes[c.label], c) for c in measured.coverage]
        parts.fill(
            self.areas,
            [
                (
                    (c.name, c.color),
                    parts.Sorted(f"{a.share:.1%}", a.share),
                    parts.Sorted(f"{a.area:,}", a.area),
                    a.components,
                )
                for c, a in cells
            ],
        )
        parts.fit_height(self.areas)
        self.components.show(measured)
        self.list.setColumnHidden(AREA, not self.components.has_areas)
        self.list.resizeColumnsToContents()
        at = "".join(f", {axis} = {i}" for axis, i in self._plane.items())
        count = len(measured.components)
        self.note.setText(f"{self._name}{at}: {count:,} part{'s' * (count != 1)}.")
        for one in (self.areas, self.list, self.note):
            one.show()
        self.save.setEnabled(True)

    def _show_none(self) -> None:
        self._measured, self._image = None, ""
        for one in (self.areas, self.list, self.note):
            one.hide()
        self.save.setEnabled(False)

    def go_to(self, one: Component) -> None:
        """Bring a component into the middle of the view, and frame it."""
        bridge = self._studio.bridge
        if bridge is None or self._image not in {i.key for i in bridge.session.images}:
            return
        if bridge.image != self._image:
            self._studio.attempt(lambda: bridge.show_image(self._image))
        bridge.show_place(Box(one.top, one.left, one.bottom, one.right), self._plane)

    def _ask_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self.widget, "Parts", f"{Path(self._name).stem}_components.csv", "Tables (*.csv)"
        )
        if path:
            self.save_as(Path(path))

    def save_as(self, path: Path) -> None:
        """Write the components that are listed into a table."""
        measured, name, plane = self._measured, self._name, self._plane
        if measured is not None:
            self._studio.call(
                f"Writing {path.name}",
                lambda: write_components(path, measured, name, plane),
                lambda _: self._studio.tell(f"Written: {path}"),
            )

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.ImageClosed) and event.image == self._image:
            self._show_none()
        elif isinstance(event, ev.BlockReady) and self._is_of(event):
            self.note.setText(self.note.text().removesuffix(CHANGED) + CHANGED)

    def _is_of(self, event: ev.BlockReady) -> bool:
        return event.image == self._image and event.plane == self._plane
