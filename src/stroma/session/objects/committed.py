"""What a committed object changes in the objects that are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stroma.errors import LabelError, ParameterError
from stroma.objects.correct import slices
from stroma.session.core.packs import unpacked_as
from stroma.session.objects.book import Book, Part, closed, shape_of
from stroma.session.objects.operations import MOST_NUMBER

Marked = tuple[int, tuple[int, ...], bytes]
"""Frame, box, and what is marked in it."""


def committed(book: Book, marked: Sequence[Marked], replaces: int) -> tuple[Part, ...]:
    """Return the parts of a book that change; pixels of other objects stay with these.

    Parameters
    ----------
    book : Book
        What is there.
    marked : sequence of (frame, box, bytes)
        What is to be the object.
    replaces : int
        Object whose place it takes in these frames; 0 for a new one.

    Raises
    ------
    ParameterError
        If it lies outside, nothing is marked, or other objects have all of it.
    LabelError
        If there is no object to replace, or no number is free.
    """
    number = replaces or book.newest + 1
    if number > MOST_NUMBER:
        raise LabelError("There are no free numbers for more objects. Number them anew first.")
    parts = []
    for frame in dict.fromkeys(frame for frame, *_ in marked):
        own = [(box, data) for at, box, data in marked if at == frame]
        parts += _in_frame(book, frame, own, (number, replaces))
    if replaces and not any((book.frame(p.frame) == replaces).any() for p in parts):
        raise LabelError(f"There is no object {replaces}. Select it once more.")
    if not parts:
        raise ParameterError(
            "Other objects have all of these pixels already. Delete one of them, or click "
            "elsewhere."
        )
    return tuple(parts)


def _in_frame(
    book: Book, frame: int, marked: Sequence[tuple[tuple[int, ...], bytes]], names: tuple[int, int]
) -> list[Part]:
    """Return the part of a frame that changes; none where other objects have all of it."""
    number, replaces = names
    for box, _ in marked:
        book.require_box(frame, box)
    boxes = np.array([box for box, _ in marked])
    hull = (*boxes[:, :3].min(0).tolist(), *boxes[:, 3:].max(0).tolist())
    hull = book.whole(frame) if replaces else hull
    before = book.frame(frame)[slices(hull)]
    after = before.copy()
    if replaces:
        after[after == replaces] = 0
    for box, data in marked:
        inner = tuple(e - hull[i % 3] for i, e in enumerate(box))
        target = after[slices(inner)]
        target[_marked(data, box) & (target == 0)] = number
    if not (after == number).any():
        return []
    return [Part(frame, hull, closed(before), closed(after))]


def _marked(data: bytes, box: tuple[int, ...]) -> NDArray[np.bool_]:
    try:
        return unpacked_as(data, shape_of(box), "|u1") > 0
    except ValueError as error:
        raise ParameterError(f"The marked pixels are damaged: {error}.") from error
