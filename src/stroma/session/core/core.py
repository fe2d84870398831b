"""The core: what is open, what was done, who listens, and the worker; benches stand around it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from stroma.data.image import Image
from stroma.errors import MissingFileError
from stroma.session.core import operations as ops
from stroma.session.core.bench import Bench, Learning
from stroma.session.core.disk.project import Project
from stroma.session.core.document import Document, Edit
from stroma.session.core.opening import OpenImage
from stroma.session.core.tasks import Tasks
from stroma.session.core.view import View
from stroma.session.core.worker import Worker
from stroma.session.events import ClassesChanged, Event, ImageChanged, ImageClosed, Listener

Some = TypeVar("Some")


class Core:
    """Images, journal, undo, events, worker and project; may be used from any thread.

    Parameters
    ----------
    document : Document
        With its benches.
    """

    def __init__(self, document: Document) -> None:
        self.lock = threading.RLock()
        self.document = document
        self.images: dict[str, Image] = {}
        self.missing: set[str] = set()
        self.exchanged: dict[str, int] = {}
        self.views: dict[str, View] = {}
        self.looked: View | None = None
        self.project: Project | None = None
        self.worker = Worker(self.tell)
        self.tasks = Tasks(self.tell)
        self._learnings: dict[str, Learning] = {}
        self._listeners: list[Listener] = []

    def add(self, learning: Learning) -> None:
        """Let the worker work for a bench."""
        self._learnings[learning.name] = learning
        self.worker.add(learning)

    def bench(self, kind: type[Some]) -> Some:
        """Return the bench of a kind."""
        return next(b for b in self.document.benches.values() if isinstance(b, kind))

    def close(self) -> None:
        """Stop all work."""
        self.tasks.close()
        self.worker.close()

    # ------------------------------------------------------------------ doing and telling

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call a function with every event from now on; returns what ends that.

        The function is called in the thread that caused the event, in order. It must return at
        once and must not raise: put the event into a queue.
        """
        with self.lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self.lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def tell(self, *events: Event) -> None:
        """Tell everybody."""
        for event in events:
            for listener in list(self._listeners):
                listener(event)

    def do(self, operation: ops.Operation) -> list[Event]:
        """Apply an operation, write it to the journal, and tell everybody."""
        with self.lock:
            before = self._revisions()
            # First, since what the journal cannot hold must not be done either.
            line = b"" if self.project is None else ops.encoded(operation)
            events = self.document.apply(operation)
            if self.project is not None and (events or isinstance(operation, ops.SetReference)):
                self.project.journal.append(line)
            for event in events:
                if isinstance(event, ImageClosed):
                    self._forget(event.image)
            self._poke(before, events)
            self.tell(*events)
        return events

    def _revisions(self) -> dict[str, int]:
        return {name: bench.revision for name, bench in self.document.benches.items()}

    def _forget(self, image: str) -> None:
        self.views = {v: w for v, w in self.views.items() if w.image != image}
        if self.looked is not None and self.looked.image == image:
            self.looked = None
        for learning in self._learnings.values():
            learning.image_changed(image)

    def pixels_changed(self, image: str) -> None:
        """Take note that an image has other pixels now: no result, and no model, answers them."""
        self.exchanged[image] = self.exchanged.get(image, 0) + 1
        for bench in self.document.benches.values():
            bench.revision += 1
        for learning in self._learnings.values():
            learning.image_changed(image)

    def _poke(self, before: dict[str, int], events: list[Event]) -> None:
        """Let the worker look again, where a bench changed or something else did."""
        now = self._revisions()
        changed = [n for n in self._learnings if now[n] != before[n]]
        for name in changed:
            live = self._learnings[name].is_live
            self.worker.poke(name, cancels="all" if live else "nothing", revision=now[name])
        if not changed and any(isinstance(e, ImageChanged | ClassesChanged) for e in events):
            self.worker.poke()

    def settings_changed(self) -> None:
        """Write the settings of all benches into the project, a moment later."""
        if self.project is not None:
            self.project.journal.set_settings(self.settings())

    def settings(self) -> dict[str, object]:
        """Return the settings of all benches as plain values."""
        found: dict[str, object] = {}
        for learning in self._learnings.values():
            found |= learning.settings()
        return found

    # ------------------------------------------------------------------ images and undo

    def image(self, key: str) -> OpenImage:
        """Return an image by its key.

        Raises
        ------
        UnknownNameError
            If there is no such image.
        """
        with self.lock:
            sheet = self.document.sheet(key)
            missing = key in self.missing
            pixels = self.images[key]
            is_sized = bool(sheet.spacing)
            return OpenImage(
                key, sheet.name, pixels, sheet.region, sheet.display, missing, is_sized, sheet.mark
            )

    def all_images(self) -> tuple[OpenImage, ...]:
        """Return the images, in the order in which they were opened."""
        with self.lock:
            return tuple(self.image(key) for key in self.document.sheets)

    def pixels(self, key: str) -> Image:
        """Return the pixels of an image; one that is missing has blank ones, to paint on.

        Raises
        ------
        MissingFileError
            If its file is not where it was.
        """
        one = self.image(key)
        if one.missing:
            raise MissingFileError(
                f"The file of {one.name!r} is not where it was. Put it back, or say where it is "
                f"now; its strokes are kept."
            )
        return one.image

    def undo(self) -> list[Event]:
        """Unmake the last edit, whatever image it was on; returns what changed."""
        with self.lock:
            return self.do(ops.Undo()) if self.document.done else []

    def redo(self) -> list[Event]:
        """Make the edit that was undone last again."""
        with self.lock:
            return self.do(ops.Redo()) if self.document.undone else []

    def undoable(self) -> Edit | None:
        """Return the edit that ``undo`` would unmake."""
        with self.lock:
            return self.document.done[-1] if self.document.done else None

    def redoable(self) -> Edit | None:
        """Return the edit that ``redo`` would make."""
        with self.lock:
            return self.document.undone[-1] if self.document.undone else None


@dataclass(frozen=True)
class Fitting:
    """How a bench is put into a session.

    Parameters
    ----------
    bench : callable
        Returns a new, empty `Bench`.
    learning : callable, optional
        Given the `Core`, returns the `Learning` of the bench.
    """

    bench: Callable[[], Bench]
    learning: Callable[[Core], Learning] | None = None
