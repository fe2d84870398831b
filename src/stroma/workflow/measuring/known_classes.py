"""The classes that somebody gave the objects of an image: in tables, marks or label images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import MissingFileError, ParameterError
from stroma.io import STROKE_READERS, is_image, read_strokes, stem_of
from stroma.workflow.applying.find import natural
from stroma.workflow.measuring.object_files import read_clicks
from stroma.workflow.measuring.other_tables import TABLES

ENDINGS = ("", "_table", "_objects", "_classes", "_strokes", "_annotations")
"""What may follow an image's name in that of a file with the classes of its objects."""

Key = tuple[int, int]
"""Time and number of an object."""


def kinds_of(known: Any, objects: Image, classes: Sequence[Class] = ()) -> dict[Key, str]:
    """Return the names of the classes of objects by time and number.

    Parameters
    ----------
    known : path, or mapping of int to str
        A table of labelled objects (see `read_clicks`), marks or a label image of classes; or
        names by number.
    objects : Image
        Their numbers.
    classes : sequence of Class
        Those that are known before.
    """
    times = [{"t": t} for t in range(objects.sizes["t"])] if "t" in objects.sizes else [{}]
    values = [objects.at(**at).read() for at in times]
    if isinstance(known, Mapping):
        said = {int(number): str(kind) for number, kind in known.items()}
        return {(t, n): kind for t in range(len(times)) for n, kind in said.items()}
    if not isinstance(known, str | Path):
        raise ParameterError(
            "Classes of the objects of an image are a file, or names by number such as "
            f"{{1: 'round', 2: 'long'}}; got {type(known).__name__}."
        )
    path = Path(known)
    if path.suffix.lower() in TABLES:
        table = _numbers(values, framed="t" in objects.sizes)
        found, told = read_clicks(path, objects, table, classes)
        names = {c.label: c.name for c in told}
        when = table["t"] if "t" in table else np.zeros(table.rows, np.int64)
        rows = zip(when.tolist(), table[LABEL].tolist(), found.tolist(), strict=True)
        return {(t, number): names[label] for t, number, label in rows if label}
    strokes = read_strokes(path, objects)
    names = {c.label: c.name for c in strokes.classes}
    marks = strokes.labels.reshape(len(times), *values[0].shape)
    return {
        (t, number): names[label]
        for t, (own, marked) in enumerate(zip(values, marks, strict=True))
        for number, label in _most_frequent(own, marked).items()
    }


def _numbers(frames: Sequence[NDArray[Any]], *, framed: bool) -> ObjectTable:
    """Return a table of the objects of every frame."""
    every = [np.unique(frame[frame > 0]).astype(np.int64) for frame in frames]
    columns = {LABEL: np.concatenate(every)}
    if framed:
        columns["t"] = np.repeat(np.arange(len(every)), [len(own) for own in every])
    return ObjectTable(columns)


def _most_frequent(objects: NDArray[Any], labels: NDArray[Any]) -> dict[int, int]:
    """Return the label that most labelled pixels of an object have, by its number."""
    both = (objects > 0) & (labels > 0)
    pairs = np.stack([objects[both], labels[both]]).astype(np.int64)
    every, counts = np.unique(pairs, axis=1, return_counts=True)
    found: dict[int, int] = {}
    for place in np.argsort(counts, kind="stable"):
        found[int(every[0, place])] = int(every[1, place])
    return found


def classes_file(path: Path, folder: Path) -> Path:
    """Return the file in a folder that says the classes of the objects of an image."""
    stem = stem_of(path)
    names = {stem + end for end in ENDINGS}
    there_are = sorted(folder.iterdir(), key=natural)
    found = [
        p for p in there_are if _stem(p) in names and _may_be(p) and p.resolve() != path.resolve()
    ]
    if len(found) != 1:
        there = ", ".join(p.name for p in (found or there_are)[:3]) or "nothing"
        raise MissingFileError(
            f"{folder} has {'several files' if found else 'no file'} with the classes of the "
            f"objects of {path.name} ({there}). Give one: {stem}.csv with the columns label and "
            f"class, or {stem}.geojson of QuPath."
        )
    return found[0]


def _may_be(path: Path) -> bool:
    suffix = path.suffix.lower()
    own = suffix in (*TABLES, *STROKE_READERS)
    return own or (is_image(path) and not stem_of(path).endswith("_objects"))


def _stem(path: Path) -> str:
    """Return a name without its ending; without that of the image too, as in a.tif.geojson."""
    inner = path.with_name(stem_of(path))
    return stem_of(inner) if is_image(inner) else inner.name
