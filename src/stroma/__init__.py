"""Stroma: a few brush strokes to a segmentation of a microscopy image."""

import importlib
from typing import Any

WRITTEN = "0.1.0"
"""The version of a source that has no tag; an installed one has that of its tag."""

_PUBLIC = {
    "ConvpaintModel": "stroma.pixel.model",
    "ObjectClassifier": "stroma.objects.classes",
    "Param": "stroma.pixel.param",
    "Image": "stroma.data.image",
    "Network": "stroma.training.model",
    "Tracks": "stroma.data.tracks",
    "adapt": "stroma.workflow.learning.adapt",
    "learn": "stroma.workflow.learning.learn",
    "learn_links": "stroma.workflow.moving.links",
    "load": "stroma.workflow.applying.load",
    "measure": "stroma.objects.measure",
    "objects_of": "stroma.objects.find",
    "prompt": "stroma.workflow.prompting.prompt",
    "track": "stroma.workflow.moving.track",
    "register_extractor": "stroma.features.build",
}

_TRAIN = ("Network", "adapt", "learn")
"""What needs the extra ``train``."""

__all__ = [
    "ConvpaintModel",
    "Image",
    "Network",
    "ObjectClassifier",
    "Param",
    "Tracks",
    "__version__",
    "adapt",
    "learn",
    "learn_links",
    "load",
    "measure",
    "objects_of",
    "prompt",
    "register_extractor",
    "track",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        return _version()
    if name not in _PUBLIC:
        raise AttributeError(f"module 'stroma' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("stroma") or name not in _TRAIN:
            raise
        from stroma.errors import MissingExtraError, install

        raise MissingExtraError(
            f"stroma.{name} needs {error.name}. Install it with: {install('train')}"
        ) from error


def _version() -> str:
    """Return the version that is installed; what is written where the source runs by itself."""
    from importlib import metadata

    from stroma.errors import DISTRIBUTION

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return WRITTEN


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
