"""Tracks as tables: a row for every object, and a row for every track."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Detections, Floats, Ints, Tracks, physical
from stroma.errors import FormatError
from stroma.io.cells import write_table
from stroma.io.tracks.movie import Movie

TOLD = ("track", "frame", "label", "mother", "id", "")
"""Columns that name things."""

PLACE = re.compile(r"(?:centroid_)?([zyx])(?:_.*)?$")
"""Columns that say where things are; the first group is the axis."""

SIZES = ("area_px", "volume_vx")
"""Columns of tables of objects that say how large these are, in pixels."""

LARGEST = 200_000_000
"""Bytes of a table of points that is read."""


def write(folder: Path, tracks: Tracks, movie: Movie | None, stem: str) -> list[Path]:
    """Write ``STEM_tracks.csv``: track, frame, label, centre in pixels and in the unit, mother."""
    found = tracks.detections
    numbers = movie.numbers if movie is not None else tuple(range(found.frames))
    axes = "zyx"[-found.position.shape[1] :]
    extra = [(name, c) for name, c in physical(found) if name not in found.measures]
    header = ["track", "frame", "label", *(f"{a}_px" for a in axes)]
    if found.unit != "px":
        header += [f"{a}_{found.unit}" for a in axes]
    header += [*found.measures, *(name for name, _ in extra), "mother"]
    rows = (
        [
            tracks.track[i],
            numbers[found.frame[i]],
            found.label[i],
            *np.round(found.position[i], 3),
            *(np.round(found.places[i], 4) if found.unit != "px" else ()),
            *(round(float(column[i]), 4) for column in found.measures.values()),
            *(round(float(column[i]), 4) for _, column in extra),
            tracks.mother[tracks.track[i] - 1],
        ]
        for i in np.lexsort((found.frame, tracks.track))
    )
    path = folder / f"{stem}_tracks.csv"
    write_table(path, header, rows)
    return [path]


def read(path: Path) -> Tracks:
    """Return the tracks of a table with the columns track and frame, and what `read_points` takes.

    Objects of a track follow each other by their frames; a track whose column mother is not 0 comes
    from the last object of that track. Frames count from the first.

    Raises
    ------
    FormatError
        If there is no column of tracks, or a mother is nowhere.
    """
    found, told = _points(path)
    if "track" not in told:
        raise FormatError(
            f"{path} has no column track. A table of points is tracked: stroma track {path.name}."
        )
    try:
        track, mother = (
            np.array([int(float(text)) for text in told.get(name, ["0"] * len(found))], np.int64)
            for name in ("track", "mother")
        )
    except ValueError as error:
        raise FormatError(f"{path}: track and mother are whole numbers ({error}).") from error
    rows: dict[int, list[int]] = {}
    for i, number in enumerate(track.tolist()):
        rows.setdefault(number, []).append(i)
    links = [pair for own in rows.values() for pair in itertools.pairwise(own)]
    for own in rows.values():
        before = int(mother[own[0]])
        if before and before not in rows:
            raise FormatError(f"{path}: a track comes from {before}, which is nowhere.")
        if before:
            links.append((rows[before][-1], own[0]))
    first = int(found.frame.min(initial=0))
    named = replace(found, frame=found.frame - first, frames=0) if first else found
    return Tracks(named, np.array(links, np.int64).reshape(-1, 2))


def read_points(path: str | Path) -> Detections:
    """Return points of a table with the columns t (or frame), y and x, and z where there is one.

    Other columns that hold numbers are measures, by their names; tables of objects are such, too.
    Where places are told in a unit as well (``y_um``), that gives the size of a pixel.

    Raises
    ------
    FormatError
        If a column is missing, or a value is no number.
    """
    return _points(Path(path))[0]


def _points(path: Path) -> tuple[Detections, dict[str, list[str]]]:
    """Return points, and all columns as they are written, both in the order of time."""
    if path.stat().st_size > LARGEST:
        raise FormatError(f"{path} is larger than {LARGEST // 10**6} MB; points are read up to it.")
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        names = {str(n).strip().lower(): n for n in reader.fieldnames or ()}
        time = next((names[n] for n in ("t", "frame", "time") if n in names), None)
        called = ([a, f"{a}_px", f"centroid_{a}_px"] for a in "zyx")
        known = ([names[k] for k in one if k in names] for one in called)
        axes = [one[0] for one in known if one]
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
    label = _labels(others.get("label"), values[:, 0])
    order = np.lexsort((np.arange(len(values)) if label is None else label, values[:, 0]))
    values = values[order]
    own = {time, *axes}
    measures = _measures({n: c for n, c in others.items() if names[n] not in own}, order)
    frame = values[:, 0].astype(np.int64)
    ranks = np.arange(len(frame)) - np.searchsorted(frame, frame) + 1
    named = ranks.astype(np.int64) if label is None else label[order]
    told = {name: [texts[i] for i in order] for name, texts in others.items()}
    spacing, unit = _spacing(told, "zyx"[-len(axes) :], values[:, 1:])
    found = Detections(frame, named, values[:, 1:], measures, spacing=spacing, unit=unit)
    return found, told


def _labels(texts: Sequence[str] | None, frame: Floats) -> Ints | None:
    """Return the labels of objects in their frames; None where there are none, or one is twice."""
    try:
        label = np.array([int(text) for text in texts or ()], np.int64)
    except (TypeError, ValueError):
        return None
    pairs = np.stack([frame.astype(np.int64), label], axis=1) if len(label) else label
    return label if len(label) and len(np.unique(pairs, axis=0)) == len(label) else None


def _spacing(
    told: Mapping[str, Sequence[str]], axes: str, pixels: Floats
) -> tuple[tuple[float, ...], str]:
    """Return the size of a pixel and its unit, where places are told in such a unit too."""
    units = {name.rpartition("_")[2] for name in told if PLACE.match(name)} - {"", "px"}
    for unit in sorted(units):
        columns = [told.get(f"{a}_{unit}", told.get(f"centroid_{a}_{unit}")) for a in axes]
        if any(column is None for column in columns):
            continue
        try:
            places = np.array(columns, np.float64).T
        except (TypeError, ValueError):
            continue
        size = np.abs(places).sum(axis=0) / np.maximum(np.abs(pixels).sum(axis=0), 1e-12)
        if (
            np.isfinite(size).all()
            and (size > 0).all()
            and np.allclose(pixels * size, places, rtol=1e-2, atol=1e-2 * float(size.max()))
        ):
            return tuple(float(f"{v:.6g}") for v in size), "µm" if unit == "um" else unit
    return (), "px"


def _measures(columns: Mapping[str, Sequence[str]], order: NDArray[np.intp]) -> dict[str, Floats]:
    """Return the columns that hold nothing but numbers and say how points are, not where."""
    found = {}
    for name, texts in columns.items():
        if name in TOLD or PLACE.match(name):
            continue
        try:
            values = np.array([float(text) for text in texts])
        except (TypeError, ValueError):
            continue
        if np.isfinite(values).all():
            found[name] = values[order]
    for size in SIZES:
        if size in found and "area" not in found:
            found["area"] = found[size]
    return found
