"""Images, what benches keep of them, what was done, and undoing it; no files, no threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatchmethod
from itertools import accumulate, takewhile
from types import MappingProxyType
from typing import Any

from stroma.blocks.box import Box, hull
from stroma.errors import ParameterError, UnknownNameError
from stroma.session.core import operations as ops
from stroma.session.core.bench import Bench, Done
from stroma.session.core.sheet import Sheet
from stroma.session.events import (
    Event,
    ImageChanged,
    ImageClosed,
    ImageOpened,
    StrokesChanged,
    Undone,
)


@dataclass(frozen=True)
class Edit:
    """A step that can be undone.

    Parameters
    ----------
    number : int
        Ascending; never used twice.
    kind : str
        "paint", "erase", "fill", "stamp", "clear", "import", "class", "remove class"; those of
        other benches.
    bench : str
        Where it was done.
    change : Change
        What changed there.
    """

    number: int
    kind: str
    bench: str
    change: Any


class Document:
    """Everything that is on the benches, and the steps that led there.

    The same operations, applied in the same order, always give the same document.

    Parameters
    ----------
    benches : Bench
        New, empty ones.
    """

    def __init__(self, *benches: Bench) -> None:
        self.sheets: dict[str, Sheet] = {}
        self.benches: Mapping[str, Bench] = MappingProxyType({b.name: b for b in benches})
        self.done: list[Edit] = []
        self.undone: list[Edit] = []
        self.last_edit = 0
        self._places = {kind: bench for bench in benches for kind in bench.operations}
        kinds = [*ops.OPERATIONS, *self._places]
        self.operations: Mapping[str, type[ops.Operation]] = {kind.op: kind for kind in kinds}
        assert len(self.operations) == len(kinds), "two benches have operations of one name"

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

    @property
    def last_image(self) -> str:
        """The image on which the last step was done that is not undone; empty for none."""
        return next((e.change.image for e in reversed(self.done) if e.change.image), "")

    def forget_steps(self, kept: int, *, parts: int, always: int) -> None:
        """Forget the oldest steps of undo, so that a snapshot holds no fewer than this document.

        Otherwise the journal could undo, after the snapshot, what the snapshot does not know.

        Parameters
        ----------
        kept : int
            How many steps are kept at most.
        parts : int
            How many parts the changes of these have together, at most.
        always : int
            How many are kept however large they are.
        """
        for steps in (self.done, self.undone):
            total = accumulate(step.change.size for step in reversed(steps))
            small = sum(1 for _ in takewhile(lambda size: size <= parts, total))
            del steps[: -min(kept, max(small, always))]

    @singledispatchmethod
    def apply(self, operation: ops.Operation) -> list[Event]:
        """Do something, whole or not at all, and return what changed.

        Raises
        ------
        ParameterError, LabelError, UnknownNameError
            If it does not fit what is there.
        """
        bench = self._places.get(type(operation))
        if bench is None:
            raise TypeError(f"{operation!r} is not an operation")
        image = getattr(operation, "image", None)
        if image is not None:
            self.sheet(image)
        return self._kept(bench.name, bench.apply(operation))

    @apply.register
    def _(self, operation: ops.AddImage) -> list[Event]:
        if operation.image in self.sheets:
            raise ParameterError(f"There is an image {operation.image!r} already.")
        sheet = Sheet(
            operation.image, operation.name, dict(operation.sizes), dict(operation.reference)
        )
        self.sheets[operation.image] = sheet
        for bench in self.benches.values():
            bench.image_opened(sheet)
        return [ImageOpened(operation.image)]

    @apply.register
    def _(self, operation: ops.CloseImage) -> list[Event]:
        key = self.sheet(operation.image).key
        del self.sheets[key]
        for bench in self.benches.values():
            bench.image_closed(key)
            bench.revision += 1
        self.done = [edit for e in self.done if (edit := _without(e, key))]
        self.undone = [edit for e in self.undone if (edit := _without(e, key))]
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
    def _(self, operation: ops.SetSpacing) -> list[Event]:
        sheet = self.sheet(operation.image)
        if "z" in operation.spacing and "z" not in sheet.sizes:
            raise ParameterError(f"The image {sheet.name!r} has no planes along z.")
        sheet.spacing = {axis: float(size) for axis, size in operation.spacing.items()}
        return [ImageChanged(sheet.key)]

    @apply.register
    def _(self, operation: ops.MarkImage) -> list[Event]:
        sheet = self.sheet(operation.image)
        sheet.mark = operation.mark
        return [ImageChanged(sheet.key)]

    @apply.register
    def _(self, operation: ops.Undo) -> list[Event]:
        if not self.done:
            raise ParameterError("There is nothing to undo.")
        edit = self.done.pop()
        self.undone.append(edit)
        return self._replayed(edit, edit.change.reversed(), again=False)

    @apply.register
    def _(self, operation: ops.Redo) -> list[Event]:
        if not self.undone:
            raise ParameterError("There is nothing to redo.")
        edit = self.undone.pop()
        self.done.append(edit)
        return self._replayed(edit, edit.change, again=True)

    def _replayed(self, edit: Edit, change: Any, *, again: bool) -> list[Event]:
        """Replay a change, and say what and where it was."""
        events = list(self.benches[edit.bench].replay(change))
        image, plane, where, box = edit.change.image, {}, "", None
        if image:
            sheet = self.sheet(image)
            plane = sheet.position(edit.change.plane)
            at = "".join(f", {axis} = {i + 1}" for axis, i in plane.items())
            where, box = f" on {sheet.name}{at}", _seen(events, sheet, edit.change.plane)
        message = f"{'Made again' if again else 'Undone'}: {edit.kind}{where}."
        told = Undone(edit.kind, image, plane, box, again, message)
        return [*events, told]

    def _kept(self, bench: str, done: Done) -> list[Event]:
        """Keep what was done as a step that can be undone."""
        if done.change is None:
            return list(done.events)
        self.undone.clear()
        last = self.done[-1] if self.done else None
        if done.continues and last and (last.number, last.bench) == (done.continues, bench):
            self.done[-1] = replace(last, change=last.change.followed_by(done.change))
        else:
            self.last_edit += 1
            self.done.append(Edit(self.last_edit, done.kind, bench, done.change))
        return list(done.events)


def _seen(events: Sequence[Event], sheet: Sheet, plane: int) -> Box | None:
    """Return the rectangle around what changed on a plane; None where nothing did."""
    parts = [
        sheet.cuts.met(plane, sheet.plane_number(e.plane), e.box)
        for e in events
        if isinstance(e, StrokesChanged) and e.image == sheet.key
    ]
    boxes = [part for part in parts if part.area]
    return hull(boxes) if boxes else None


def _without(edit: Edit, image: str) -> Edit | None:
    """Return an edit without its part in one image; None if nothing is left."""
    change = edit.change.without(image)
    return None if change is None else replace(edit, change=change)
