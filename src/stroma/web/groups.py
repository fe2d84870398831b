"""Groups of similar pixels of a plane: shown in the page, and taken as a class."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import PALETTE, Class
from stroma.errors import ParameterError
from stroma.session import Session
from stroma.web import tiles

Values = Mapping[str, Any]
Plain = dict[str, Any]

SIDE = 640
"""Pixels of the longer side of the picture, at most."""


def groups(session: Session, values: Values) -> Plain:
    """Answer with a picture (PNG in base 64) of the groups of a plane, and what each is.

    "seen" tells whether a later request is about the same groups.
    """
    found = _found(session, values)
    count = int(values["count"])
    colours = [Class(k, color=PALETTE[(k - 1) % len(PALETTE)]) for k in range(1, count + 1)]
    every = -(-max(found.shape) // SIDE)
    picture = tiles.labels_png(found[::every, ::every], colours)
    pixels = np.bincount(found.ravel(), minlength=count + 1)[1:]
    return {
        "picture": base64.b64encode(picture).decode("ascii"),
        "seen": _digest(found),
        "groups": [
            {"group": one.label, "color": one.color, "share": float(pixels[k] / found.size)}
            for k, one in enumerate(colours)
            if pixels[k]
        ],
    }


def take(session: Session, values: Values) -> int:
    """Paint a group as a class, and answer with the number of the edit."""
    found = _found(session, values)
    if _digest(found) != values["seen"]:
        raise ParameterError(
            "The groups have changed with the settings since they were shown. Look at them again."
        )
    return session.take_group(
        values["image"],
        found,
        int(values["group"]),
        label=int(values["label"]),
        plane=values["plane"],
    )


def _found(session: Session, values: Values) -> NDArray[np.uint8]:
    task = session.groups(values["image"], count=int(values["count"]), plane=values["plane"])
    return task.result()


def _digest(found: NDArray[np.uint8]) -> int:
    return zlib.crc32(np.ascontiguousarray(found).tobytes())
