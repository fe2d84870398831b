"""Stroma: a few brush strokes to a segmentation of a microscopy image."""

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "ConvpaintModel": "stroma.pixel.model",
    "Param": "stroma.pixel.param",
    "Image": "stroma.data.image",
}

__all__ = ["ConvpaintModel", "Image", "Param", "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stroma' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
