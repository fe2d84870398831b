"""QuPath objects as GeoJSON.

The class and its colour are the object's classification; z and t come from the plane of its
geometry (both 0 where it says none, as QuPath means it). Corners of pixels are at whole numbers.
Objects of several parts are one MultiPolygon; measurements are names with values (QuPath 0.4).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.data.shapes import Area, Dots, Line, Points, Shape
from stroma.errors import FormatError, ParameterError, short
from stroma.io.marks import MAX_COORDINATE, Mark, too_large, whole

MAX_BYTES = 2**26
"""Larger files are refused (64 MiB), since the text of numbers takes ten times its size to read."""

MAX_DEPTH = 8
"""Collections within collections, and children of objects, are followed so far."""

IGNORED = "are of a class that ends in '*', which QuPath does not train on either"


def read(path: Path, image: Image, width: float) -> list[Mark]:
    """Return the marks in a GeoJSON file.

    Raises
    ------
    FormatError
        If it is no GeoJSON, or a geometry is not valid.
    """
    if path.stat().st_size > MAX_BYTES:
        raise too_large(path, MAX_BYTES, "Export fewer objects, or a label image.")
    try:
        content = json.loads(path.read_bytes(), parse_constant=_refuse, object_hook=_packed)
        return [m for i, f in enumerate(_features(content)) for m in _marks(f, i, width)]
    except FormatError:
        raise
    except RecursionError as error:
        raise FormatError(f"{path} is nested too deeply to be read.") from error
    except MemoryError as error:
        raise FormatError(
            f"{path} needs more memory than there is. Export fewer objects."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        said = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise FormatError(
            f"{path} is not GeoJSON as QuPath writes it: {short(said)}. Export it again."
        ) from error


def _packed(found: dict[str, Any]) -> dict[str, Any]:
    """Keep the coordinates of a geometry as arrays as soon as it is read: lists take ten times."""
    rings = found.get("coordinates")
    if found.get("type") in ("Polygon", "MultiLineString") and isinstance(rings, list):
        found["coordinates"] = [_points(ring) for ring in rings]
    elif found.get("type") in ("LineString", "MultiPoint") and isinstance(rings, list):
        found["coordinates"] = _points(rings)
    elif found.get("type") == "MultiPolygon" and isinstance(rings, list):
        found["coordinates"] = [[_points(ring) for ring in part] for part in rings]
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a coordinate")


def _features(content: Any, depth: int = MAX_DEPTH) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a collection, a list, or one object alone; children after parents."""
    if isinstance(content, list):
        listed = content
    elif content["type"] == "FeatureCollection":
        listed = content["features"]
    else:
        listed = [content]
    for feature in listed:
        yield feature
        children = feature.get("childObjects")
        if children:
            if not depth:
                raise ValueError("objects are nested too deeply")
            yield from _features(children, depth - 1)


def _marks(feature: Mapping[str, Any], number: int, width: float) -> Iterator[Mark]:
    geometry = feature.get("geometry")
    if geometry is None:  # the root of a hierarchy has none
        return
    said = feature.get("properties") or {}
    kind = said.get("classification") or {}
    name = class_name(kind)
    plane = geometry.get("plane") or said.get("plane") or feature.get("plane") or {}
    title = f"object {number + 1} ({short(said.get('name') or geometry['type'], 40)})"
    for shape in _shapes(geometry, width, MAX_DEPTH):
        yield Mark(
            shape,
            {a: int(plane.get(a, 0)) for a in "tz"},
            name=name[:200],
            color=_color(kind) if isinstance(kind, Mapping) else "",
            title=title,
            ignored=IGNORED if name.endswith("*") else "",
        )


