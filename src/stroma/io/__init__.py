"""Files to data and back; one format a file.

The tables say which file reads or writes a name's ending; :mod:`stroma.io.read` and
:mod:`stroma.io.write` are the doors.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stroma.registry import Registry

if TYPE_CHECKING:
    from stroma.io.read import is_image, read_image

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

_PUBLIC = {"read_image": "stroma.io.read", "is_image": "stroma.io.read"}

__all__ = ["READERS", "is_image", "read_image"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stroma.io' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
