"""Classes as colour maps of napari."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from napari.utils.colormaps import Colormap, DirectLabelColormap

from stroma.data.classes import MAX_LABEL, Class, free_label, told_apart

NOTHING = (0.0, 0.0, 0.0, 0.0)


def label_colors(classes: Iterable[Class]) -> DirectLabelColormap:
    """Return the colours of classes and of the next new one; other labels are grey."""
    listed = list(classes)
    [new] = told_apart([Class(min(free_label(listed), MAX_LABEL))], listed)
    colors: dict[int | None, Any] = {c.label: c.color for c in (new, *listed)}
    return DirectLabelColormap(
        color_dict=defaultdict(_grey, {**colors, None: "#888888", 0: NOTHING})
    )


def probability_colors(one: Class) -> Colormap:
    """Return a ramp from nothing to the colour of a class."""
    red, green, blue = (v / 255 for v in one.rgb)
    ramp = [(red, green, blue, 0.0), (red, green, blue, 1.0)]
    return Colormap(ramp, name=f"probability {one.label}", display_name=one.name)


def uncertainty_colors() -> Colormap:
    """Return a ramp from nothing to magenta to white."""
    ramp = [(0.8, 0.0, 0.6, 0.0), (0.9, 0.1, 0.7, 0.6), (1.0, 0.9, 1.0, 1.0)]
    return Colormap(ramp, controls=[0.0, 0.6, 1.0], name="uncertainty")


def class_features(classes: Iterable[Class]) -> dict[str, list[Any]]:
    """Return what napari shows about the label under the cursor."""
    listed = list(classes)
    return {
        "index": [0, *(c.label for c in listed)],
        "Class": ["No label", *(c.name for c in listed)],
    }


def _grey() -> str:
    return "#888888"
