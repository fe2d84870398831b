"""Trainable Weka Segmentation: its data file (ARFF) names the features and the classes.

Its ``.model`` is a Java object and is not read; "Save data" in its window writes the ARFF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stroma.data.classes import Class
from stroma.errors import FormatError, short
from stroma.zoo.filters import Cell, bank
from stroma.zoo.taken import Taken, opened

NAMES = {
    "gaussian_blur": "gaussian",
    "sobel_filter": "gradient",
    "hessian": "hessian",
    "laplacian": "laplacian",
    "structure": "structure",
    "difference_of_gaussians": "dog",
}
"""How its features begin, and our filters."""

MAX_LINE = 2**16
MAX_LINES = 10_000
_ATTRIBUTE = re.compile(r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s+(.*)", re.IGNORECASE)
_SIGMA = re.compile(r"_(\d+(?:\.\d+)?)")


def take(path: Path, images: Sequence[Path]) -> Taken:
    """Return features and classes of a data file.

    Raises
    ------
    FormatError
        If it is no ARFF file, or names no features.
    """
    attributes = list(_attributes(path))
    classes: tuple[Class, ...] = ()
    cells: dict[Cell, None] = {}
    strange: dict[str, None] = {}
    for name, kind in attributes:
        if name.lower() == "class" and kind.startswith("{"):
            named = [n.strip().strip("'\"") for n in kind.strip("{} \r\n").split(",")]
            classes = tuple(Class(i, short(n)) for i, n in enumerate(named, start=1) if n)
        elif cell := _cell(name):
            cells[cell] = None
        elif name.lower() != "original":
            strange[re.sub(r"_[\d.].*", "", name)] = None
    if not cells and not classes:
        raise FormatError(f"{path} is no data file of Trainable Weka: it names no features.")
    pictures, left = opened(images)
    param, moved = bank(cells, volumes=False) if cells else ({}, ["features: none are like ours"])
    return Taken(
        path,
        "Trainable Weka Segmentation",
        pictures,
        classes,
        {**param, "clf": "forest"} if param else {},
        (f"{len(cells)} features", f"{len(classes)} classes"),
        (
            *left,
            *(f"feature {short(name)}: there is none like it" for name in strange),
            *moved,
            "traces: a data file does not say where they lie; give them with strokes=",
        ),
    )


def _attributes(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and kind of the attributes in the head of a file."""
    with path.open("rb") as file:
        for _ in range(MAX_LINES):
            line = file.readline(MAX_LINE).decode("utf-8", "replace")
            if not line or line.lower().startswith("@data"):
                return
            if found := _ATTRIBUTE.match(line):
                yield found[1].strip("'\""), found[2]


def _cell(name: str) -> Cell | None:
    low = name.lower()
    ours = next((NAMES[start] for start in NAMES if low.startswith(start)), None)
    sigma = _SIGMA.search(name)
    width = float(sigma[1]) if sigma else 0.0
    if ours is None or not 0 <= width < 1000:
        return None
    return Cell(ours, max(width, 0.3))
