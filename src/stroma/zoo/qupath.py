"""Pixel classifiers of QuPath: which features at which scales, and the classes, as JSON.

Annotations are GeoJSON, which is read as strokes (`stroma.io.strokes`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FormatError, short
from stroma.io.qupath.geojson import class_name
from stroma.io.units import convert, symbol
from stroma.zoo.filters import Cell, bank
from stroma.zoo.taken import Taken, opened, text_of

NAMES = {
    "GAUSSIAN": "gaussian",
    "LAPLACIAN": "laplacian",
    "GRADIENT_MAGNITUDE": "gradient",
    "STRUCTURE_TENSOR_MAX_EIGENVALUE": "structure",
    "STRUCTURE_TENSOR_MIN_EIGENVALUE": "structure",
    "STRUCTURE_TENSOR_COHERENCE": "structure",
    "HESSIAN_MAX_EIGENVALUE": "hessian",
    "HESSIAN_MIN_EIGENVALUE": "hessian",
    "HESSIAN_DETERMINANT": "hessian",
}
"""QuPath's names of features, and the filters that they are made of here."""

MAX_DEPTH = 20
BROKEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What values raise that are not as they should be."""


def take(path: Path, images: Sequence[Path]) -> Taken:
    """Return features and classes of a pixel classifier, for images that are given.

    Raises
    ------
    FormatError
        If it is no pixel classifier, or damaged.
    """
    try:
        content = json.loads(text_of(path))
        return _taken(content, path, images)
    except FormatError:
        raise
    except BROKEN as error:
        raise FormatError(f"{path} is not a pixel classifier of QuPath: {short(error)}.") from error


def _taken(content: Any, path: Path, images: Sequence[Path]) -> Taken:
    if not isinstance(content, Mapping) or "pixel_classifier_type" not in content:
        hint = " Annotations are given with strokes=." if _is_geojson(content) else ""
        raise FormatError(f"{path} is not a pixel classifier of QuPath.{hint}")
    said = content["metadata"]
    pictures, left = opened(images)
    cells, strange = _cells(content["op"])
    features, scales = bank(cells, volumes=False) if cells else ({}, ["features: none are named"])
    factor, size = _factor(
        said.get("inputResolution") or {}, pictures[0].image if pictures else None
    )
    param = {**features, "clf": "forest", "image_downsample": factor} if features else {}
    channels = [short(c.get("channelName", "")) for c in content["op"].get("colorTransforms") or ()]
    classes = _classes(said.get("classificationLabels") or {})
    took = [f"{len(cells)} features", f"{len(classes)} classes", f"resolution: {size}"]
    return Taken(
        path,
        "QuPath",
        pictures,
        classes,
        param,
        tuple(took),
        (
            *left,
            *(f"feature {short(name)}: there is none like it" for name in strange),
            *scales,
            *([f"channels {', '.join(channels)}: all channels are used"] if channels else []),
            "classifier: one of ours is trained on the annotations instead (strokes=)",
        ),
    )


def _is_geojson(content: Any) -> bool:
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, Mapping) and first.get("type") in ("Feature", "FeatureCollection")


def _cells(op: Any) -> tuple[list[Cell], list[str]]:
    """Return the filters in an operation and those in it, and names of which there is none."""
    cells: list[Cell] = []
    strange: dict[str, None] = {}
    for found in _multiscale(op, MAX_DEPTH):
        sigma = float(found["sigmaX"])
        if not 0 < sigma < 1000:
            raise ValueError(f"a scale of {sigma:g} pixels")
        for name in map(str, found["features"]):
            if name in NAMES:
                cells.append(Cell(NAMES[name], sigma))
            else:
                strange[name] = None
    return list(dict.fromkeys(cells)), list(strange)


def _multiscale(op: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if not depth:
        raise ValueError("operations are nested too deeply")
    if isinstance(op, list):
        for one in op:
            yield from _multiscale(one, depth - 1)
    elif isinstance(op, Mapping):
        if isinstance(op.get("features"), list) and "sigmaX" in op:
            yield op
        for key in ("op", "ops"):
            if key in op:
                yield from _multiscale(op[key], depth - 1)


def _factor(said: Mapping[str, Any], image: Image | None) -> tuple[int, str]:
    """Return how much images are reduced, and what the file says of it."""
    width = said.get("pixelWidth") or {}
    value, unit = float(width.get("value", 1)), symbol(str(width.get("unit", "")))
    size = f"{value:g} {width.get('unit', 'px')}"
    if unit and image is not None and image.unit and image.spacing.get("x"):
        value = convert(value, unit, image.unit) / image.spacing["x"]
    elif unit:
        return 1, f"{size} a pixel; set image_downsample to what that is of your images"
    factor = min(20, max(1, round(value)))
    return factor, f"{size}: images are reduced {factor} times"


def _classes(said: Mapping[str, Any]) -> tuple[Class, ...]:
    """Return classes by label; QuPath counts from 0, we from 1."""
    names = [(int(key), kind) for key, kind in said.items()]
    kinds = [k for _, k in sorted(names, key=lambda pair: pair[0])]
    listed = [(class_name(k), _color(k)) for k in kinds]
    kept = [(n, c) for n, c in listed if n and not n.endswith("*")]
    return tuple(Class(i, short(n), c) for i, (n, c) in enumerate(kept, start=1))


def _color(kind: Any) -> str:
    given = kind.get("color", kind.get("colorRGB")) if isinstance(kind, Mapping) else None
    if isinstance(given, int):
        return f"#{given & 0xFFFFFF:06x}"
    return "#" + bytes(int(v) & 255 for v in given[:3]).hex() if isinstance(given, list) else ""
