"""The interactive state that every front end is a view of: images, strokes, classes, one model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stroma.session.session import Session

_PUBLIC = {"Session": "stroma.session.session"}

__all__ = ["Session"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stroma.session' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
