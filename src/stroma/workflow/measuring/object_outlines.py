"""Outlines of objects, as files of other programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.data.outlines import outlines
from stroma.data.shapes import Area
from stroma.errors import FormatError
from stroma.io.atomic import replaced
from stroma.io.foreign import CELLPOSE
from stroma.io.marks import Mark
from stroma.io.tables import STROKE_WRITERS
from stroma.workflow.measuring.cellpose_window import write_seg

COLOR = "#b6ff3c"
"""Of objects that were not classed, as on the page: one that no grey image has."""

ABOUT = ("t", "class")
"""Numbers of a table that say when or what an object is; files say both by other means."""


@dataclass(frozen=True, eq=False)
class Measures(Mapping[str, float]):
    """The numbers in a row of a table, looked up when they are asked for.

    Parameters
    ----------
    table : ObjectTable
        All rows.
    names : sequence of str
        The columns.
    row : int
        Which row.
    """

    table: ObjectTable
    names: Sequence[str]
    row: int

    def __getitem__(self, name: str) -> float:
        """Return a value."""
        return float(self.table[name][self.row])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.names)

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self.names)


def write_outlines(
    path: str | Path, labels: Image, table: ObjectTable, classes: Sequence[Class] = ()
) -> None:
    """Write outlines of objects: ``.geojson`` for QuPath, ``.zip`` for ImageJ's ROI Manager.

    Under a name that ends in ``_seg.npy`` the objects are written for Cellpose.

    Parameters
    ----------
    labels : Image
        The objects.
    table : ObjectTable
        Their boxes, and their classes where they have any.
    classes : sequence of Class
        Names and colours.
    """
    where = Path(path)
    check_outline_name(where)
    if where.name.lower().endswith(CELLPOSE):
        write_seg(where, labels, table)
        return
    with replaced(where) as new:
        STROKE_WRITERS[where.suffix.lower()](new, list(_marks(labels, table, classes)))


def check_outline_name(path: Path) -> None:
    """Refuse a name that no outlines can be written under."""
    endings = (*STROKE_WRITERS, CELLPOSE)
    if not path.name.lower().endswith(endings):
        raise FormatError(f"Outlines of objects end in {' or '.join(endings)}, got {path.name!r}.")


def _marks(labels: Image, table: ObjectTable, classes: Sequence[Class]) -> Iterator[Mark]:
    """Yield the outlines of every object, plane by plane and part by part."""
    known = {c.label: c for c in classes}
    frames = table["t"] if "t" in table else np.zeros(table.rows, np.int64)
    names = _measured(table)
    for t in np.unique(frames).tolist():
        image = labels.at(t=t) if "t" in labels.kept_axes else labels
        for row in np.flatnonzero(frames == t).tolist():
            own = known.get(int(table["class"][row])) if "class" in table else None
            about = _about(Measures(table, names, row), own)
            for area, z in _areas(image, table, row):
                places = (("t", t if image is not labels else None), ("z", z))
                yield Mark(area, {a: p for a, p in places if p is not None}, **about)


def _measured(table: ObjectTable) -> tuple[str, ...]:
    """Return the columns of numbers; in volumes the number alone: outlines are of planes."""
    if "front" in table:
        return (LABEL,)
    return tuple(n for n in table if n not in ABOUT and table[n].dtype.kind in "biuf")


def _about(measures: Measures, own: Class | None) -> dict[str, Any]:
    """Return what marks say about an object beside where it is."""
    number = int(measures[LABEL])
    said = ("", COLOR, 0) if own is None else (own.name, own.color, own.label)
    return {
        **dict(zip(("name", "color", "label"), said, strict=True)),
        "title": f"{said[0] or 'object'}-{number}",
        "number": number,
        "measures": measures,
    }


def _areas(image: Image, table: ObjectTable, row: int) -> Iterator[tuple[Area, int | None]]:
    """Yield the parts of an object, each with its plane in z."""
    number = int(table[LABEL][row])
    top, left, bottom, right = (int(table[n][row]) for n in ("top", "left", "bottom", "right"))
    box, planes = {"y": slice(top, bottom), "x": slice(left, right)}, range(0, 1)
    if solid := "z" in image.kept_axes:
        planes = range(int(table["front"][row]), int(table["back"][row]))
        box["z"] = slice(planes.start, planes.stop)
    values = image.read(box).reshape(len(planes), bottom - top, right - left)
    for z, mask in zip(planes, values == number, strict=True):
        for rings in outlines(mask):
            yield Area(tuple(ring + np.array([left, top]) for ring in rings)), z if solid else None