def class_name(kind: Any) -> str:
    """Return the name of a classification as QuPath shows it, "Tumor: Positive".

    It is written as a list of names; before that as a name with that of its parent, or as text.
    """
    if isinstance(kind, str):
        return kind.strip()
    names = kind.get("names")
    if names:
        return ": ".join(str(n) for n in names[:MAX_DEPTH])
    name, parent, depth = str(kind.get("name") or ""), kind.get("parentClass"), MAX_DEPTH
    while isinstance(parent, Mapping) and parent.get("name") and depth:
        name, parent, depth = f"{parent['name']}: {name}", parent.get("parentClass"), depth - 1
    return name


def _color(kind: Mapping[str, Any]) -> str:
    """Return the colour: a triple since QuPath 0.4, before it one packed number."""
    if "colorRGB" in kind:
        return f"#{int(kind['colorRGB']) & 0xFFFFFF:06x}"
    triple = kind.get("color")
    return "#" + bytes(int(v) for v in triple[:3]).hex() if triple else ""


def _shapes(geometry: Mapping[str, Any], width: float, depth: int) -> Iterator[Shape]:
    kind = geometry["type"]
    if kind == "GeometryCollection":
        if not depth:
            raise ValueError("collections are nested too deeply")
        for inner in geometry["geometries"]:
            yield from _shapes(inner, width, depth - 1)
        return
    found = geometry["coordinates"]
    if kind == "Polygon":
        yield Area(tuple(map(_points, found)))
    elif kind == "MultiPolygon":
        for part in found:
            yield Area(tuple(map(_points, part)))
    elif kind in ("LineString", "MultiLineString"):
        for part in found if kind == "MultiLineString" else [found]:
            yield Line(_points(part), width)
    elif kind in ("Point", "MultiPoint"):
        yield Dots(_points(found if kind == "MultiPoint" else [found]), width)
    else:
        raise ValueError(f"{short(kind)!r} is no kind of geometry")


def _points(found: Points | Sequence[Sequence[float]]) -> Points:
    if isinstance(found, np.ndarray):
        return found
    points = np.array([p[:2] for p in found], dtype=np.float64).reshape(len(found), 2)
    if not len(points) or not (np.abs(points) < MAX_COORDINATE).all():
        raise ValueError("a geometry without points, or with points that lie in no image")
    return points


def write(path: Path, marks: Sequence[Mark]) -> None:
    """Write areas for QuPath: objects as detections with measurements, others as annotations."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for i, parts in enumerate(whole(marks)):
            file.write(",\n" if i else "\n")
            json.dump(_feature(parts), file, allow_nan=False)
        file.write("\n]}\n")


def _feature(parts: Sequence[Mark]) -> dict[str, Any]:
    mark = parts[0]
    said: dict[str, Any] = {"objectType": "detection" if mark.number else "annotation"}
    if mark.title:
        said["name"] = mark.title
    if mark.name:  # what has no class has no classification in QuPath, not one of another name
        said["classification"] = {"name": mark.name, "color": list(bytes.fromhex(mark.color[1:]))}
    known = {n: float(f"{v:.7g}") for n, v in mark.measures.items() if math.isfinite(v)}
    if known:
        said["measurements"] = known
    return {"type": "Feature", "geometry": _geometry(parts), "properties": said}


def _geometry(parts: Sequence[Mark]) -> dict[str, Any]:
    polygons = [_rings(part) for part in parts]
    geometry: dict[str, Any] = (
        {"type": "Polygon", "coordinates": polygons[0]}
        if len(polygons) == 1
        else {"type": "MultiPolygon", "coordinates": polygons}
    )
    plane = parts[0].plane
    if any(plane.values()):
        geometry["plane"] = {"c": -1, "z": plane.get("z", 0), "t": plane.get("t", 0)}
    return geometry


def _rings(mark: Mark) -> list[list[list[float]]]:
    """Return closed rings: the outline, then holes."""
    if not isinstance(mark.shape, Area):
        raise ParameterError(f"Only areas are written as GeoJSON, got {mark.shape}.")
    return [[*ring.tolist(), ring[0].tolist()] for ring in mark.shape.rings]
