"""From pixels to objects: finding, carving, measuring and classing them."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stroma.objects.carving import Carving as Carving

_PUBLIC = {"Carving": "stroma.objects.carving"}

__all__ = ["Carving"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stroma.objects' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
