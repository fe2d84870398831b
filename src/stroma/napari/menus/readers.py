"""Opening projects and models by dropping them into napari."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari

from stroma.errors import DISTRIBUTION, StromaError
from stroma.napari.menus import asked
from stroma.napari.studio.studio import studio_of

LayerData = list[tuple[Any, ...]]
NO_LAYER: LayerData = [(None,)]
"""What tells napari that a file was read, though not into layers."""

MODELS = (".pkl", ".yml", ".safetensors")


def reader(path: str | list[str]) -> Callable[[Any], LayerData] | None:
    """Return what reads a project or a model; None for anything else."""
    if not isinstance(path, str):
        return None
    suffix = Path(path).suffix.lower()
    if suffix == ".stroma" and (Path(path) / "project.json").exists():
        return read_project
    return read_model if suffix in MODELS else None


def read_project(path: Any) -> LayerData:
    """Open a project in the widget, in place of the session that is there."""
    studio = _opened_studio()
    folder = Path(str(path))
    asked.open_project(studio, folder)
    return NO_LAYER


def read_model(path: Any) -> LayerData:
    """Go on with a saved model in the widget."""
    _opened_studio().load_model(Path(str(path)))
    return NO_LAYER


def _opened_studio() -> Any:
    viewer = napari.current_viewer()
    if viewer is None:
        raise StromaError(
            "A project or a model of Stroma opens in a viewer: start napari, then open it there. "
            "To read one in Python, use stroma.session.Session.open or stroma.ConvpaintModel."
        )
    viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
    return studio_of(viewer)
