"""Classes as colour maps of napari."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from napari.utils.colormaps import Colormap, CyclicLabelColormap, DirectLabelColormap
from numpy.typing import NDArray

from stroma.data.classes import MAX_LABEL, Class, free_label, told_apart

NOTHING = (0.0, 0.0, 0.0, 0.0)

MOST_COLORS = 65_536
"""As many colours napari takes as a table."""

RAMP = ("#3b2f7f", "#2f6f9f", "#2aa198", "#7fc35a", "#f5e663")
"""From low to high, lighter throughout."""

UNKNOWN = "#c8c8c8"

UNCLASSED = "#b6ff3c"
"""Of objects without a class: no grey image has it, so outlines are seen on bright objects too."""


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


def rgba(color: str) -> NDArray[np.float32]:
    """Return a colour "#rrggbb" as four values from 0 to 1."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return np.array([red, green, blue, 1.0], np.float32)


def of_classes(classes: NDArray[Any], named: Mapping[int, str]) -> NDArray[np.float32]:
    """Return the (n, 4) colours of the classes of n objects."""
    found = np.repeat(rgba(UNCLASSED)[None], len(classes), axis=0)
    for label, color in named.items():
        found[classes == label] = rgba(color)
    return found


def along_ramp(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the (n, 4) colours of n values, from the least to the greatest; grey of NaN."""
    there = np.isfinite(values)
    found = np.repeat(rgba(UNKNOWN)[None], len(values), axis=0)
    if there.any():
        low, high = float(values[there].min()), float(values[there].max())
        share = (values[there] - low) / (high - low) if high > low else 0.5 + 0 * values[there]
        stops = np.stack([rgba(color) for color in RAMP])
        at = np.linspace(0, 1, len(stops))
        found[there] = np.stack([np.interp(share, at, stop) for stop in stops.T], axis=1)
    return found


def object_colors(
    numbers: NDArray[np.int64], of: NDArray[np.float32]
) -> CyclicLabelColormap | DirectLabelColormap:
    """Return a map that gives each object its colour; other numbers are not seen.

    A table of colours is quicker than a dictionary by a hundred times, but napari takes at most
    65,536 of them.

    Parameters
    ----------
    numbers : (n,) array
        The objects, from 1.
    of : (n, 4) array
        Their colours.
    """
    most = int(numbers.max(initial=1))
    if most < MOST_COLORS:
        table = np.zeros((most + 1, 4), np.float32)
        table[numbers] = of
        return CyclicLabelColormap(colors=table, name="objects")
    named: dict[int | None, Any] = dict(zip(numbers.tolist(), of, strict=True))
    return DirectLabelColormap(
        color_dict=defaultdict(lambda: NOTHING, {**named, None: NOTHING, 0: NOTHING})
    )
