"""``stroma demo``: the main job on a micrograph that is here already."""

from __future__ import annotations

from pathlib import Path

from stroma.data.classes import Class

STROKES = Path(__file__).parent / "demo_strokes.png"
"""Strokes on ``skimage.data.immunohistochemistry()``: a label image, with the classes in it."""

CLASSES = (
    Class(1, "epithelium", "#0072b2"),
    Class(2, "stroma", "#e69f00"),
    Class(3, "lumen", "#009e73"),
)
