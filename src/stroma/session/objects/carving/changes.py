"""What carving changes in what is kept of it, and what may not change of locked objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

from stroma.errors import ParameterError, short
from stroma.session.core.sheet import Sheet
from stroma.session.objects.book import Book, Part, opened, shape_of
from stroma.session.objects.carving import operations as ops
from stroma.session.objects.carving.kept import Carvings, Line, Named


@singledispatch
def changed(operation: ops.CarveOperation, now: Carvings, sheet: Sheet) -> Carvings:
    """Return what is kept of carving after an operation.

    Raises
    ------
    ParameterError, UnknownNameError
        If it does not fit what is there.
    """
    raise TypeError(f"{operation!r} is not an operation of carving")


@changed.register
def _(operation: ops.CarveStroke, now: Carvings, sheet: Sheet) -> Carvings:
    line = operation.line
    sheet.require_plane(line.plane)
    frame = frame_of(sheet, line)
    at_hand = now.at_hand
    others = {frame_of(sheet, one) for one in now.lines} | ({at_hand.frame} if at_hand else set())
    if others - {frame}:
        raise ParameterError(
            f"The object that is being carved is at time {min(others) + 1}. Commit or clear it "
            "first, or go there."
        )
    return replace(now, lines=(*now.lines, line))


@changed.register
def _(operation: ops.SetBoundaries, now: Carvings, sheet: Sheet) -> Carvings:
    return replace(now, how=(operation.how,))


@changed.register
def _(operation: ops.TakeBackStroke, now: Carvings, sheet: Sheet) -> Carvings:
    return replace(now, lines=now.lines[:-1])


@changed.register
def _(operation: ops.ClearCarving, now: Carvings, sheet: Sheet) -> Carvings:
    return replace(now, lines=(), opened=())


@changed.register
def _(operation: ops.ReopenCarved, now: Carvings, sheet: Sheet) -> Carvings:
    known = now.known(operation.name)
    unlocked = now.changed(operation.name, locked=False)
    return replace(unlocked, lines=known.lines, opened=(known.name,))


@changed.register
def _(operation: ops.LockCarved, now: Carvings, sheet: Sheet) -> Carvings:
    if operation.name in now.opened and operation.locked:
        raise ParameterError(
            f"{short(operation.name)!r} is being carved. Commit it, or clear its strokes, first."
        )
    return now.changed(operation.name, locked=operation.locked)


def committed_as(operation: ops.CommitCarved, now: Carvings, frame: int, number: int) -> Carvings:
    """Return what is kept of carving once an object was committed.

    Raises
    ------
    ParameterError
        If another object has this name.
    """
    require_free(now, operation.name)
    made = Named(operation.name, frame, number, operation.lock, now.lines)
    return replace(now.without(set(now.opened)), lines=(), opened=()).with_named(made)


def require_free(now: Carvings, name: str) -> None:
    """Check that a name is free, or that of the object that was reopened."""
    if name not in now.opened and any(one.name == name for one in now.named):
        raise ParameterError(
            f"There is an object {short(name)!r} already. Reopen it to change it, or choose "
            "another name."
        )


def frame_of(sheet: Sheet, line: Line) -> int:
    """Return the frame that a stroke was drawn in."""
    return sheet.position(line.plane).get("t", 0)


def left(book: Book, parts: Sequence[Part], *, anew: bool = False) -> Carvings:
    """Return what is left of carving when objects change; names of objects that go are dropped.

    Where objects come anew, one that has the number of an earlier one is that only if it has the
    same pixels.

    Raises
    ------
    ParameterError
        If an object would change that is locked.
    """
    gone = set()
    for part in parts:
        named = [one for one in book.carvings.named if one.frame == part.frame]
        if not named:
            continue
        before, after = (opened(d, shape_of(part.box)) for d in (part.before, part.after))
        for one in named:
            was, stays = before == one.number, after == one.number
            changes = (was != stays).any()
            if one.locked and changes:
                raise ParameterError(
                    f"{short(one.name)!r} is locked. Unlock it in the list of carved objects first."
                )
            all_of_it = was.any() and was.sum() == (book.frame(part.frame) == one.number).sum()
            if (anew and changes) or (all_of_it and not stays.any()):
                gone.add(one.name)
    return book.carvings.without(gone)
