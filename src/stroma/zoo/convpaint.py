"""Convpaint: the parameters of a model, which are those of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stroma.zoo.taken import Taken, opened


def take(path: Path, images: Sequence[Path]) -> Taken:
    """Return that a file has parameters; they are read where models take them, and checked."""
    pictures, left = opened(images)
    return Taken(
        path,
        "Convpaint",
        pictures,
        settings=path,
        left=(*left, "classifier: train on your strokes; a .pkl of Convpaint would run code"),
    )
