"""What the segmentation of a plane consists of: how much of each class, and in which parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog

from stroma.blocks.box import Box
from stroma.errors import StromaError
from stroma.napari.studio.standing import in_words
from stroma.napari.studio.studio import Studio
from stroma.napari.tabs import parts
from stroma.napari.tabs.component_table import AREA, Components, component_view
from stroma.session import events as ev
from stroma.session.core.status import Measurement, OnScreen
from stroma.session.core.tasks import Task
from stroma.session.events import Event
from stroma.session.strokes.bench import Strokes
from stroma.session.words import plain
from stroma.workflow.applying.components import Component, Measured
from stroma.workflow.applying.tables import write_components

MEASURING = "Measuring …"
MEASURABLE = ("current", "older")
"""States of results that can be measured; of older ones it is said that they are."""


class Measuring:
    """A part of the tab of classes.

    Once the plane was measured, the numbers are about what is in view as long as the tab is open:
    there are none while they would not be true.

    Parameters
    ----------
    studio : Studio
        What the tabs share.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._measured: Measured | None = None
        self._image, self._name = "", ""
        self._follows = self._asked = False
        self._about: tuple[Any, ...] | None = None
        self._task: Task[Any] | None = None
        self.areas = parts.table(
            "How much of the plane each class covers, where there is a result",
            ("Class", "Share", "Pixels", "Parts"),
        )
        self.smallest = parts.number(
            "Parts of fewer pixels are not counted and not listed",
            lambda _: self._again(),
            0,
            10**6,
            0,
        )
        self.components = Components()
        self.list = component_view(self.components, self.go_to)
        self.note = parts.note()
        self.widget = self._laid_out()
        self._reset()
        self._when_shown = parts.WhenShown(self.widget, self.follow)
        studio.replaced.connect(self._reset)
        for signal in (studio.watched, studio.chosen):
            signal.connect(self.follow)
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
        """Measure the plane in view; from then on that is done again whenever it changes."""
        bridge = self._studio.bridge
        if bridge is None or bridge.image is None:
            self._studio.say(StromaError("Choose an image in the tab Home first."))
            return
        self._follows = self._asked = True
        self._again()

    def _again(self) -> None:
        self._about = None
        self.follow()

    def follow(self) -> None:
        """Measure what is in view if it is another or has changed, while the tab is open."""
        bridge = self._studio.bridge
        if bridge is None or not self._follows or not (self._asked or self.widget.isVisible()):
            return
        seen = bridge.gaze.standing(whole=True)
        if seen is None:
            self._reset()
        elif seen.state not in MEASURABLE:
            self._about = None
            self._show_none(MEASURING if seen.state == "computing" else in_words(seen))
        elif self._about != (about := self._subject(seen)):
            self._about = about
            self._show_none(MEASURING)
            self._begin(about, seen)

    def _subject(self, seen: OnScreen) -> tuple[Any, ...]:
        """Return what the numbers are about; another revision has numbers of its own."""
        status = self._studio.session.status
        return seen.image, seen.plane, seen.state, status.trained, self.smallest.value()

    def _begin(self, about: tuple[Any, ...], seen: OnScreen) -> None:
        """Measure; what is measured already is given up."""
        session, least = self._studio.session, self.smallest.value()
        name = session.image(seen.image).name

        def then(found: Measurement[Measured]) -> None:
            if about is self._about:  # not of an earlier time when the same was asked
                self._image, self._name, self._plane = seen.image, name, seen.plane
                self._take(found)

        def begin() -> Task[Measurement[Measured]]:
            if self._task is not None:
                self._task.cancel()
            self._task = session.measure(seen.image, plane=seen.plane, min_size=least)
            return self._task

        self._studio.do(begin, then)

    def _take(self, found: Measurement[Measured]) -> None:
        """Show numbers if there are any, and how true they are."""
        if found.value is not None:
            self._asked = False
            self.show(found.value, "" if found.state == "current" else plain(found.reason))
        elif found.state == "older":  # of a part only; more of it is told, and measured then
            self._asked = False
            self._show_none(plain(found.reason))
        else:
            self._again()  # it changed meanwhile

    def show(self, measured: Measured, but: str = "") -> None:
        """Show what was measured, and what is to be said of it."""
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
        self.note.setText(f"{self._name}{at}: {count:,} part{'s' * (count != 1)}. {but}".strip())
        for one in (self.areas, self.list, self.note):
            one.show()
        self.save.setEnabled(True)

    def _reset(self) -> None:
        """Measure nothing, until that is asked for."""
        self._follows = self._asked = False
        self._about = None
        self._show_none("")

    def _show_none(self, why: str) -> None:
        """Show no numbers, and why there are none."""
        self._measured, self._image = None, ""
        for one in (self.areas, self.list):
            one.hide()
        self.note.setText(why)
        self.note.setVisible(bool(why))
        self.save.setEnabled(False)

    def go_to(self, one: Component) -> None:
        """Bring a component into the middle of the view, and frame it."""
        bridge = self._studio.bridge
        if bridge is None or self._image not in {i.key for i in bridge.session.images}:
            return
        if bridge.image != self._image:
            self._studio.attempt(lambda: bridge.show_image(self._image))
        bridge.gaze.show_place(Box(one.top, one.left, one.bottom, one.right), self._plane)

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
            self._reset()
        elif isinstance(event, ev.ClassesChanged | ev.ImageChanged) or self._is_new(event):
            self._about = None  # `follow` comes with the end of what is told
        elif isinstance(event, ev.TaskFailed | ev.TaskCancelled) and self._is_own(event.task):
            self._asked = False
            self._show_none("It was not measured. Press Measure the plane to try again.")

    def _is_new(self, event: Event) -> bool:
        """Tell whether an event is about a result on the plane that was measured."""
        if not isinstance(event, ev.BlockReady) or self._about is None:
            return False
        own = event.bench == Strokes.name
        return own and [event.image, event.plane] == list(self._about[:2])

    def _is_own(self, task: int) -> bool:
        return self._about is not None and self._task is not None and self._task.number == task
