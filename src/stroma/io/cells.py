"""Cells of tables that spreadsheets open: text that would be taken for a formula is kept text."""

from __future__ import annotations

from collections.abc import Mapping

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


def as_cells(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row of cells."""
    return {head: as_cell(value) for head, value in row.items()}


def from_cell(text: str) -> str:
    """Return the text that a cell was made from."""
    marked = text.startswith(MARK) and text[1:].lstrip(" ").startswith(FORMULA)
    return text[1:] if marked else text
