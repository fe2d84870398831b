"""Lists of classes as text: one line of label, name and colour per class."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from stroma.data.classes import MAX_LABEL, Class
from stroma.errors import FormatError
from stroma.io.atomic import replaced
from stroma.io.cells import as_cell, from_cell

HEAD = ("label", "name", "color")
MOST = 1000
"""Classes a list may have."""

MAX_BYTES = 2**20
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
SEPARATORS = (",", ";", "\t")


def read_class_list(path: str | Path) -> tuple[Class, ...]:
    """Return the classes in a text file.

    Lines are ``label,name`` or ``label,name,#rrggbb``, with commas, semicolons or tabs, with a
    head or without; the label 0 is left out. Names alone, on one line or one a line, are counted
    from 1.

    Raises
    ------
    FormatError
        If the file is something else, is too long, or has a label twice.
    OSError
        If it cannot be read.
    """
    source = Path(path)
    lines = [line for line in _text(source).splitlines() if line.strip()]
    if not lines:
        raise FormatError(f"{source.name} is empty; expected lines of label,name.")
    separator = max(SEPARATORS, key=lines[0].count)
    rows = _rows(lines, separator, source)
    if tuple(rows[0]) == HEAD:
        rows = rows[1:]
    elif len(rows) == 1 and not rows[0][0].isdecimal():
        rows = [[str(i), name] for i, name in enumerate(rows[0], 1)]
    elif all(len(row) == 1 and not row[0].isdecimal() for row in rows):
        rows = [[str(i), name] for i, [name] in enumerate(rows, 1)]
    elif not rows[0][0].isdecimal():
        rows = rows[1:]
    if len(rows) > MOST:
        raise FormatError(f"{source.name} has {len(rows)} names; at most {MOST} are read.")
    classes = [c for row in rows if (c := _class(row, separator, source)) is not None]
    labels = [c.label for c in classes]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise FormatError(f"{source.name} names the label {twice[0]} twice. Leave out one.")
    return tuple(classes)


def write_class_list(path: str | Path, classes: Iterable[Class]) -> Path:
    """Write classes as text, one line each, below a head."""
    target = Path(path)
    with replaced(target) as new, new.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows((c.label, as_cell(c.name), c.color) for c in classes)
    return target


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise FormatError(f"{path} is no file; expected a text with lines of label,name.")
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise FormatError(f"{path.name} is longer than 1 MiB; a list of classes is a short text.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path.name} is not text in UTF-8. Save it as such.") from error
    if "\0" in text:
        raise FormatError(f"{path.name} is not text; expected lines of label,name.")
    return text


def _rows(lines: Sequence[str], separator: str, path: Path) -> list[list[str]]:
    try:
        read = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise FormatError(f"{path.name} cannot be read: {error}.") from error
    rows = [[cell.strip() for cell in row] for row in read]
    return [row[:-1] if len(row) > 1 and not row[-1] else row for row in rows]


def _class(row: Sequence[str], separator: str, path: Path) -> Class | None:
    label, *rest = row
    color = rest.pop() if len(rest) > 1 and COLOR.fullmatch(rest[-1]) else ""
    name = from_cell(f"{separator} ".join(rest).strip())
    if not label.isdecimal() or len(label) > 9 or not name:
        said = separator.join(row)[:50]
        raise FormatError(f"{path.name}: expected lines of label,name, got {said!r}.")
    if int(label) > MAX_LABEL:
        raise FormatError(f"{path.name}: labels are 1 to {MAX_LABEL}, got {label}.")
    return Class(int(label), name, color) if int(label) else None
