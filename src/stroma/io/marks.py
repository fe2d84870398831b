"""Marks: shapes of classes, as files of strokes hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from stroma.data.shapes import Shape
from stroma.errors import FormatError, short

MAX_COORDINATE = 1e9
"""Coordinates beyond this lie in no image; files with such are refused."""


@dataclass(frozen=True)
class Mark:
    """One shape of one class, as found in a file.

    Parameters
    ----------
    shape : Shape
        What to draw.
    plane : mapping of str to int
        Where along t and z; axes left out must have one plane in the image.
    name : str
        Name of the class; empty where only ``label`` is known.
    label : int
        Label of the class; 0 where only the name is known.
    color : str
        Colour of the class, "#rrggbb"; empty where unknown.
    title : str
        What the mark is called in files that say so, and in messages.
    ignored : str
        Why the mark is left out; empty where it is not.
    number : int
        Number of the object that it is, or is a part of; 0 where it is no object.
    measures : mapping of str to float
        Measurements of the object, for files that hold them.
    """

    shape: Shape
    plane: Mapping[str, int]
    name: str = ""
    label: int = 0
    color: str = ""
    title: str = ""
    ignored: str = ""
    number: int = 0
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """What the mark is called in messages."""
        return short(self.title, 60) or "a mark"


def whole(marks: Iterable[Mark]) -> Iterator[list[Mark]]:
    """Yield marks alone, and those that are parts of one object on one plane, if in turn, as one.

    Pixels that touch at corners alone are parts of an object with outlines of their own; programs
    that count what they are given shall count one.
    """
    for (number, _), many in groupby(marks, key=lambda m: (m.number, sorted(m.plane.items()))):
        parts = list(many)
        yield from [parts] if number else ([part] for part in parts)


def too_large(path: Path, limit: int, hint: str = "") -> FormatError:
    """Return the error for a file that is larger than is read."""
    mib = limit // 2**20
    return FormatError(f"{path} is larger than the {mib} MiB that are read of such a file. {hint}")
