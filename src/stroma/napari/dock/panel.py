"""What the dock widget holds once everything is imported: tabs, and the line of status."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from qtpy.QtCore import QTimer

from stroma.napari.dock.frame import Frame
from stroma.napari.layers import pictures
from stroma.napari.menus import commands
from stroma.napari.objects.tab import Objects
from stroma.napari.planes.dock import let_go
from stroma.napari.studio.activity import ROUND, titled
from stroma.napari.studio.standing import in_words
from stroma.napari.studio.studio import studio_of
from stroma.napari.tabs import parts
from stroma.napari.tabs.advanced import Advanced
from stroma.napari.tabs.classes import Classes
from stroma.napari.tabs.files import Files
from stroma.napari.tabs.home import Home
from stroma.napari.tabs.model import Model
from stroma.session import events as ev
from stroma.session.core.work import SILENT_SECONDS
from stroma.session.events import Event

STEPS = 1000


class Panel:
    """The inside of the widget.

    Parameters
    ----------
    widget : Frame
        Where it is shown.
    """

    home: Home
    model: Model
    classes: Classes
    objects: Objects
    files: Files
    advanced: Advanced

    def __init__(self, widget: Frame) -> None:
        self.widget = widget
        self.viewer = widget.viewer
        self.studio = studio_of(widget.viewer)
        self._tips = parts.NoTips()
        self._made: list[Any] = []
        self._since: dict[int, float] = {}
        self._paces: dict[int, tuple[str, str]] = {}

    def steps(self) -> Iterator[bool]:
        """Make everything, a little at a time."""
        self.home = self._add(Home(self.studio))
        yield True
        self.model = self._add(Model(self.studio))
        yield True
        self.classes = self._add(Classes(self.studio))
        yield True
        self.objects = self._add(Objects(self.studio))
        yield True
        self.files = self._add(Files(self.studio))
        yield True
        self.advanced = self._add(Advanced(self.studio, self._show_tips, self.files.chosen))
        yield True
        commands.bind_keys(self.viewer)
        self.widget.tabs.currentChanged.connect(self._on_tab)
        self.widget.stop.clicked.connect(lambda: self._stop())
        self.studio.replaced.connect(self._begin)
        self.studio.told.connect(self._on_told)
        for signal in (self.studio.watched, self.studio.chosen):
            signal.connect(self._show_status)
        self.viewer.layers.events.inserted.connect(self._on_inserted)
        if self.studio.bridge is not None:
            self.studio.replaced.emit()
        elif not self.studio.beginning:
            self.studio.begin()

    def _add(self, tab: Any) -> Any:
        self.widget.tabs.addTab(tab.widget, tab.title)
        self._made.append(tab)
        return tab

    def _on_tab(self, index: int) -> None:
        """Bring a tab up to date that was hidden."""
        if self.studio.bridge is not None and self._made[index] is not self.objects:
            self.objects.leave()
        self._show_tab()

    def _show_tab(self) -> None:
        """Bring the tab that is looked at up to date, as soon as there is a session."""
        shown = self._made[self.widget.tabs.currentIndex()]
        if self.studio.bridge is not None and not isinstance(shown, Home):
            shown.show()

    def close(self) -> None:
        """Let go of the viewer, and close the session."""
        for tab in self._made:  # perhaps not all of them yet
            if isinstance(tab, Home | Objects):
                tab.close()
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        let_go(self.studio)
        self.studio.close()

    # ------------------------------------------------------------------ images that come

    def _begin(self) -> None:
        bridge = self.studio.bridge
        if bridge is not None and bridge.image is None:
            QTimer.singleShot(0, self._take_first)
        self._paces.clear()
        self._show_tab()
        self._show_status()

    def _on_inserted(self, event: Any) -> None:
        bridge = self.studio.bridge
        if bridge is not None and bridge.image is None:
            QTimer.singleShot(0, self._take_first)

    def _take_first(self) -> None:
        """Paint on the image that is there."""
        bridge = self.studio.bridge
        if bridge is None or bridge.image is not None or not self.advanced.auto.isChecked():
            return
        candidates = bridge.candidates()
        if candidates:
            layer = candidates[-1]
            self.studio.attempt(lambda: bridge.paint_on([layer], pictures.guessed_axes(layer)))

    # ------------------------------------------------------------------ status

    def _on_told(self, event: Event) -> None:
        if isinstance(event, ev.Progress):
            left = f", {event.seconds_left:.0f} s left" if event.seconds_left > 1 else ""
            self._paces[event.task] = (event.what, f"{titled(event.what)}{left}")
            self._show_progress(event)
        elif isinstance(event, ev.TaskFinished | ev.TaskCancelled | ev.TaskFailed):
            self._paces.pop(event.task, None)
        elif isinstance(event, ev.Rested):
            self._paces.pop(ROUND, None)

    def _show_progress(self, event: ev.Progress) -> None:
        self._show_busy(True)
        self.widget.progress.setMaximum(STEPS)
        self.widget.progress.setValue(STEPS * event.done // max(1, event.total))

    def _show_status(self) -> None:
        """Say what is under way; else how things stand where somebody looks."""
        bridge = self.studio.bridge
        if bridge is None:
            return
        status, slow, seen = bridge.session.status, self._slow_tasks(), bridge.gaze.standing()
        if status.busy:
            self._say(self._under_way(ROUND, status.phase or "working"))
        elif slow:
            self._say(self._under_way(*slow[0]))
        elif seen is None:
            self._say("Open an image: drag it into the viewer, or use the tab Files.")
        else:
            self._say(in_words(seen))
        self._show_busy(self.studio.busy)

    def _under_way(self, task: int, what: str) -> str:
        """Return what is done, and how long it still takes where that was said of it."""
        of, said = self._paces.get(task, ("", ""))
        return said if of == what else f"{titled(what)} …"

    def _slow_tasks(self) -> list[tuple[int, str]]:
        """Return what has been under way for half a second: what is short is not worth a word."""
        now = time.monotonic()
        working = [t for t in self.studio.session.tasks.values() if not t.done]
        self._since = {t.number: self._since.get(t.number, now) for t in working}
        return [(t.number, t.what) for t in working if now - self._since[t.number] > SILENT_SECONDS]

    def _say(self, text: str) -> None:
        self.widget.status.setText(text)

    def _show_busy(self, busy: bool) -> None:
        self.widget.stop.setEnabled(busy)
        if not busy:
            self.widget.progress.setMaximum(1)
            self.widget.progress.setValue(0)
        elif self.widget.progress.maximum() == 1:
            self.widget.progress.setMaximum(0)

    def _stop(self) -> None:
        bridge = self.studio.bridge
        if bridge is None:
            return
        bridge.session.cancel()
        for task in bridge.session.tasks.values():
            task.cancel()

    def _show_tips(self, on: bool) -> None:
        self._tips.off(self.widget) if on else self._tips.on(self.widget)
