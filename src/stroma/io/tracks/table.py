"""Tracks as tables: a row for every object, and a row for every track."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Detections, Floats, Tracks
from stroma.errors import FormatError
from stroma.io.cells import write_table
from stroma.io.tracks.movie import Movie

TOLD = ("track", "frame", "label", "mother", "id", "")
"""Columns that name things."""

LARGEST = 200_000_000
"""Bytes of a table of points that is read."""


def write(folder: Path, tracks: Tracks, movie: Movie | None, stem: str) -> list[Path]:
    """Write ``STEM_tracks.csv``: track, frame, label, centre in pixels and in the unit, mother."""
    found = tracks.detections
    numbers = movie.numbers if movie is not None else tuple(range(found.frames))
    axes = "zyx"[-found.position.shape[1] :]
    header = ["track", "frame", "label", *(f"{a}_px" for a in axes)]
    if found.unit != "px":
        header += [f"{a}_{found.unit}" for a in axes]
    header += [*found.measures, "mother"]
    rows = (
        [
            tracks.track[i],
            numbers[found.frame[i]],
            found.label[i],
            *np.round(found.position[i], 3),
            *(np.round(found.places[i], 4) if found.unit != "px" else ()),
            *(round(float(column[i]), 4) for column in found.measures.values()),
            tracks.mother[tracks.track[i] - 1],
        ]
        for i in np.lexsort((found.frame, tracks.track))
    )
    path = folder / f"{stem}_tracks.csv"
    write_table(path, header, rows)
    return [path]


def read_points(path: str | Path) -> Detections:
    """Return points of a table with the columns t (or frame), y and x, and z where there is one.

    Other columns that hold numbers are measures, by their names.

    Raises
    ------
    FormatError
        If a column is missing, or a value is no number.
    """
    path = Path(path)
    if path.stat().st_size > LARGEST:
        raise FormatError(f"{path} is larger than {LARGEST // 10**6} MB; points are read up to it.")
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        names = {str(n).strip().lower(): n for n in reader.fieldnames or ()}
        time = next((names[n] for n in ("t", "frame", "time") if n in names), None)
        axes = [names[k] for a in "zyx" for k in (a, f"{a}_px") if k in names]
        if time is None or len(axes) < 2:
            raise FormatError(
                f"{path} has the columns {', '.join(names) or 'none'}; points over time need t "
                "(or frame), y and x, and z in volumes."
            )
        try:
            rows, others = [], dict[str, list[str]]()
            for row in reader:
                rows.append([float(row[c]) for c in (time, *axes)])
                for name in names:
                    others.setdefault(name, []).append(row[names[name]])
        except (TypeError, ValueError) as error:
            raise FormatError(f"{path}, line {reader.line_num}: not a number ({error}).") from error
    values = np.array(rows, np.float64).reshape(-1, 1 + len(axes))
    if not np.isfinite(values).all() or (values[:, 0] < 0).any():
        raise FormatError(f"{path} holds frames below 0, or values that are no numbers.")
    order = np.argsort(values[:, 0], kind="stable")
    values = values[order]
    own = {time, *axes}
    measures = _measures({n: c for n, c in others.items() if names[n] not in own}, order)
    frame = values[:, 0].astype(np.int64)
    label = np.arange(len(frame)) - np.searchsorted(frame, frame) + 1
    return Detections(frame, label.astype(np.int64), values[:, 1:], measures)


def _measures(columns: Mapping[str, Sequence[str]], order: NDArray[np.intp]) -> dict[str, Floats]:
    """Return the columns that hold nothing but numbers and say how points are, not where."""
    found = {}
    for name, texts in columns.items():
        if name in TOLD or re.match("[zyx]_", name):
            continue
        try:
            values = np.array([float(text) for text in texts])
        except (TypeError, ValueError):
            continue
        if np.isfinite(values).all():
            found[name] = values[order]
    return found
