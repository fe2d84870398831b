"""Images, strokes and classes, what was done to them, and undoing it; no files, no threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatchmethod
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError, UnknownNameError
from stroma.session import operations as ops
from stroma.session.brush import Pixels, brush, polygon, stamped
from stroma.session.events import (
    ClassesChanged,
    Event,
    ImageChanged,
    ImageClosed,
    ImageOpened,
    StrokesChanged,
)
from stroma.session.sheet import Sheet
from stroma.session.strokes import Delta, Labels, StrokeTiles

FIRST_CLASSES = (Class(1, "background"), Class(2, "foreground"))

Classes = dict[int, Class]
ClassChange = tuple[tuple[Class, ...], tuple[Class, ...]]
"""The classes before and after."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Edit:
    """A step that can be undone.

    Parameters
    ----------
    number : int
        Ascending; never used twice.
    kind : str
        "paint", "erase", "fill", "stamp", "clear", "import", "class", "remove class".
    changes : tuple of (image, Delta)
        What changed in the strokes, in order.
    classes : (before, after), optional
        The classes, where these changed.
    """

    number: int
    kind: str
    changes: tuple[tuple[str, Delta], ...] = ()
    classes: ClassChange | None = None

    def followed_by(
        self, changes: Iterable[tuple[str, Delta]], classes: ClassChange | None
    ) -> Edit:
        """Return this step with more that was done in it."""
        if self.classes is not None and classes is not None:
            classes = self.classes[0], classes[1]
        return replace(self, changes=(*self.changes, *changes), classes=classes or self.classes)

    def reversed(self) -> Edit:
        """Return the step back."""
        back = tuple((image, delta.reversed()) for image, delta in reversed(self.changes))
        return replace(
            self, changes=back, classes=None if self.classes is None else self.classes[::-1]
        )


