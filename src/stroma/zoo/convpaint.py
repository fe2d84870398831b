"""Convpaint: the parameters of a model, which are those of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from stroma.errors import FormatError, short
from stroma.zoo.taken import Taken, opened, text_of

MAX_BYTES = 2**16


def take(path: Path, images: Sequence[Path]) -> Taken:
    """Return the parameters in a ``.yml``; they are checked where a model takes them.

    Raises
    ------
    FormatError
        If it is no YAML of names and plain values.
    """
    text = text_of(path)
    if len(text) > MAX_BYTES or "&" in text or "*" in text:
        raise FormatError(f"{path} is no file of parameters: it is too long, or refers to itself.")
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FormatError(f"{path} is not YAML: {short(error)}.") from error
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise FormatError(f"{path} is no file of parameters: it holds no names with values.")
    pictures, left = opened(images)
    param = {k: v for k, v in found.items() if v is not None and k != "classifier"}
    return Taken(
        path,
        "Convpaint",
        pictures,
        param=param,
        took=(f"{len(param)} parameters",),
        left=(*left, "classifier: train on your strokes; a .pkl of Convpaint would run code"),
    )
