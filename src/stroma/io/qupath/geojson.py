"""QuPath objects as GeoJSON.

The class and its colour are the object's classification; z and t come from the plane of its
geometry (both 0 where it says none, as QuPath means it). Corners of pixels are at whole numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.data.shapes import Area, Dots, Line, Points, Shape
from stroma.errors import FormatError, ParameterError
from stroma.io.marks import MAX_COORDINATE, Mark, too_large

MAX_BYTES = 2**29
MAX_DEPTH = 8
"""Collections within collections are followed so far."""


def read(path: Path, image: Image, width: float) -> list[Mark]:
    """Return the marks in a GeoJSON file.

    Raises
    ------
    FormatError
        If it is no GeoJSON, or a geometry is not valid.
    """
    if path.stat().st_size > MAX_BYTES:
        raise too_large(path, MAX_BYTES)
    try:
        content = json.loads(path.read_bytes(), parse_constant=_refuse)
        features = list(_features(content))
        return [m for i, f in enumerate(features) for m in _marks(f, i, width)]
    except FormatError:
        raise
    except RecursionError as error:
        raise FormatError(f"{path} is nested too deeply to be read.") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise FormatError(f"{path} is not GeoJSON as QuPath writes it: {error!r}.") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a coordinate")


def _features(content: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a collection, a list, or one object alone."""
    if isinstance(content, list):
        return content
    if content["type"] == "FeatureCollection":
        return list(content["features"])
    return [content]


def _marks(feature: Mapping[str, Any], number: int, width: float) -> Iterator[Mark]:
    geometry = feature["geometry"]
    said = feature.get("properties") or {}
    kind = said.get("classification") or {}
    plane = geometry.get("plane") or said.get("plane") or feature.get("plane") or {}
    title = f"object {number + 1} ({said.get('name') or geometry['type']})"
    for shape in _shapes(geometry, width, MAX_DEPTH):
        yield Mark(
            shape,
            {a: int(plane.get(a, 0)) for a in "tz"},
            name=str(kind.get("name") or "")[:200],
            color=_color(kind),
            title=title,
        )


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
        raise ValueError(f"{kind!r} is no kind of geometry")


def _points(found: Sequence[Sequence[float]]) -> Points:
    points = np.array([[float(p[0]), float(p[1])] for p in found], dtype=np.float64)
    if not len(points) or not (np.abs(points) < MAX_COORDINATE).all():
        raise ValueError("a geometry without points, or with points that lie in no image")
    return points


def write(path: Path, marks: Sequence[Mark]) -> None:
    """Write areas as annotations that QuPath imports."""
    content = {"type": "FeatureCollection", "features": [_feature(m) for m in marks]}
    path.write_text(json.dumps(content), encoding="utf-8")


def _feature(mark: Mark) -> dict[str, Any]:
    if not isinstance(mark.shape, Area):
        raise ParameterError(f"Only areas are written as GeoJSON, got {mark.shape}.")
    rings = [[*ring.tolist(), ring[0].tolist()] for ring in mark.shape.rings]
    geometry: dict[str, Any] = {"type": "Polygon", "coordinates": rings}
    if any(mark.plane.values()):
        geometry["plane"] = {"c": -1, "z": mark.plane.get("z", 0), "t": mark.plane.get("t", 0)}
    colour = list(bytes.fromhex(mark.color[1:]))
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {
            "objectType": "annotation",
            "classification": {"name": mark.name, "color": colour},
        },
    }
