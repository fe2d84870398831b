"""Tables that spreadsheets open: text that would be taken for a formula is kept text."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stroma.io.atomic import replaced

Row = Sequence[Any] | Mapping[str, Any]
"""Values in the order of the heads, or by head; those left out are empty."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these, a cell is a formula to spreadsheets, whatever stands before the table's quotes."""

MARK = "'"
"""Spreadsheets show what follows as text."""


def as_cell(value: object) -> object:
    """Return a value for a cell: text that would be a formula gets a mark; numbers stay numbers."""
    if not isinstance(value, str) or not value.lstrip(" ").startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return MARK + value
    return value


def write_table(path: Path, heads: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a table as CSV."""
    with new_table(path, heads) as add:
        add(rows)


@contextmanager
def new_table(path: Path, heads: Sequence[str]) -> Iterator[Callable[[Iterable[Row]], None]]:
    """Yield what adds rows to a table as CSV, which is there, whole, at the end."""
    with replaced(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(map(as_cell, heads))
        yield lambda rows: writer.writerows(map(as_cell, _values(row, heads)) for row in rows)


def _values(row: Row, heads: Sequence[str]) -> Iterable[Any]:
    return (row.get(head, "") for head in heads) if isinstance(row, Mapping) else row


def from_cell(text: str) -> str:
    """Return the text that a cell was made from."""
    marked = text.startswith(MARK) and text[1:].lstrip(" ").startswith(FORMULA)
    return text[1:] if marked else text
