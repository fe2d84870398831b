"""What is on the desk: images and classes, changed by one person, watched by many; and undo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stroma.blocks.box import Box
from stroma.data.classes import Class, free_label
from stroma.data.image import Image
from stroma.errors import LabelError, MissingFileError
from stroma.session import operations as ops
from stroma.session.document import FIRST_CLASSES, Document, Edit
from stroma.session.events import Event, Listener
from stroma.session.opening import OpenImage, opened, without_channels
from stroma.session.reference import located, refer

__all__ = ["Desk", "OpenImage"]


class Desk:
    """Open images, name classes, undo; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._document = Document()
        self._images: dict[str, Image] = {}
        self._missing: set[str] = set()
        self._listeners: list[Listener] = []
        self._opened = 0

    # ------------------------------------------------------------------ listening

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call a function with every event from now on; returns what ends that.

        The function is called in the thread that caused the event, in order. It must return at
        once and must not raise: put the event into a queue.
        """
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def _tell(self, *events: Event) -> None:
        for event in events:
            for listener in list(self._listeners):
                listener(event)

    def _do(self, operation: ops.Operation) -> list[Event]:
        """Apply an operation, and tell everybody."""
        with self._lock:
            events = self._document.apply(operation)
            self._done(operation, events)
            self._tell(*events)
        return events

    def _done(self, operation: ops.Operation, events: Sequence[Event]) -> None:
        """Take note of an operation that was applied, before anybody is told."""

    # ------------------------------------------------------------------ images

    @property
    def images(self) -> tuple[OpenImage, ...]:
        """The images, in the order in which they were opened."""
        with self._lock:
            return tuple(self.image(key) for key in self._document.sheets)

    def image(self, key: str) -> OpenImage:
        """Return an image by its key.

        Raises
        ------
        UnknownNameError
            If there is no such image.
        """
        with self._lock:
            sheet = self._document.sheet(key)
            missing = key in self._missing
            pixels = self._images[key]
            return OpenImage(key, sheet.name, pixels, sheet.region, sheet.display, missing)

    def _pixels(self, key: str) -> Image:
        """Return the pixels of an image; one that is missing has blank ones, to paint on."""
        one = self.image(key)
        if one.missing:
            raise MissingFileError(
                f"The file of {one.name!r} is not where it was. Put it back, or say where it is "
                f"now; its strokes are kept."
            )
        return one.image

    def add_image(
        self, data: Any, *, name: str = "", axes: str | None = None, series: int = 0
    ) -> str:
        """Open an image and return its key.

        Parameters
        ----------
        data : str, Path, Image or array-like
            A file, or an array; arrays of 3 dimensions are stacks of planes, unless an `Image`
            says otherwise.
        name : str
            For people; the file's name unless given.
        axes, series
            As for `stroma.io.read_image`; for files only.

        Raises
        ------
        MissingFileError, FormatError, ShapeError
            If there is no such file, or it cannot be used.
        """
        image = opened(data, axes, series)
        path = Path(data) if isinstance(data, str | Path) else None
        with self._lock:
            key = self._next_key()
            reference = self._reference(key, image, path, axes, series)
            self._images[key] = image
            shown = name or (path.name if path else f"image {key}")
            self._do(ops.AddImage(key, shown, without_channels(image), reference))
        return key

    def _next_key(self) -> str:
        """Return a key that no image has, or had."""
        self._opened = max([self._opened, *(int(k) for k in self._images if k.isdecimal())]) + 1
        return str(self._opened)

    def _reference(
        self, key: str, image: Image, path: Path | None, axes: str | None, series: int
    ) -> dict[str, Any]:
        """Return where an image is."""
        return {} if path is None else refer(path, None, axes=axes, series=series)

    def source(self, key: str) -> Path | None:
        """Return the file of an image; None for one that is in memory only."""
        with self._lock:
            reference = self._document.sheet(key).reference
        return self._located(reference) if reference else None

    def _located(self, reference: Mapping[str, Any]) -> Path:
        return located(reference, None)

    def close_image(self, key: str) -> None:
        """Forget an image and its strokes; this cannot be undone."""
        with self._lock:
            self._do(ops.CloseImage(key))
            del self._images[key]
            self._missing.discard(key)

    def set_region(self, image: str, region: Box | None) -> None:
        """Restrict results to a rectangle, or (None) lift that."""
        self._do(ops.SetRegion(image, region))

    def set_display(self, image: str, display: Mapping[str, Any]) -> None:
        """Keep how an image is shown (any values that JSON knows), and tell the other views."""
        self._do(ops.SetDisplay(image, display))

    def copy_settings(self, source: str, targets: Iterable[str]) -> None:
        """Give other images the display settings and the region of interest of one.

        Raises
        ------
        UnknownNameError, ParameterError
            If an image is not there, or the region lies outside of it; nothing is changed then.
        """
        with self._lock:
            given = self._document.sheet(source)
            wanted = [self._document.sheet(target) for target in targets]
            for sheet in wanted:
                sheet.require_inside(given.region)
            for sheet in wanted:
                self._do(ops.SetDisplay(sheet.key, given.display))
                self._do(ops.SetRegion(sheet.key, given.region))

    # ------------------------------------------------------------------ classes

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes, by label."""
        return tuple(self._document.classes.values())

    def add_class(self, name: str = "", color: str = "") -> Class:
        """Add a class with the next free label."""
        with self._lock:
            new = Class(free_label(self.classes), name, color)
            self._do(ops.SetClass(new.label, new.name, new.color))
        return new

    def set_classes(self, classes: Iterable[Class], *, continues: int = 0) -> int:
        """Add classes, or change those that have the same labels, in one step of undo.

        Returns the number of the edit.

        Parameters
        ----------
        classes : iterable of Class
            One for a label at most.
        continues : int
            As for ``paint``.

        Raises
        ------
        ParameterError
            If there are several for one label.
        """
        with self._lock:
            self._do(ops.SetClasses(tuple(classes), continues))
            return self._document.last_edit

    def name_classes(self, named: Iterable[Class]) -> None:
        """Name classes as a list does, in one step of undo; new labels become classes.

        Those that the list gives no colour of its own keep theirs.
        """
        with self._lock:
            known = self._document.classes
            self.set_classes(
                replace(c, color=known[c.label].color)
                if c.label in known and c.color == Class(c.label).color
                else c
                for c in named
            )

    def reset_classes(self) -> None:
        """Give all classes their first names and colours, in one step of undo."""
        first = {c.label: c for c in FIRST_CLASSES}
        with self._lock:
            self.set_classes(first.get(label, Class(label)) for label in self._document.classes)

    def change_class(
        self, label: int, *, name: str | None = None, color: str | None = None
    ) -> None:
        """Rename or recolour a class.

        Raises
        ------
        LabelError
            If there is no such class, or the colour is not "#rrggbb".
        """
        with self._lock:
            old = self._class(label)
            new = Class(label, name or old.name, color or old.color)
            self._do(ops.SetClass(new.label, new.name, new.color))

    def remove_class(self, label: int) -> None:
        """Remove a class and its strokes, on all images; one step of undo."""
        self._do(ops.RemoveClass(label))

    def _class(self, label: int) -> Class:
        if label not in self._document.classes:
            raise LabelError(f"There is no class with the label {label}. Add it first.")
        return self._document.classes[label]

    # ------------------------------------------------------------------ undo

    def undo(self) -> list[Event]:
        """Unmake the last edit, whatever image it was on; returns what changed."""
        with self._lock:
            return self._do(ops.Undo()) if self._document.done else []

    def redo(self) -> list[Event]:
        """Make the edit that was undone last again."""
        with self._lock:
            return self._do(ops.Redo()) if self._document.undone else []

    @property
    def undoable(self) -> Edit | None:
        """The edit that ``undo`` would unmake."""
        with self._lock:
            return self._document.done[-1] if self._document.done else None

    @property
    def redoable(self) -> Edit | None:
        """The edit that ``redo`` would make."""
        with self._lock:
            return self._document.undone[-1] if self._document.undone else None

    @property
    def revision(self) -> int:
        """Counts the changes of strokes and settings that a model answers to."""
        return self._document.revision
