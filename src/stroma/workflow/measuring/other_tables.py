"""Tables of other programs: their rows, and their columns joined to objects by number."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
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

Rows = list[dict[str, str]]

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
    """

    source: str
    keys: NDArray[np.int64]
    measures: Mapping[str, NDArray[np.float64]]
    classes: tuple[str, ...] = ()

    def rows_of(self, table: ObjectTable, frame: int | None = None) -> NDArray[np.int64]:
        """Return the row for each object of a table, -1 where there is none.

        Parameters
        ----------
        table : ObjectTable
            Of all frames, with the column "t" where there are several; or of one.
        frame : int, optional
            Which one.
        """
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
    number = _called(names, NUMBERS)
    if number is None:
        raise FormatError(
            f"{where} has no column with the numbers of objects: one of {', '.join(NUMBERS)}. Got "
            f"{', '.join(names[:12]) or 'no rows'}."
        )
    frame, kind = _called(names, FRAMES), _called(names, CLASSES)
    keys = np.array(
        [
            (_whole(row.get(frame or "", ""), where, line, 0), _whole(row[number], where, line))
            for line, row in enumerate(rows, start=2)
        ],
        np.int64,
    )
    found, counts = np.unique(keys, axis=0, return_counts=True)
    if (counts > 1).any():
        raise LabelError(f"{where} has two rows for the object {found[counts > 1][0][1]}.")
    measures = {n: _numbers(rows, n) for n in names if n not in (number, frame, kind)}
    classes = tuple(row[kind] for row in rows) if kind else ()
    known = {n: v for n, v in measures.items() if v is not None}
    return OtherTable(where.name, keys, known, classes if any(classes) else ())


def _called(names: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the name of a column that is called one of some words."""
    small = {name.lower().replace(" ", "_"): name for name in reversed(names)}
    return next((small[word] for word in known if word in small), None)


def _whole(text: str, path: Path, line: int, usual: int | None = None) -> int:
    if not text and usual is not None:
        return usual
    try:
        value = float(text)
        if value.is_integer() and abs(value) <= MOST_WHOLE:
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise FormatError(f"{path}, line {line}: {short(text or 'an empty cell')} is no whole number.")


def _numbers(rows: Rows, name: str) -> NDArray[np.float64] | None:
    """Return a column of numbers, NaN where cells are empty; None where it holds texts."""
    try:
        found = np.array([float(row.get(name) or "nan") for row in rows])
    except ValueError:
        return None
    return np.where(np.isfinite(found), found, np.nan) if np.isfinite(found).any() else None
