"""Strokes and classes, and what is done to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import singledispatchmethod
from itertools import starmap
from typing import Any

from stroma.blocks.box import Box, hull
from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError, StromaError
from stroma.session.core import checks
from stroma.session.core.bench import Done
from stroma.session.core.operations import Operation, plain
from stroma.session.core.sheet import Sheet
from stroma.session.core.slices import Slice
from stroma.session.events import ClassesChanged, Event, ImageChanged, StrokesChanged
from stroma.session.strokes import operations as ops
from stroma.session.strokes.drawing.brush import CUT_COST, brush, polygon, stamped
from stroma.session.strokes.drawing.runs import Runs, of_mask, spread
from stroma.session.strokes.painted.change import Painted, read
from stroma.session.strokes.painted.laying import Delta
from stroma.session.strokes.painted.packing import layer_to_json, read_layers, read_tiles
from stroma.session.strokes.painted.tiles import StrokeTiles

FIRST_CLASSES = (Class(1, "background"), Class(2, "foreground"))

Classes = dict[int, Class]


class Strokes:
    """Everything that is painted and named; a `Bench`."""

    name = "strokes"
    operations = ops.OPERATIONS

    def __init__(self) -> None:
        self.revision = 0
        self.classes: Classes = {c.label: c for c in FIRST_CLASSES}
        self.tiles: dict[str, StrokeTiles] = {}
        self.written: dict[str, ops.SetResult] = {}
        self._sheets: dict[str, Sheet] = {}

    def image_opened(self, sheet: Sheet) -> None:
        """Begin with no strokes."""
        self._sheets[sheet.key] = sheet
        self.tiles[sheet.key] = StrokeTiles(sheet.planes, sheet.shape)

    def image_closed(self, image: str) -> None:
        """Forget the strokes of an image."""
        del self._sheets[image], self.tiles[image]
        self.written.pop(image, None)

    # ------------------------------------------------------------------ operations

    @singledispatchmethod
    def apply(self, operation: Operation) -> Done:
        """Do something, whole or not at all; see `Bench`."""
        raise TypeError(f"{operation!r} is not an operation of strokes")

    @apply.register
    def _(self, operation: ops.SetResult) -> Done:
        self.written[operation.image] = operation
        return Done([ImageChanged(operation.image)])

    @apply.register
    def _(self, operation: ops.SetClass) -> Done:
        new = Class(operation.label, operation.name, operation.color)
        return self._edit("class", [], {**self.classes, new.label: new})

    @apply.register
    def _(self, operation: ops.SetClasses) -> Done:
        given = {c.label: c for c in operation.classes}
        classes = {**self.classes, **given}
        return self._edit("class", [], classes, continues=operation.continues)

    @apply.register
    def _(self, operation: ops.RemoveClass) -> Done:
        self._require_class(operation.label)
        left = {label: c for label, c in self.classes.items() if label != operation.label}
        changes = [
            (key, delta)
            for key, tiles in self.tiles.items()
            for delta in tiles.erase(_everywhere(tiles), only=operation.label)
        ]
        return self._edit("remove class", changes, left)

    @apply.register
    def _(self, operation: ops.Paint) -> Done:
        shape, cost = self._to_draw_on(operation)
        pixels = brush(
            operation.points, operation.radius, shape, height=operation.height, cost=cost
        )
        return self._draw(operation, pixels, operation.continues)

    @apply.register
    def _(self, operation: ops.Fill) -> Done:
        shape, cost = self._to_draw_on(operation)
        pixels = polygon(operation.points, shape, cost=cost)
        return self._draw(operation, starmap(of_mask, pixels))

    @apply.register
    def _(self, operation: ops.Stamp) -> Done:
        shape, cost = self._to_draw_on(operation)
        pixels = stamped(operation.mask, operation.box, shape, cost=cost)
        return self._draw(operation, starmap(of_mask, pixels), operation.continues)

    @apply.register
    def _(self, operation: ops.Clear) -> Done:
        tiles = self.tiles[operation.image]
        if operation.plane is None:
            deltas = tiles.erase(_everywhere(tiles), only=operation.label)
            return self._edit("clear", [(operation.image, d) for d in deltas])
        self._sheets[operation.image].require_plane(operation.plane)
        plane = self._slice(operation.image, operation.plane)
        deltas = tiles.erase(plane.holding(tiles), only=operation.label)
        return self._edit("clear", [(operation.image, d) for d in deltas], at=operation.plane)

    @apply.register
    def _(self, operation: ops.Import) -> Done:
        tiles = self.tiles[operation.image]
        given = StrokeTiles(tiles.planes, tiles.shape)
        try:
            read_tiles(operation.tiles, given)
        except ValueError as error:
            raise ParameterError(f"An import has {error}.") from error
        classes = {**self.classes, **{c.label: c for c in operation.classes}}
        classes |= {label: Class(label) for label in given.labels() - classes.keys()}
        deltas = tiles.laid_over(given, replace=operation.replace)
        return self._edit("import", [(operation.image, d) for d in deltas], classes)

    def _slice(self, image: str, plane: int) -> Slice:
        return Slice(self._sheets[image].cuts, plane)

    def _to_draw_on(
        self, operation: ops.Paint | ops.Fill | ops.Stamp
    ) -> tuple[tuple[int, int], int]:
        """Return the height and width of a plane, and what a pixel costs; check plane and class."""
        sheet = self._sheets[operation.image]
        sheet.require_plane(operation.plane)
        if operation.label:
            self._require_class(operation.label)
        across = sheet.cuts.across(operation.plane)
        return sheet.cuts.shape(operation.plane), 1 if across == "z" else CUT_COST

    def _draw(
        self,
        operation: ops.Paint | ops.Fill | ops.Stamp,
        drawn: Iterable[Runs],
        continues: int = 0,
    ) -> Done:
        plane, tiles = self._slice(operation.image, operation.plane), self.tiles[operation.image]
        deltas: list[Delta] = []
        try:
            for found in drawn:
                deltas += tiles.mark(*spread(plane, found), operation.label)
        except StromaError:
            for delta in reversed(deltas):
                tiles.apply(delta.reversed())
            raise
        changes = [(operation.image, delta) for delta in deltas]
        kind = operation.op if operation.label else "erase"
        return self._edit(kind, changes, continues=continues, at=operation.plane)

    def _edit(
        self,
        kind: str,
        changes: list[tuple[str, Delta]],
        classes: Classes | None = None,
        *,
        continues: int = 0,
        at: int | None = None,
    ) -> Done:
        """Return what was changed as a step that can be undone; nothing, if nothing changed."""
        changed = None
        if classes is not None and classes != self.classes:
            changed = (tuple(self.classes.values()), tuple(classes.values()))
            self.classes = dict(sorted(classes.items()))
        if not changes and changed is None:
            return Done()
        change = Painted(tuple(changes), changed, at)
        return Done(self._events(change), kind, change, continues)

    def replay(self, change: Painted) -> Sequence[Event]:
        """Make a change once more, or (reversed) unmake it."""
        for image, delta in change.strokes:
            self.tiles[image].apply(delta)
        if change.classes is not None:
            self.classes = {c.label: c for c in change.classes[1]}
        return self._events(change)

    def _events(self, change: Painted) -> list[Event]:
        events: list[Event] = []
        if change.classes is not None:
            events.append(ClassesChanged(tuple(self.classes.values())))
        if change.strokes:
            self.revision += 1
        for (image, plane), boxes in change.boxes().items():
            position = self._sheets[image].position(plane)
            events.append(StrokesChanged(image, position, hull(boxes), self.revision))
        return events

    def _require_class(self, label: int) -> None:
        if label not in self.classes:
            known = ", ".join(f"{c.label} ({c.name})" for c in self.classes.values()) or "none"
            raise LabelError(
                f"There is no class with the label {label}; there are {known}. Add it first."
            )

    # ------------------------------------------------------------------ snapshots

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "revision": self.revision,
            "classes": plain(tuple(self.classes.values())),
            "tiles": {image: layer_to_json(tiles.layer()) for image, tiles in self.tiles.items()},
            "written": {image: result.to_json() for image, result in self.written.items()},
        }

    def read(self, values: Mapping[str, Any]) -> None:
        """Take over what ``to_json`` gave; checks everything."""
        given = _as_now(values)
        self.revision = checks.whole(given["revision"], "a revision", 0, 2**53)
        self.classes = {c.label: c for c in ops.read_classes(given["classes"])}
        for image, tiles in checks.mapping(given["tiles"], "strokes").items():
            _read_tiles(checks.listed(tiles, "tiles"), self.tiles[image])
        for image, result in checks.mapping(given["written"], "results").items():
            found = checks.mapping(result, "a result")
            self.apply(ops.SetResult(self._sheets[image].key, found["path"], found["answers"]))

    def change_to_json(self, change: Painted) -> dict[str, Any]:
        """Return a change as plain values."""
        return change.to_json()

    def read_change(self, values: Mapping[str, Any]) -> Painted:
        """Return the change that ``change_to_json`` gave plain values for."""
        return read(values, self.tiles, self._sheets)


def _as_now(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a snapshot holds, also one from when strokes were kept with their images."""
    if "images" not in values:
        return values
    images = [checks.mapping(i, "an image") for i in checks.listed(values["images"], "images")]
    return {
        "revision": values["revision"],
        "classes": values["classes"],
        "tiles": {i["image"]: i["tiles"] for i in images},
        "written": {i["image"]: i["result"] for i in images if i.get("result") is not None},
    }


def _everywhere(tiles: StrokeTiles) -> Iterator[tuple[int, Box]]:
    """Yield the planes that have labels, and where."""
    for plane in tiles.painted_planes():
        yield from ((plane, part) for part in tiles.tiles(plane))


def _read_tiles(kept: Sequence[Any], tiles: StrokeTiles) -> None:
    """Paint what a snapshot holds, also one from when each tile was compressed by itself."""
    if all(isinstance(part, Mapping) for part in kept):
        read_layers(kept, tiles)
        return
    read_tiles([ops.tile(part) for part in kept], tiles)
