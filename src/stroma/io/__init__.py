"""Files to data and back; one format a file.

The tables say which file reads or writes a name's ending; :mod:`stroma.io.read` and
:mod:`stroma.io.write` are the doors.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stroma.registry import Registry

if TYPE_CHECKING:
    from stroma.io.blockwise import open_writer
    from stroma.io.labels import read_labels
    from stroma.io.read import is_image, read_image
    from stroma.io.strokes import read_strokes, write_strokes
    from stroma.io.write import write_image, write_labels

READERS = Registry(
    "reader of image files",
    {
        ".png": "stroma.io.png:read",
        ".jpg": "stroma.io.jpeg:read",
        ".jpeg": "stroma.io.jpeg:read",
        ".tif": "stroma.io.tiff:read",
        ".tiff": "stroma.io.tiff:read",
        ".tf2": "stroma.io.tiff:read",
        ".tf8": "stroma.io.tiff:read",
        ".btf": "stroma.io.tiff:read",
        ".npy": "stroma.io.npy:read",
        ".zarr": "stroma.io.omezarr:read",
    },
    group="stroma.readers",
)
"""Ending of a file's name -> ``read(path, *, axes, series) -> Image``."""

WRITERS = Registry(
    "writer of image files",
    {
        ".png": "stroma.io.png:write",
        ".tif": "stroma.io.tiff_write:write",
        ".tiff": "stroma.io.tiff_write:write",
        ".ome.tif": "stroma.io.tiff_write:write_ome",
        ".ome.tiff": "stroma.io.tiff_write:write_ome",
        ".npy": "stroma.io.npy:write",
        ".zarr": "stroma.io.omezarr_write:write",
    },
    group="stroma.writers",
)
"""Ending of a file's name -> ``write(path, array, description)``; the longest ending wins."""

CLASS_READERS = Registry(
    "reader of class names",
    {
        ".png": "stroma.io.png:read_classes",
        ".tif": "stroma.io.tiff_facts:read_classes",
        ".tiff": "stroma.io.tiff_facts:read_classes",
        ".zarr": "stroma.io.omezarr:read_classes",
    },
)
"""Ending of a label file's name -> ``read_classes(path)``."""

STROKE_READERS = Registry(
    "reader of strokes",
    {
        ".roi": "stroma.io.imagej_roi:read",
        ".zip": "stroma.io.imagej_roi:read_zip",
        ".geojson": "stroma.io.geojson:read",
        ".json": "stroma.io.geojson:read",
    },
    group="stroma.stroke_readers",
)
"""Ending of a file's name -> ``read(path, image, width) -> list of Mark``; others are images."""

STROKE_WRITERS = Registry(
    "writer of strokes",
    {
        ".zip": "stroma.io.imagej_roi_write:write_zip",
        ".geojson": "stroma.io.geojson:write",
        ".json": "stroma.io.geojson:write",
    },
    group="stroma.stroke_writers",
)
"""Ending of a file's name -> ``write(path, marks)``; others are label images."""

_PUBLIC = {
    "is_image": "stroma.io.read",
    "open_writer": "stroma.io.blockwise",
    "read_image": "stroma.io.read",
    "read_labels": "stroma.io.labels",
    "read_strokes": "stroma.io.strokes",
    "write_image": "stroma.io.write",
    "write_labels": "stroma.io.write",
    "write_strokes": "stroma.io.strokes",
}

__all__ = [
    "CLASS_READERS",
    "READERS",
    "STROKE_READERS",
    "STROKE_WRITERS",
    "WRITERS",
    "is_image",
    "open_writer",
    "read_image",
    "read_labels",
    "read_strokes",
    "write_image",
    "write_labels",
    "write_strokes",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stroma.io' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
