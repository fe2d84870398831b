"""Arrays, paths and images to images with named axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import AXES, Image
from stroma.errors import ShapeError
from stroma.io import read_image


def as_image(data: Any, *, channels: int | None = None, axes: str | None = None) -> Image:
    """Return an image; reads no pixels of lazy ones.

    Parameters
    ----------
    data : array-like, Image, str or Path
        Of an array of three axes, the last is the colours if it has 3 or 4 samples, and the first
        the channels if it has as many samples as ``channels`` says; it is z otherwise. Arrays
        that name their axes, as xarray's do, need no guess.
    channels : int, optional
        Channels that are expected.
    axes : str, optional
        One letter per axis, where it is known.

    Raises
    ------
    ShapeError
        If the axes cannot be told.
    """
    if isinstance(data, Image):
        return data
    if isinstance(data, str | Path):
        return read_image(data, axes=axes)
    array: Any = data if hasattr(data, "shape") and hasattr(data, "dtype") else np.asarray(data)
    if not isinstance(array.dtype, np.dtype):
        array = np.asarray(array)
    named = axes or _named(array) or _guessed(array.shape, channels)
    if len(named) != len(array.shape) or not {"y", "x"} <= set(named) <= set(AXES):
        raise ShapeError(
            f"The axes {named!r} do not fit an array of shape {tuple(array.shape)}. Give one "
            f"letter of {AXES!r} for each of its axes, y and x among them."
        )
    order = [a for a in AXES if a in named]
    moved = array.transpose(*(named.index(a) for a in order)) if order != list(named) else array
    last = named.endswith("c")
    return Image(moved, "".join(order), rgb=last and array.shape[-1] == 3)


def _named(array: Any) -> str:
    names = "".join(str(dim).lower() for dim in getattr(array, "dims", ()))
    return names if {"y", "x"} <= set(names) <= set(AXES) else ""


def _guessed(shape: tuple[int, ...], channels: int | None) -> str:
    if len(shape) == 3 and shape[-1] in (3, 4) and min(shape[:2]) > 4:
        return "yxc"
    if len(shape) == 3 and channels is not None and channels > 1 and shape[0] == channels:
        return "cyx"
    known = {2: "yx", 3: "zyx", 4: "czyx", 5: "tczyx"}
    if len(shape) not in known:
        raise ShapeError(
            f"An array of shape {tuple(shape)} has no axes that can be told. Give 2 to 5 "
            "dimensions, or an Image, which names its axes."
        )
    return known[len(shape)]
