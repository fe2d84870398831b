"""Labkit: which features its classifier uses, and what was painted, both as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.classes import Class
from stroma.data.strokes import Strokes
from stroma.errors import FormatError, ShapeError, short
from stroma.zoo.filters import Cell, bank
from stroma.zoo.taken import Picture, Taken, opened, text_of

NAMES = {
    "gauss": "gaussian",
    "differenceofgaussian": "dog",
    "gradient": "gradient",
    "laplacian": "laplacian",
    "hessian": "hessian",
    "structuretensor": "structure",
}
"""Parts of the names of Labkit's features, and our filters; later ones win."""

SIGMAS = (1.0, 2.0, 4.0, 8.0)
"""Its scales, where a file does not say them."""

MAX_DEPTH = 30


def take_classifier(path: Path, images: Sequence[Path]) -> Taken:
    """Return features and classes of a ``.classifier``."""
    content = _json(path, "a classifier of Labkit")
    kinds = dict.fromkeys(v for v in _all(content, "class") if isinstance(v, str))
    said = next((v for v in _all(content, "sigmas") if isinstance(v, list)), SIGMAS)
    names = next((v for v in _all(content, "classNames") if isinstance(v, list)), [])
    features = [kind for kind in kinds if kind.endswith("Feature")]
    if not features and not names:
        raise FormatError(f"{path} is not a classifier of Labkit: it names no features.")
    scales = [float(s) for s in said if isinstance(s, int | float) and 0 < s < 1000]
    known = {kind: _filter(kind) for kind in features}
    cells = [Cell(name, s, False) for name in known.values() if name for s in scales]
    pictures, left = opened(images)
    volumes = any(p.image.sizes.get("z", 1) > 1 for p in pictures)
    param, moved = bank(cells, volumes=volumes) if cells else ({}, ["features: none are named"])
    classes = tuple(Class(i, short(n)) for i, n in enumerate(names, start=1))
    none = [f"feature {k.rpartition('.')[2]}: there is none like it" for k in known if not known[k]]
    return Taken(
        path,
        "Labkit",
        pictures,
        classes,
        {**param, "clf": "forest"} if param else {},
        (f"{len(cells)} features", f"{len(classes)} classes"),
        (*left, *none, *moved, "classifier: one of ours is trained on the strokes instead"),
    )


def take_labeling(path: Path, images: Sequence[Path]) -> Taken:
    """Return what was painted, for the image that is given."""
    content = _json(path, "a labeling of Labkit")
    labels = content.get("labels") if isinstance(content, Mapping) else None
    if not isinstance(labels, Mapping) or not all(isinstance(v, list) for v in labels.values()):
        raise FormatError(
            f"{path} is not a labeling of Labkit with positions in it. Save it there as a TIFF, "
            "and give that with strokes=."
        )
    pictures, left = opened(images)
    if len(pictures) != 1:
        raise FormatError(f"{path} does not name its image. Name that one behind it. {left}")
    classes = tuple(Class(i, short(n)) for i, n in enumerate(labels, start=1))
    strokes = _painted(labels, pictures[0], classes, path)
    count = int(np.count_nonzero(strokes.labels))
    [one] = pictures
    return Taken(
        path,
        "Labkit",
        (Picture(one.image, one.name, one.path, strokes),),
        classes,
        took=(f"{count} painted pixels", f"{len(classes)} classes"),
        left=left,
    )


def _painted(
    labels: Mapping[str, Any], picture: Picture, classes: Sequence[Class], path: Path
) -> Strokes:
    """Return positions, which are written x first, as labels."""
    sizes = {a: n for a, n in picture.image.sizes.items() if a != "c"}
    values = np.zeros(tuple(sizes.values()), np.uint16)
    order = [a for a in "xyzt" if a in sizes]
    for one, places in zip(classes, labels.values(), strict=True):
        if not places:
            continue
        try:
            points = np.array(places, np.int64)
        except (ValueError, TypeError, OverflowError) as error:
            raise FormatError(f"{path}: class {one.name!r} is damaged: {short(error)}.") from error
        if points.ndim != 2 or points.shape[1] != len(order):
            raise ShapeError(
                f"{path} has positions of shape {points.shape}, its image has {sizes}."
            )
        columns = dict(zip(order, points.T, strict=True))
        if any((columns[a] < 0).any() or (columns[a] >= sizes[a]).any() for a in order):
            raise ShapeError(f"{path} has positions outside the image {picture.name} ({sizes}).")
        values[tuple(columns[a] for a in sizes)] = one.label
    return Strokes(values, "".join(sizes), tuple(classes))


def _filter(kind: str) -> str:
    low = kind.rpartition(".")[2].lower()
    found = [ours for part, ours in NAMES.items() if part in low]
    return found[-1] if found else ""


def _json(path: Path, what: str) -> Any:
    try:
        return json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not {what}: {short(error)}.") from error


def _all(value: Any, key: str, depth: int = MAX_DEPTH) -> Iterator[Any]:
    """Yield what stands under a key, wherever in a file."""
    if not depth:
        return
    if isinstance(value, Mapping):
        if key in value:
            yield value[key]
        for inner in value.values():
            yield from _all(inner, key, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _all(inner, key, depth - 1)
