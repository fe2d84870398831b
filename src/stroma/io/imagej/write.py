"""Writing marks as a ``.zip`` for ImageJ's ROI Manager."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from stroma.data.shapes import Area
from stroma.errors import ParameterError
from stroma.io.imagej.read import CLOSE, MOVE, RECT, TO
from stroma.io.marks import Mark, whole

_HEADER, _SECOND = 64, 64
_VERSION = 228


def write_zip(path: Path, marks: Sequence[Mark]) -> None:
    """Write areas as composite ROIs, with class name, colour, group (labels to 255), position."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, mark in enumerate(map(_joined, whole(marks)), start=1):
            title = f"{i:05d} {mark.title}".replace("/", "_").replace("\\", "_")
            entry = zipfile.ZipInfo(f"{title}.roi")
            archive.writestr(entry, encode(mark), zipfile.ZIP_DEFLATED)


def _joined(parts: Sequence[Mark]) -> Mark:
    """Return the parts of an object as one mark; a composite ROI holds them all."""
    areas = [part.shape for part in parts if isinstance(part.shape, Area)]
    if len(parts) == 1 or len(areas) < len(parts):
        return parts[0]
    return replace(parts[0], shape=Area(tuple(ring for area in areas for ring in area.rings)))


def encode(mark: Mark) -> bytes:
    """Return a mark as the bytes of a ``.roi``."""
    if not isinstance(mark.shape, Area):
        raise ParameterError(f"Only areas are written as ROIs, got {mark.shape}.")
    path = _path(mark.shape)
    points = np.concatenate(mark.shape.rings)
    (left, top), (right, bottom) = np.floor(points.min(0)), np.ceil(points.max(0))
    second = _HEADER + len(path)
    name = mark.title.encode("utf-16-be")
    head = bytearray(_HEADER)
    struct.pack_into(">4shBx", head, 0, b"Iout", _VERSION, RECT)
    limits = [int(np.clip(v, -32768, 32767)) for v in (top, left, bottom, right)]
    struct.pack_into(">4h", head, 8, *limits)
    struct.pack_into(">i", head, 36, len(path) // 4)
    struct.pack_into(">I", head, 40, 0xFF000000 | int(mark.color[1:] or "0", 16))
    struct.pack_into(">i", head, 60, second)
    tail = bytearray(_SECOND)
    struct.pack_into(">2i", tail, 8, mark.plane.get("z", -1) + 1, mark.plane.get("t", -1) + 1)
    struct.pack_into(">2i", tail, 16, second + _SECOND, len(name) // 2)
    struct.pack_into(">B", tail, 30, mark.label if mark.label <= 255 else 0)
    return bytes(head) + path + bytes(tail) + name


def _path(area: Area) -> bytes:
    values: list[float] = []
    for ring in area.rings:
        for i, (x, y) in enumerate(ring.tolist()):
            values += [TO if i else MOVE, x, y]
        values.append(CLOSE)
    return np.array(values, dtype=">f4").tobytes()