class Document:
    """Everything that is painted and named, and the steps that led there.

    The same operations, applied in the same order, always give the same document.
    """

    def __init__(self) -> None:
        self.sheets: dict[str, Sheet] = {}
        self.classes: Classes = {c.label: c for c in FIRST_CLASSES}
        self.done: list[Edit] = []
        self.undone: list[Edit] = []
        self.last_edit = 0
        self.revision = 0

    def sheet(self, key: str) -> Sheet:
        """Return an image by its key.

        Raises
        ------
        UnknownNameError
            If there is no such image.
        """
        if key not in self.sheets:
            known = ", ".join(map(repr, self.sheets)) or "none"
            raise UnknownNameError(f"There is no image {str(key)[:50]!r} in the session ({known}).")
        return self.sheets[key]

    def forget_steps(self, kept: int) -> None:
        """Forget the oldest steps of undo, so that a snapshot holds no fewer than this document.

        Otherwise the journal could undo, after the snapshot, what the snapshot does not know.
        """
        del self.done[:-kept], self.undone[:-kept]

    @singledispatchmethod
    def apply(self, operation: ops.Operation) -> list[Event]:
        """Do something, whole or not at all, and return what changed.

        Raises
        ------
        ParameterError, LabelError, UnknownNameError
            If it does not fit what is there.
        """
        raise TypeError(f"{operation!r} is not an operation")

    @apply.register
    def _(self, operation: ops.AddImage) -> list[Event]:
        if operation.image in self.sheets:
            raise ParameterError(f"There is an image {operation.image!r} already.")
        sizes = dict(operation.sizes)
        planes = int(np.prod([n for a, n in sizes.items() if a in "tz"], dtype=object))
        tiles = StrokeTiles(planes, (sizes["y"], sizes["x"]))
        reference = dict(operation.reference)
        sheet = Sheet(operation.image, operation.name, sizes, reference, tiles)
        self.sheets[operation.image] = sheet
        return [ImageOpened(operation.image)]

    @apply.register
    def _(self, operation: ops.CloseImage) -> list[Event]:
        key = self.sheet(operation.image).key
        del self.sheets[key]
        self.done = [edit for e in self.done if (edit := _without(e, key))]
        self.undone = [edit for e in self.undone if (edit := _without(e, key))]
        self.revision += 1
        return [ImageClosed(key)]

    @apply.register
    def _(self, operation: ops.SetReference) -> list[Event]:
        self.sheet(operation.image).reference = dict(operation.reference)
        return []

    @apply.register
    def _(self, operation: ops.SetRegion) -> list[Event]:
        sheet = self.sheet(operation.image)
        sheet.region = sheet.require_inside(operation.region)
        return [ImageChanged(sheet.key)]

    @apply.register
    def _(self, operation: ops.SetDisplay) -> list[Event]:
        sheet = self.sheet(operation.image)
        sheet.display = dict(operation.display)
        return [ImageChanged(sheet.key)]

    @apply.register
    def _(self, operation: ops.SetResult) -> list[Event]:
        sheet = self.sheet(operation.image)
        sheet.result = operation
        return [ImageChanged(sheet.key)]

    @apply.register
    def _(self, operation: ops.SetClass) -> list[Event]:
        new = Class(operation.label, operation.name, operation.color)
        return self._edit("class", [], {**self.classes, new.label: new})

    @apply.register
    def _(self, operation: ops.SetClasses) -> list[Event]:
        given = {c.label: c for c in operation.classes}
        classes = {**self.classes, **given}
        return self._edit("class", [], classes, continues=operation.continues)

    @apply.register
    def _(self, operation: ops.RemoveClass) -> list[Event]:
        self._require_class(operation.label)
        left = {label: c for label, c in self.classes.items() if label != operation.label}
        changes = [
            (sheet.key, delta)
            for sheet in self.sheets.values()
            for delta in _erased(sheet, None, operation.label)
        ]
        return self._edit("remove class", changes, left)

    @apply.register
    def _(self, operation: ops.Paint) -> list[Event]:
        sheet = self._to_draw_on(operation)
        pixels = brush(operation.points, operation.radius, sheet.shape)
        return self._draw(operation, sheet, pixels, operation.continues)

    @apply.register
    def _(self, operation: ops.Fill) -> list[Event]:
        sheet = self._to_draw_on(operation)
        return self._draw(operation, sheet, polygon(operation.points, sheet.shape))

    @apply.register
    def _(self, operation: ops.Stamp) -> list[Event]:
        sheet = self._to_draw_on(operation)
        pixels = stamped(operation.mask, operation.box, sheet.shape)
        return self._draw(operation, sheet, pixels, operation.continues)

    @apply.register
    def _(self, operation: ops.Clear) -> list[Event]:
        sheet = self.sheet(operation.image)
        if operation.plane is not None:
            _require_plane(sheet, operation.plane)
        deltas = _erased(sheet, operation.plane, operation.label)
        return self._edit("clear", [(sheet.key, d) for d in deltas])

    @apply.register
    def _(self, operation: ops.Import) -> list[Event]:
        sheet = self.sheet(operation.image)
        given = StrokeTiles(sheet.strokes.planes, sheet.shape)
        for key, data in operation.tiles:
            _put(given, key, data)
        classes = {**self.classes, **{c.label: c for c in operation.classes}}
        classes |= {label: Class(label) for label in given.labels() - classes.keys()}
        deltas = sheet.strokes.laid_over(given, replace=operation.replace)
        return self._edit("import", [(sheet.key, d) for d in deltas], classes)

    @apply.register
    def _(self, operation: ops.Undo) -> list[Event]:
        if not self.done:
            raise ParameterError("There is nothing to undo.")
        edit = self.done.pop()
        self.undone.append(edit)
        return self._replay(edit.reversed())

    @apply.register
    def _(self, operation: ops.Redo) -> list[Event]:
        if not self.undone:
            raise ParameterError("There is nothing to redo.")
        edit = self.undone.pop()
        self.done.append(edit)
        return self._replay(edit)

    def _to_draw_on(self, operation: ops.Paint | ops.Fill | ops.Stamp) -> Sheet:
        sheet = self.sheet(operation.image)
        _require_plane(sheet, operation.plane)
        if operation.label:
            self._require_class(operation.label)
        return sheet

    def _draw(
        self,
        operation: ops.Paint | ops.Fill | ops.Stamp,
        sheet: Sheet,
        drawn: Iterable[Pixels],
        continues: int = 0,
    ) -> list[Event]:
        changes = []
        for box, mask in drawn:

            def change(part: Box, labels: Labels, box: Box = box, mask: Mask = mask) -> None:
                labels[mask[part.relative(box).slices]] = operation.label

            deltas = sheet.strokes.draw(operation.plane, box, change)
            changes += [(sheet.key, delta) for delta in deltas]
        kind = operation.op if operation.label else "erase"
        return self._edit(kind, changes, continues=continues)

    def _edit(
        self,
        kind: str,
        changes: list[tuple[str, Delta]],
        classes: Classes | None = None,
        *,
        continues: int = 0,
    ) -> list[Event]:
        """Keep what was changed as a step that can be undone; nothing, if nothing changed."""
        changed = None
        if classes is not None and classes != self.classes:
            changed = (tuple(self.classes.values()), tuple(classes.values()))
            self.classes = dict(sorted(classes.items()))
        if not changes and changed is None:
            return []
        self.undone.clear()
        if continues and self.done and self.done[-1].number == continues:
            self.done[-1] = self.done[-1].followed_by(changes, changed)
        else:
            self.last_edit += 1
            self.done.append(Edit(self.last_edit, kind, tuple(changes), changed))
        return self._events(changes, changed is not None)

    def _replay(self, edit: Edit) -> list[Event]:
        for image, delta in edit.changes:
            self.sheets[image].strokes.apply(delta)
        if edit.classes is not None:
            self.classes = {c.label: c for c in edit.classes[1]}
        return self._events(edit.changes, edit.classes is not None)

    def _events(self, changes: Sequence[tuple[str, Delta]], classes: bool) -> list[Event]:
        events: list[Event] = [ClassesChanged(tuple(self.classes.values()))] if classes else []
        if changes:
            self.revision += 1
        ordered = sorted(changes, key=lambda c: (c[0], c[1].key[0]))
        for (image, plane), group in groupby(ordered, key=lambda c: (c[0], c[1].key[0])):
            boxes = [delta.box for _, delta in group]
            position = self.sheets[image].position(plane)
            events.append(StrokesChanged(image, position, hull(boxes), self.revision))
        return events

    def _require_class(self, label: int) -> None:
        if label not in self.classes:
            known = ", ".join(f"{c.label} ({c.name})" for c in self.classes.values()) or "none"
            raise LabelError(
                f"There is no class with the label {label}; there are {known}. Add it first."
            )


