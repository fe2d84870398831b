"""The classes that a table of labelled objects says, by number, by name, or by both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from stroma.data.classes import Class
from stroma.errors import LabelError, short
from stroma.workflow.measuring.other_tables import CLASSES, Row, called

NAME = "class_name"
"""What our own tables call the names of classes, beside their numbers."""

Pair = tuple[str, str]
"""Number and name of a class; empty where a row does not say it."""


def said_classes(
    lines: Mapping[int, Row], names: Sequence[str], path: Path, known: Sequence[Class] = ()
) -> dict[int, str]:
    """Return the class that rows of a table say, by their lines; those that say none are left out.

    Where a table has both numbers and names, a row with one of them is of the class that other
    rows, or the model, call so.

    Parameters
    ----------
    lines : mapping of int to Row
        Rows by their lines.
    names : sequence of str
        Of all columns.
    path : Path
        The table, for people.
    known : sequence of Class
        Those of the model that goes on learning.

    Raises
    ------
    LabelError
        If number and name of a row contradict each other, or a number has no name.
    """
    name, other = called(names, (NAME,)), called(names, [c for c in CLASSES if c != NAME])
    if name is None or other is None or not any(row.get(name) for row in lines.values()):
        column = other if name is None or other is not None else name
        said = {line: row.get(column or "", "") for line, row in lines.items()}
        return {line: word for line, word in said.items() if word}
    pairs = {i: (_plain(row.get(other, "")), row.get(name, "")) for i, row in lines.items()}
    columns = f"{other} and {name}"
    _require_agreement(pairs, columns, path, known)
    called_so = {str(c.label): c.name for c in known}
    called_so |= {n: word for n, word in pairs.values() if n and word}
    for line, (number, word) in pairs.items():
        if number.isdecimal() and not word and number not in called_so:
            raise LabelError(
                f"{path}, line {line}: no row says what the class {number} is called. Write its "
                f"name in {name}, or empty both cells where nobody knows the class."
            )
    return {i: word or called_so.get(n, n) for i, (n, word) in pairs.items() if n or word}


def _plain(number: str) -> str:
    """Return a number as it is counted, where a spreadsheet wrote it as 1.0."""
    whole, _, rest = number.partition(".")
    return whole if whole.isdecimal() and not rest.strip("0") else number


def _require_agreement(
    pairs: Mapping[int, Pair], columns: str, path: Path, known: Sequence[Class]
) -> None:
    """Refuse rows whose number is that of another name, first what most others speak against."""
    counts = Counter(pair for pair in pairs.values() if all(pair) and pair[0] != pair[1])
    of_model = {(str(c.label), c.name) for c in known}
    right = {
        pair: count - sum(n for one, n in counts.items() if _contradict(one, pair))
        for pair, count in counts.items()
    }
    # a word where a number should be is wrong, whatever others say
    order = {pair: (pair[0].isdecimal(), value) for pair, value in right.items()}
    wrong_first = sorted(
        (line for line, pair in pairs.items() if pair in order), key=lambda n: order[pairs[n]]
    )
    for line in wrong_first:
        pair = pairs[line]
        against = [one for one in (*of_model, *counts) if _contradict(one, pair)]
        if against or not pair[0].isdecimal():
            number, name = against[0] if against else ("", "")
            where = "the model" if (number, name) in of_model else "other rows"
            beside = f"; in {where} {number} is {short(name)}" if against else ""
            raise LabelError(
                f"{path}, line {line}: {columns} contradict each other: {short(pair[0])} and "
                f"{short(pair[1])}{beside}. Correct both, or empty the one that is wrong."
            )


def _contradict(one: Pair, other: Pair) -> bool:
    """Tell whether two pairs share a number or a name, and not both."""
    return (one[0] == other[0]) != (one[1] == other[1])
