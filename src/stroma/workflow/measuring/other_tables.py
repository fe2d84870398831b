"""Tables of other programs: their rows, and their columns joined to objects by number."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import FormatError, LabelError, MissingExtraError, MissingFileError, short
from stroma.io.cells import from_cell

NUMBERS = ("label", "label_id", "object", "objectnumber", "object_id", "id")
"""What a column with numbers of objects is called, in small letters; the first that is there."""

FRAMES = ("t", "frame", "time")
CLASSES = ("class", "class_name", "classification")
SEPARATORS = ",;\t"
TABLES = (".csv", ".tsv", ".txt", ".parquet")

Row = Mapping[str, str]
Rows = list[dict[str, str]]

FIRST_LINE = 2
"""Where a file that begins with the names of its columns has its first row."""

MOST_WHOLE = 2**53
"""Largest number whose neighbours are whole numbers, too."""


@dataclass(frozen=True, eq=False)
class OtherTable:
    """Columns of another program for the objects of an image.

    Parameters
    ----------
    source : str
        Where they come from, for people.
    keys : (n, 2) int64
        Frame and number of the object of each row; no two are the same.
    measures : mapping of str to (n,) float64
        Numbers; NaN where there is none.
    classes : (n,) tuple of str
        What each object is; empty where that is not said.
    framed : bool
        Whether it says the frame of each object; else all are of the first.
    """

    source: str
    keys: NDArray[np.int64]
    measures: Mapping[str, NDArray[np.float64]]
    classes: tuple[str, ...] = ()
    framed: bool = True

    def rows_of(self, table: ObjectTable, frame: int | None = None) -> NDArray[np.int64]:
        """Return the row for each object of a table, -1 where there is none.

        Parameters
        ----------
        table : ObjectTable
            Of all frames, with the column "t" where there are several; or of one.
        frame : int, optional
            Which one.

        Raises
        ------
        LabelError
            If the table has several frames, and this does not say which.
        """
        if frame is None and not self.framed:
            require_frames(self.source, frames_of(table))
        known = {key: row for row, key in enumerate(map(tuple, self.keys.tolist()))}
        usual = np.full(table.rows, frame or 0, np.int64)
        frames = table["t"] if frame is None and "t" in table else usual
        pairs = zip(frames.tolist(), table[LABEL].tolist(), strict=True)
        return np.array([known.get(pair, -1) for pair in pairs], np.int64)

    def joined(self, table: ObjectTable, frame: int | None = None) -> ObjectTable:
        """Return a table with the measures, too; those that it has already stay its own."""
        rows = self.rows_of(table, frame)
        new = {n: v for n, v in self.measures.items() if n not in table}
        return table.extended({n: np.where(rows >= 0, v[rows], np.nan) for n, v in new.items()})


def read_rows(path: str | Path) -> Rows:
    """Return the rows of a table in a file as texts.

    Parameters
    ----------
    path : path
        Text with commas, semicolons or tabs between columns; or Parquet, which needs pyarrow.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is no table.
    """
    where = Path(path)
    if not where.is_file():
        raise MissingFileError(f"There is no file {where}.")
    if where.suffix.lower() == ".parquet":
        return _parquet_rows(where)
    try:
        with where.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            between = max(SEPARATORS, key=head.count)
            read = csv.DictReader(file, delimiter=between)
            return [{str(k): from_cell(v or "").strip() for k, v in r.items() if k} for r in read]
    except (UnicodeDecodeError, csv.Error, AttributeError) as error:
        raise FormatError(f"{where} is no table as text: {short(str(error))}.") from error


def _parquet_rows(path: Path) -> Rows:
    try:
        parquet: Any = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "Parquet needs pyarrow. Install it with: pip install pyarrow, or give .csv."
        ) from error
    try:
        found = parquet.read_table(path).to_pylist()
    except (ValueError, OSError) as error:
        raise FormatError(f"{path} is no Parquet file: {short(str(error))}.") from error
    return [{str(k): "" if v is None else str(v) for k, v in row.items()} for row in found]


def read_other_table(path: str | Path) -> OtherTable:
    """Return the columns that a table of another program has for objects.

    Parameters
    ----------
    path : path
        With a column of numbers of objects (label, label_id, object, ObjectNumber, object_id or
        id); "t", "frame" or "time" says the frame. Columns of numbers are measures, the column
        class, class_name or classification says what objects are; other texts are left out.

    Raises
    ------
    FormatError
        If there is no such column, or no row, or a number of an object is none.
    LabelError
        If an object has two rows.
    """
    where, rows = Path(path), read_rows(path)
    names = list(rows[0]) if rows else []
    label = called(names, NUMBERS)
    if label is None:
        raise FormatError(
            f"{where} has no column with the numbers of objects: one of {', '.join(NUMBERS)}. Got "
            f"{', '.join(names[:12]) or 'no rows'}."
        )
    frame, kind = called(names, FRAMES), called(names, CLASSES)
    lines = dict(enumerate(rows, start=FIRST_LINE))
    frames = frames_in(lines, where)
    keys = np.array(
        [
            ((frames or {}).get(line, 0), whole(row, label, f"{where}, line {line}"))
            for line, row in lines.items()
        ],
        np.int64,
    )
    found, counts = np.unique(keys, axis=0, return_counts=True)
    if (counts > 1).any():
        raise LabelError(f"{where} has two rows for the object {found[counts > 1][0][1]}.")
    measures = {n: _numbers(rows, n) for n in names if n not in (label, frame, kind)}
    classes = tuple(row[kind] for row in rows) if kind else ()
    known = {n: v for n, v in measures.items() if v is not None}
    said = classes if any(classes) else ()
    return OtherTable(where.name, keys, known, said, frames is not None)


def called(names: Iterable[str], known: Sequence[str]) -> str | None:
    """Return the name of a column that is called one of some words, in whatever case."""
    small = {name.lower().replace(" ", "_"): name for name in reversed(list(names))}
    return next((small[word] for word in known if word in small), None)


def frames_in(lines: Mapping[int, Row], path: Path) -> dict[int, int] | None:
    """Return the frames of rows, by their lines; None where no row says one.

    Raises
    ------
    FormatError
        If some do and others do not, or one is no whole number.
    """
    name = called(next(iter(lines.values()), {}), FRAMES)
    if name is None or not any(row.get(name) for row in lines.values()):
        return None
    return {line: whole(row, name, f"{path}, line {line}") for line, row in lines.items()}


def require_frames(source: str, count: int) -> None:
    """Refuse objects of several frames where a table says none: only the first would be meant."""
    if count > 1:
        raise LabelError(
            f"{source} does not say in which frame its objects are, and there are objects in "
            f"{count} frames. Give it a column {' or '.join(FRAMES)}, that counts from 0."
        )


def frames_of(table: ObjectTable) -> int:
    """Return in how many frames a table has objects."""
    return len(np.unique(table["t"])) if "t" in table else 1


def number(row: Mapping[str, str], name: str, where: str) -> float:
    """Return the number that a row has in a column.

    Parameters
    ----------
    row : mapping of str to str
        Cells by column.
    name : str
        Of the column.
    where : str
        File and line, for people.

    Raises
    ------
    FormatError
        If it has none.
    """
    try:
        value = float(row.get(name) or "nan")
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    raise FormatError(f"{where}: {short(row.get(name) or 'an empty cell')} in {name} is no number.")


def whole(row: Mapping[str, str], name: str, where: str) -> int:
    """Return the whole number that a row has in a column, also where it is written as 1.0.

    Parameters
    ----------
    row, name, where
        As for `number`.

    Raises
    ------
    FormatError
        If it has none.
    """
    value = number(row, name, where)
    if value.is_integer() and abs(value) <= MOST_WHOLE:
        return int(value)
    raise FormatError(f"{where}: {short(row[name])} in {name} is no whole number.")


def _numbers(rows: Rows, name: str) -> NDArray[np.float64] | None:
    """Return a column of numbers, NaN where cells are empty; None where it holds texts."""
    try:
        found = np.array([float(row.get(name) or "nan") for row in rows])
    except ValueError:
        return None
    return np.where(np.isfinite(found), found, np.nan) if np.isfinite(found).any() else None
