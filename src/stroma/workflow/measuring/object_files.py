"""Tables, labelled objects and classes of objects, as files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import MAX_LABEL, Class
from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import FormatError, LabelError, MissingExtraError, short
from stroma.io.atomic import replaced
from stroma.io.cells import write_table
from stroma.objects.classes import ObjectClassifier, features_of
from stroma.pixel.files import plain
from stroma.workflow.measuring.other_tables import (
    FIRST_LINE,
    FRAMES,
    NUMBERS,
    Row,
    called,
    frames_in,
    frames_of,
    number,
    read_rows,
    require_frames,
    whole,
)
from stroma.workflow.measuring.said_classes import said_classes

KIND = "classes of objects"
TABLES = (".csv", ".parquet", ".h5ad")


def write_object_table(path: str | Path, table: ObjectTable) -> None:
    """Write a table of objects as CSV, Parquet or AnnData.

    Parquet needs pyarrow, ``.h5ad`` anndata. In that, measures are ``X``, where objects are and
    their classes ``obs``, and the centres ``obsm["spatial"]`` as x, y (and z): in µm, if known.
    Values that could not be measured are empty cells.

    Raises
    ------
    FormatError
        If the name ends in none of these.
    MissingExtraError
        If what a format needs is not installed.
    """
    where = Path(path)
    check_table_name(where)
    if where.suffix.lower() == ".parquet":
        with replaced(where) as new:
            _write_parquet(new, table)
    elif where.suffix.lower() == ".h5ad":
        with replaced(where) as new:
            _write_anndata(new, table)
    else:
        columns = (map(_cell, table[name].tolist()) for name in table)
        write_table(where, list(table), zip(*columns, strict=True))


def check_table_name(path: Path) -> None:
    """Refuse a name that no table can be written under."""
    if path.suffix.lower() not in TABLES:
        raise FormatError(f"A table of objects ends in {' or '.join(TABLES)}, got {path.name!r}.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()
    if path.suffix.lower() == ".h5ad":
        _anndata()


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "Parquet needs pyarrow. Install it with: pip install pyarrow, or write .csv."
        ) from error


def _write_parquet(path: Path, table: ObjectTable) -> None:
    arrow, parquet = _pyarrow()
    columns = {name: arrow.array(table[name], from_pandas=True) for name in table}
    parquet.write_table(arrow.table(columns), path)


def _anndata() -> Any:
    try:
        return import_module("anndata")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "AnnData (.h5ad) needs anndata. Install it with: pip install anndata, or write .csv."
        ) from error


def _write_anndata(path: Path, table: ObjectTable) -> None:
    """Write measures as X, all else as obs, and centres as obsm."""
    pandas = import_module("pandas")
    measures = list(features_of(table))
    numbers = pandas.Index([str(n) for n in range(table.rows)], dtype=object)
    about = {n: _known_to_pandas(table[n]) for n in table if n not in measures}
    unit = "um" if "centroid_y_um" in table else "px"
    axes = [f"centroid_{a}_{unit}" for a in "xyz" if f"centroid_{a}_{unit}" in table]
    found = _anndata().AnnData(
        table.matrix(measures).astype(np.float32),
        obs=pandas.DataFrame(about, index=numbers),
        var=pandas.DataFrame(index=pandas.Index(measures, dtype=object)),
        obsm={"spatial": table.matrix(axes)},
    )
    found.write_h5ad(path)


def _known_to_pandas(column: NDArray[Any]) -> Any:
    """Return a column; texts as categories, which every version of anndata reads."""
    if column.dtype.kind != "U":
        return column
    pandas = import_module("pandas")
    known = pandas.Index(np.unique(column).tolist(), dtype=object)
    return pandas.Categorical(column.tolist(), categories=known)


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.7g}" if math.isfinite(value) else ""
    return value


def read_clicks(
    path: str | Path, labels: Image, table: ObjectTable, known: Sequence[Class] = ()
) -> tuple[NDArray[np.int64], tuple[Class, ...]]:
    """Return the class of every row of a table, 0 for none, from a table of labelled objects.

    Parameters
    ----------
    path : path
        Text or Parquet with a column of classes (names, or numbers from 1), and either one with
        numbers of objects, or "y", "x" (and "z" in volumes): pixels on objects. "t", "frame" or
        "time" says the frame. Columns are called as `read_other_table` takes them.
    labels : Image
        The objects.
    table : ObjectTable
        Their measurements.
    known : sequence of Class
        Those of the model that goes on learning, if one does.

    Raises
    ------
    FormatError
        If columns are missing, or values are no numbers.
    LabelError
        If there is no object in a place, one is of two classes, the number of its class
        contradicts the name, or no frame is said of several.
    """
    where = Path(path)
    columns, lines, said = _labelled(where, known)
    frames = frames_in(lines, where)
    if frames is None:
        require_frames(str(where), frames_of(table))
    numbers = {n: i for i, n in enumerate(_keys(table))}
    classes = classes_named(list(said.values()))
    result = np.zeros(table.rows, np.int64)
    for line, row in lines.items():
        at = f"{where}, line {line}"
        frame = 0 if frames is None else frames[line]
        key = frame, _number(row, frame, labels, columns, at)
        if key not in numbers:
            raise LabelError(f"{at}: there is no object {_told(row, columns)}.")
        label = classes[said[line]].label
        if result[numbers[key]] not in (0, label):
            raise LabelError(f"{at}: the object {_told(row, columns)} has two classes.")
        result[numbers[key]] = label
    return result, tuple({c.label: c for c in classes.values()}.values())


def classes_in(path: str | Path) -> dict[tuple[int, int], str]:
    """Return the classes that a table says by frame and number of the object.

    Parameters
    ----------
    path : path
        As for `read_clicks`, with numbers of objects.

    Raises
    ------
    FormatError
        If it has no numbers of objects, or no class.
    """
    where = Path(path)
    columns, lines, said = _labelled(where, ())
    if "label" not in columns:
        raise FormatError(
            f"{where} says where objects are, not their numbers (the column label). Give their "
            "label images too, or a table with numbers."
        )
    frames = frames_in(lines, where) or {}
    return {
        (frames.get(i, 0), whole(row, columns["label"], f"{where}, line {i}")): said[i]
        for i, row in lines.items()
    }


Columns = dict[str, str]
"""What the columns of a table are called that say label, t, z, y or x."""


def _labelled(
    path: Path, classes: Sequence[Class]
) -> tuple[Columns, dict[int, Row], dict[int, str]]:
    """Return the columns of a table of labelled objects, its rows with a class, and these."""
    rows = read_rows(path)
    names = list(rows[0]) if rows else []
    known = {"t": FRAMES, "z": ("z",), "y": ("y",), "x": ("x",)}
    found = {key: name for key, words in known.items() if (name := called(names, words))}
    placed = {"y", "x"} <= set(found)
    # beside places, what is called id or object may as well be the number of the click
    if label := called(names, NUMBERS[:1] if placed else NUMBERS):
        found["label"] = label
    every: dict[int, Row] = dict(enumerate(rows, start=FIRST_LINE))
    said = said_classes(every, names, path, classes)
    lines = {i: every[i] for i in said}
    if not lines or not (placed or label):
        raise FormatError(
            f"{path} labels no objects: it has rows with the columns class, and label or y and x. "
            f"Got the columns {', '.join(names) or 'of no labelled row'}."
        )
    return found, lines, said


def _told(row: Row, columns: Columns) -> str:
    keys = [k for k in ("label", "t", "z", "y", "x") if row.get(columns.get(k, ""))]
    return ", ".join(f"{columns[k]} {short(row[columns[k]], 20)}" for k in keys)


def _keys(table: ObjectTable) -> list[tuple[int, int]]:
    frames = table["t"] if "t" in table else np.zeros(table.rows, np.int64)
    return list(zip(frames.tolist(), table[LABEL].tolist(), strict=True))


def _number(row: Row, frame: int, labels: Image, columns: Columns, where: str) -> int:
    """Return the number of the object that a row is about; 0 where there is none."""
    if row.get(columns.get("label", "")):
        return whole(row, columns["label"], where)
    at = {
        a: math.floor(number(row, columns.get(a, a), where)) for a in "zyx" if a in labels.kept_axes
    }
    if "t" in labels.kept_axes:
        at["t"] = frame
    if not all(0 <= i < labels.sizes[a] for a, i in at.items()):
        raise LabelError(f"{where}: {_told(row, columns)} lies outside the image.")
    return int(labels.at(**at).read())


def classes_named(given: Sequence[str]) -> dict[str, Class]:
    """Return a class for each word: numbers are labels, names get those that are free."""
    words = list(dict.fromkeys(given))
    if all(w.isdecimal() and 1 <= int(w) <= MAX_LABEL for w in words):
        return {w: Class(int(w)) for w in words}
    return {w: Class(i, w[:200]) for i, w in enumerate(words, start=1)}


def save_object_classifier(path: str | Path, classifier: ObjectClassifier) -> None:
    """Write classes of objects to a file, as plain values and arrays."""
    plain.write(Path(path), {"kind": KIND, **classifier.state()})


def load_object_classifier(path: str | Path) -> ObjectClassifier:
    """Return classes of objects from a file; runs nothing that the file says.

    Raises
    ------
    FormatError
        If it is something else, or damaged.
    """
    state = plain.read(Path(path))
    if state.get("kind") != KIND:
        raise FormatError(f"{path} is a model, but not one of classes of objects.")
    try:
        return ObjectClassifier.from_state(state)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
