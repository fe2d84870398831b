"""Tables of other programs join the objects of a session: measures, and classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stroma.data.classes import Class, free_color, free_label
from stroma.errors import LabelError, ParameterError
from stroma.session.core.core import Core
from stroma.session.objects import operations as ops
from stroma.session.objects.bench import FIRST_CLASSES, ObjectBench
from stroma.session.objects.book import Book, Click
from stroma.session.objects.joined import Joined, JoinTable
from stroma.workflow.measuring.other_tables import OtherTable, read_other_table, require_frames


class JoinTables:
    """Joins tables to objects; a step of undo each.

    Parameters
    ----------
    core : Core
        Of which session.
    """

    def __init__(self, core: Core) -> None:
        self.core = core

    def join_table(self, image: str, table: str | Path | OtherTable) -> int:
        """Let a table of another program join the objects of an image; returns how many it knows.

        Its measures become columns, beside those that are measured here; what it says that objects
        are becomes classes, and labels of these. A table of the same name takes the place of the
        earlier one.

        Parameters
        ----------
        image : str
            Key of the image, whose objects are held.
        table : path or OtherTable
            See `stroma.workflow.measuring.other_tables.read_other_table`.

        Raises
        ------
        ParameterError
            If objects are not held: numbers of those that follow the segmentation change.
        LabelError
            If it knows none of the objects, or does not say which of several frames they are in.
        """
        other = table if isinstance(table, OtherTable) else read_other_table(table)
        with self.core.lock:
            self.core.document.sheet(image)
            book = self.core.bench(ObjectBench).books[image]
            if not book.held.kept:
                raise ParameterError(
                    "Numbers of objects that follow the segmentation change. Open the label image "
                    "that the table is about, or find objects in all planes, first."
                )
            if not other.framed:
                require_frames(other.source, sum(bool(v.any()) for v in book.labels.values()))
            places = _places(book, other)
            if not places:
                raise LabelError(
                    f"{other.source}: none of its {len(other.keys)} numbers is that of an object "
                    "of this image."
                )
            document, before = self.core.document, self.core.document.last_edit
            self.core.do(_operation(image, Joined.of(other)))
            joined = document.last_edit != before  # else it was there, and the step is another's
            self._label(image, other, places, document.last_edit if joined else 0)
        return len(places)

    def _label(
        self, image: str, other: OtherTable, places: dict[int, tuple[int, ...]], step: int
    ) -> None:
        """Label the objects as a table says, with classes of these names."""
        said = {row: other.classes[row] for row in places if other.classes and other.classes[row]}
        labels = self._labels(list(dict.fromkeys(said.values())), step)
        come: list[Click] = [(places[row], labels[word]) for row, word in said.items()]  # type: ignore[misc]
        if not come:
            return
        book = self.core.bench(ObjectBench).books[image]
        meant = {tuple(other.keys[row].tolist()) for row in said}
        gone = [at for at in book.clicks if (at[0], int(book.frame(at[0])[at[1:]])) in meant]
        self.core.do(ops.ClickObjects(image, tuple(come), tuple(gone), continues=step))

    def _labels(self, words: list[str], step: int) -> dict[str, int]:
        """Return the class of each word; new ones take the place of the first that nobody used."""
        bench = self.core.bench(ObjectBench)
        known = {c.name: c.label for c in bench.classes.values()}
        used = {label for book in bench.books.values() for label in book.clicks.values()}
        spare = [c for c in FIRST_CLASSES if bench.classes.get(c.label) == c]
        free = [c.label for c in spare if c.label not in used and c.name not in words]
        for word in words:
            if word in known:
                continue
            classes: list[Class] = list(bench.classes.values())
            label = free.pop(0) if free else free_label(classes)
            old = bench.classes.get(label)
            color = old.color if old else free_color(classes, label)
            self.core.do(ops.SetObjectClass(label, word[:200], color, continues=step))
            known[word] = label
        return known


def _operation(image: str, table: Joined) -> JoinTable:
    return JoinTable(image, table.source, table.names, table.rows, table.keys, table.values)


def _places(book: Book, other: OtherTable) -> dict[int, tuple[int, ...]]:
    """Return a pixel of the object of each row that is there."""
    rows = {key: row for row, key in enumerate(map(tuple, other.keys.tolist()))}
    found: dict[int, tuple[int, ...]] = {}
    for frame, labels in book.labels.items():
        numbers, first = np.unique(labels, return_index=True)
        for number, at in zip(numbers.tolist(), first.tolist(), strict=True):
            row = rows.get((frame, number))
            if number and row is not None:
                z, y, x = (int(v) for v in np.unravel_index(at, labels.shape))
                found[row] = frame, z, y, x
    return found