def hull(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around boxes."""
    return Box(
        min(b.top for b in boxes),
        min(b.left for b in boxes),
        max(b.bottom for b in boxes),
        max(b.right for b in boxes),
    )


def _erased(sheet: Sheet, plane: int | None, label: int | None) -> list[Delta]:
    """Erase the strokes of a class (None for all) on a plane (None for all)."""

    def change(part: Box, labels: Labels) -> None:
        labels[(labels == label) if label is not None else slice(None)] = 0

    tiles = sheet.strokes
    planes = tiles.painted_planes() if plane is None else [plane]
    return [d for p in planes for b in tiles.tiles(p) for d in tiles.draw(p, b, change)]


def _put(tiles: StrokeTiles, key: tuple[int, int, int], data: bytes) -> None:
    try:
        tiles.put(key, data)
    except ValueError as error:
        raise ParameterError(f"An import has {error}.") from error


def _require_plane(sheet: Sheet, plane: int) -> None:
    if plane >= sheet.strokes.planes:
        raise ParameterError(
            f"The image {sheet.name!r} has {sheet.strokes.planes} planes, got number {plane}."
        )


def _without(edit: Edit, image: str) -> Edit | None:
    """Return an edit without its part in one image; None if nothing is left."""
    changes = tuple(c for c in edit.changes if c[0] != image)
    return replace(edit, changes=changes) if changes or edit.classes else None
