"""Saving labels layers with their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stroma.data.classes import MAX_LABEL, Class
from stroma.errors import LabelError
from stroma.io import write_labels as write

AXES = {2: "yx", 3: "zyx", 4: "tzyx"}


def write_labels(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Write a labels layer: its labels, and the names and colours of its classes.

    Parameters
    ----------
    path : str
        Where to; the ending says the format.
    data : array-like
        The labels.
    attributes : mapping
        Those of the layer; the column "Class" of its features names the classes.
    """
    full = data[0] if attributes.get("multiscale") else data
    labels = np.asarray(full)
    if labels.size and (labels.min() < 0 or labels.max() > MAX_LABEL):
        raise LabelError(
            f"Labels are 0 to {MAX_LABEL}, got {labels.min()} to {labels.max()}. "
            "Renumber the layer first."
        )
    axes = AXES.get(labels.ndim, "")
    small = labels.astype(np.uint16 if labels.max(initial=0) > 255 else np.uint8)
    return [str(write(path, small, classes=classes_of(attributes), axes=axes))]


def classes_of(attributes: Mapping[str, Any]) -> tuple[Class, ...]:
    """Return the classes that the features and the colours of a labels layer name."""
    features = attributes.get("features")
    if features is None or not {"index", "Class"} <= set(features):
        return ()
    colormap = attributes.get("colormap")
    named = zip(features["index"], features["Class"], strict=True)
    return tuple(
        Class(int(label), str(name), _color(colormap, int(label)))
        for label, name in named
        if 0 < int(label) <= MAX_LABEL
    )


def _color(colormap: Any, label: int) -> str:
    if colormap is None:
        return ""
    color_dict = getattr(colormap, "color_dict", None)
    color = color_dict.get(label) if color_dict else colormap.map(label)
    if color is None:
        return ""
    red, green, blue = (round(255 * float(v)) for v in np.ravel(color)[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
