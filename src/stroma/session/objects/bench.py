"""What a session keeps of objects in memory, and how that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import singledispatchmethod
from typing import Any

import numpy as np

from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError
from stroma.objects.correct import Given, corrected
from stroma.session.core import checks
from stroma.session.core.bench import Done
from stroma.session.core.operations import Operation, plain
from stroma.session.core.sheet import Sheet
from stroma.session.events import Event
from stroma.session.objects import operations as ops
from stroma.session.objects.book import (
    Book,
    Delta,
    Held,
    Part,
    classes_of,
    closed,
    delta_of,
    finding_of,
    opened,
    place,
    shape_of,
    size_of,
)
from stroma.session.objects.carving import operations as carve_ops
from stroma.session.objects.carving.changes import changed, committed_as, left
from stroma.session.objects.carving.kept import Carvings, Line, Splice, splices
from stroma.session.objects.committed import committed
from stroma.session.objects.joined import JoinTable, tables_of, with_table

FIRST_CLASSES = (Class(1, "kind 1"), Class(2, "kind 2"))


class ObjectBench:
    """The objects of all images, and their classes; a `Bench`."""

    name = "objects"
    operations = (*ops.OPERATIONS, *carve_ops.OPERATIONS, JoinTable)

    def __init__(self) -> None:
        self.revision = 0
        self.classes: dict[int, Class] = {c.label: c for c in FIRST_CLASSES}
        self.books: dict[str, Book] = {}
        self._sheets: dict[str, Sheet] = {}

    @singledispatchmethod
    def apply(self, operation: Operation) -> Done:
        """Do something, whole or not at all; see `Bench`."""
        raise TypeError(f"{operation!r} is not an operation of objects")

    @apply.register
    def _(self, operation: ops.SetObjects) -> Done:
        book = self.books[operation.image]
        given = dict(operation.frames)
        parts = []
        for number in sorted(given.keys() | book.labels.keys()):
            box = book.whole(number)
            data = given.get(number) or closed(np.zeros(book.size, np.int32))
            opened(data, shape_of(box))
            parts.append(Part(number, box, closed(book.frame(number)), data))
        held = book.held, Held(kept=True, source=operation.source)
        change = self._anew(operation.image, tuple(parts), held)
        return self._done("objects", change)

    @apply.register
    def _(self, operation: ops.FollowObjects) -> Done:
        book = self.books[operation.image]
        how = None if operation.how is None else finding_of(operation.how)
        held = book.held, Held(how=how)
        if held[0] == held[1]:
            return Done()
        parts: tuple[Part, ...] = ()
        if book.labels:
            blank = closed(np.zeros(book.size, np.int32))
            parts = tuple(Part(n, book.whole(n), closed(f), blank) for n, f in book.labels.items())
        return self._done("find objects", self._anew(operation.image, parts, held))

    @apply.register
    def _(self, operation: ops.CorrectObjects) -> Done:
        book, sheet = self.books[operation.image], self._sheets[operation.image]
        if not book.held.kept:
            raise ParameterError(
                "Objects that follow the segmentation are held before they change."
            )
        frame, z = frame_and_z(sheet, operation.plane)
        labels = book.frame(frame)
        patch = corrected(labels, operation.kind, Given(operation.objects, operation.points, z))
        before = labels[patch.slices]
        if np.array_equal(before, patch.values):
            return Done()
        part = Part(frame, patch.box, closed(before), closed(patch.values))
        change = self._changed(operation.image, operation.plane, (part,))
        return self._done(f"{operation.kind} objects", change, operation.continues)

    @apply.register
    def _(self, operation: ops.CommitObject) -> Done:
        change = self._committed(operation)
        return self._done("commit object", change, operation.continues)

    @apply.register
    def _(self, operation: carve_ops.CommitCarved) -> Done:
        book = self.books[operation.image]
        at_hand = book.carvings.at_hand
        if operation.replaces != (at_hand.number if at_hand else 0):
            raise ParameterError("Reopen the object that is to be replaced first.")
        number, frame = operation.replaces or book.newest + 1, operation.parts[0][0]
        named = committed_as(operation, book.carvings, frame, number)
        change = replace(self._committed(operation), carved=splices(book.carvings, named))
        return self._done("commit carved object", change, operation.continues)

    @apply.register
    def _(self, operation: carve_ops.CarveOperation) -> Done:
        book, sheet = self.books[operation.image], self._sheets[operation.image]
        after = changed(operation, book.carvings, sheet)
        carved = splices(book.carvings, after)
        if not carved:
            return Done()
        plane = operation.plane if isinstance(operation, carve_ops.CarveStroke) else 0
        return self._done(operation.op, Delta(operation.image, plane, carved=carved))

    def _committed(self, operation: ops.CommitObject) -> Delta:
        book = self.books[operation.image]
        if book.held.how is not None:
            raise ParameterError(
                "Objects that follow the segmentation are held before they change."
            )
        parts = committed(book, operation.parts, operation.replaces)
        source = "carved" if isinstance(operation, carve_ops.CommitCarved) else "clicked"
        held = None if book.held.kept else (book.held, Held(kept=True, source=source))
        return self._changed(operation.image, operation.plane, parts, held)

    def _anew(self, image: str, parts: tuple[Part, ...], held: tuple[Held, Held]) -> Delta:
        """Return a change to other objects, of which tables that joined know nothing.

        Where all that were there stay as they are, and others come, the tables stay, too.
        """
        joined = self.books[image].joined
        change = self._changed(image, 0, parts, held, anew=True)
        if not joined or (held[1].kept and all(map(_only_adds, parts))):
            return change
        return replace(change, joined=(joined, ()))

    def _changed(
        self,
        image: str,
        plane: int,
        parts: tuple[Part, ...],
        held: tuple[Held, Held] | None = None,
        *,
        anew: bool = False,
    ) -> Delta:
        """Return a change of objects, with the names that go with them."""
        book = self.books[image]
        carved = splices(book.carvings, left(book, parts, anew=anew))
        return Delta(image, plane, held, parts, carved=carved)

    @apply.register
    def _(self, operation: ops.ClickObjects) -> Done:
        book = self.books[operation.image]
        come = dict(operation.come)
        for label in come.values():
            self._require_class(label)
        for at in come:
            book.require(at)
        gone = [at for at in operation.gone if at in book.clicks and at not in come]
        clicks = [(operation.image, at, book.clicks[at], 0) for at in gone]
        clicks += [
            (operation.image, at, book.clicks.get(at, 0), label)
            for at, label in come.items()
            if book.clicks.get(at, 0) != label
        ]
        if not clicks:
            return Done()
        frame, z = clicks[-1][1][:2]
        plane = frame * book.size[0] + z
        change = Delta(operation.image, plane, clicks=tuple(clicks))
        return self._done("label objects", change, operation.continues)

    @apply.register
    def _(self, operation: ops.SetObjectClass) -> Done:
        new = Class(operation.label, operation.name, operation.color)
        known = {**self.classes, new.label: new}
        return self._classed("object class", known, continues=operation.continues)

    @apply.register
    def _(self, operation: ops.RemoveObjectClass) -> Done:
        self._require_class(operation.label)
        left = {label: c for label, c in self.classes.items() if label != operation.label}
        clicks = tuple(
            (image, at, label, 0)
            for image, book in self.books.items()
            for at, label in book.clicks.items()
            if label == operation.label
        )
        return self._classed("remove object class", left, clicks)

    @apply.register
    def _(self, operation: JoinTable) -> Done:
        book = self.books[operation.image]
        if not book.held.kept:
            raise ParameterError("Tables join objects that are held.")
        sides = book.joined, with_table(book.joined, operation.joined)
        if sides[0] == sides[1]:
            return Done()
        return self._done("join table", Delta(operation.image, joined=sides))

    def _classed(
        self, kind: str, classes: dict[int, Class], clicks: Any = (), continues: int = 0
    ) -> Done:
        if classes == self.classes:
            return Done()
        sides = tuple(self.classes.values()), tuple(c for _, c in sorted(classes.items()))
        return self._done(kind, Delta("", clicks=clicks, classes=sides), continues)

    def _done(self, kind: str, change: Delta, continues: int = 0) -> Done:
        return Done(self.replay(change), kind, change, continues)

    def replay(self, change: Delta) -> Sequence[Event]:
        """Make a change once more, or (reversed) unmake it."""
        touched = dict.fromkeys([change.image, *(image for image, *_ in change.clicks)])
        told: list[Event] = [carve_ops.CarvingChanged(change.image)] if change.carved else []
        if change.image:
            book = self.books[change.image]
            book.carvings = book.carvings.spliced(change.carved)
            book.joined = book.joined if change.joined is None else change.joined[1]
            book.change(change.parts)
            book.held = book.held if change.held is None else change.held[1]
            if not book.held.kept:
                book.labels = {}
        for image, at, _, after in change.clicks:
            self.books[image].clicks.pop(at, None)
            if after:
                self.books[image].clicks[at] = after
        if change.classes is not None:
            self.classes = {c.label: c for c in change.classes[1]}
        if change.of_objects:
            self.revision += 1
            told += [ops.ObjectsChanged(image) for image in touched]
        return told

    def _require_class(self, label: int) -> None:
        if label not in self.classes:
            known = ", ".join(f"{c.label} ({c.name})" for c in self.classes.values()) or "none"
            raise LabelError(f"There is no class {label} of objects; there are {known}.")

    # ------------------------------------------------------------------ images and snapshots

    def image_opened(self, sheet: Sheet) -> None:
        """Begin with no objects."""
        self._sheets[sheet.key] = sheet
        self.books[sheet.key] = Book(size_of(sheet), sheet.sizes.get("t", 1))

    def image_closed(self, image: str) -> None:
        """Forget its objects."""
        del self.books[image], self._sheets[image]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "revision": self.revision,
            "classes": plain(tuple(self.classes.values())),
            "books": {
                image: {
                    "held": book.held.to_json(),
                    "frames": [[n, plain(closed(f))] for n, f in book.labels.items() if f.any()],
                    "clicks": [[list(at), label] for at, label in book.clicks.items()],
                    "carvings": book.carvings.to_json(),
                    "joined": [one.to_json() for one in book.joined],
                }
                for image, book in self.books.items()
                if book.held.used or book.clicks or book.carvings.used
            },
        }

    def read(self, values: Mapping[str, Any]) -> None:
        """Take over what ``to_json`` gave; checks everything."""
        self.revision = checks.whole(values["revision"], "a revision", 0, 2**53)
        self.classes = {c.label: c for c in classes_of(values["classes"])}
        for image, kept in checks.mapping(values["books"], "objects").items():
            book, given = self.books[image], checks.mapping(kept, "objects")
            book.held = Held.from_json(given["held"])
            for number, data in (checks.listed(f, "a frame") for f in given["frames"]):
                box = book.whole(checks.whole(number, "a frame", 0, 2**31))
                book.labels[number] = opened(checks.data(data), shape_of(box))
            for at, label in (checks.listed(c, "a click") for c in given["clicks"]):
                self._require_class(checks.whole(label, "a label", 1, 65535))
                book.clicks[book.require(place(at))] = label
            book.joined = tables_of(given.get("joined", ()))
            if "carvings" in given:  # which earlier versions did not write
                book.carvings = Carvings.from_json(given["carvings"])
                self._require_planes(image, splices(Carvings(), book.carvings))

    def _require_planes(self, image: str, carved: Sequence[Splice]) -> None:
        """Check that all strokes lie on planes of an image."""
        for one in carved:
            for thing in (*one.before, *one.after):
                for line in (thing,) if isinstance(thing, Line) else getattr(thing, "lines", ()):
                    self._sheets[image].require_plane(line.plane)

    def change_to_json(self, change: Delta) -> dict[str, Any]:
        """Return a change as plain values."""
        return change.to_json()

    def read_change(self, values: Mapping[str, Any]) -> Delta:
        """Return the change that ``change_to_json`` gave plain values for."""
        change = delta_of(values, self.books)
        if change.carved:
            self._require_planes(change.image, change.carved)
        return change


def _only_adds(part: Part) -> bool:
    """Tell whether every object that was there before keeps its pixels, and gets no more."""
    before, after = (opened(data, shape_of(part.box)) for data in (part.before, part.after))
    there = before > 0
    return (
        np.array_equal(before[there], after[there])
        and not np.isin(after[~there], np.unique(before[there])).any()
    )


def frame_and_z(sheet: Sheet, plane: int) -> tuple[int, int]:
    """Return the frame that a plane across z belongs to, and where it lies in it.

    Raises
    ------
    ParameterError
        If it is a plane across another axis.
    """
    if plane >= sheet.planes:
        raise ParameterError("Objects are corrected on planes across z. Go to one first.")
    return divmod(plane, size_of(sheet)[0])
