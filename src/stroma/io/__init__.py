"""Files to data and back; one room a format.

:mod:`stroma.io.tables` says which file reads or writes a name's ending; :mod:`stroma.io.read` and
:mod:`stroma.io.write` are the doors.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stroma.io.blockwise.writer import open_writer
    from stroma.io.labels import read_labels
    from stroma.io.read import is_image, read_image, series_of
    from stroma.io.strokes import read_strokes, write_strokes
    from stroma.io.tables import (
        CLASS_READERS,
        READERS,
        STROKE_READERS,
        STROKE_WRITERS,
        WRITERS,
        ending_of,
        stem_of,
    )
    from stroma.io.write import write_image, write_labels

_PUBLIC = {
    **dict.fromkeys(
        (
            *("CLASS_READERS", "READERS", "STROKE_READERS", "STROKE_WRITERS", "WRITERS"),
            *("ending_of", "stem_of"),
        ),
        "stroma.io.tables",
    ),
    "is_image": "stroma.io.read",
    "open_writer": "stroma.io.blockwise.writer",
    "read_image": "stroma.io.read",
    "read_labels": "stroma.io.labels",
    "read_strokes": "stroma.io.strokes",
    "series_of": "stroma.io.read",
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
    "ending_of",
    "is_image",
    "open_writer",
    "read_image",
    "read_labels",
    "read_strokes",
    "series_of",
    "stem_of",
    "write_image",
    "write_labels",
    "write_strokes",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stroma.io' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
