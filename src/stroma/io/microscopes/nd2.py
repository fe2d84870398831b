"""Nikon's ND2, by nd2: every position of the stage is an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nd2
import numpy as np

from stroma.data.image import Image
from stroma.errors import StromaError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.microscopes.planes import Planes
from stroma.io.series import Series, chosen

POSITIONS = "P"
FRAME = ("C", "Y", "X", "S")
"""Axes that are read at once."""


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the positions of a file."""
    try:
        with nd2.ND2File(path) as file:
            return tuple(_listed(file))
    except DAMAGE as error:
        raise damaged(path, error) from error


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image at a position of a file, read plane by plane."""
    try:
        with nd2.ND2File(path) as file:
            listed = _listed(file)
            number, notes = chosen(path, series, listed)
            sizes = dict(listed[number].sizes)
            size = file.voxel_size()
            spacing = {a: float(getattr(size, a)) for a in "zyx" if getattr(size, a) > 0}
            names = _channels(file, sizes)
            dtype = np.dtype(file.dtype)
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error
    shape = tuple(sizes.values())
    letters = asked(axes, shape, path) if axes else "".join(sizes)
    array = FileArray(open_image, path, {"number": number}, shape, dtype)
    facts = Facts(spacing=spacing, unit="µm", channels=names, notes=notes)
    return arrange(array, letters, facts, path)


def open_image(path: Path, *, number: int) -> Opened:
    """Open the image at a position, to be read in boxes."""
    file = nd2.ND2File(path)
    sizes = dict(file.sizes)
    outer = [name for name in sizes if name not in (*FRAME, POSITIONS)]
    inner = [sizes[name] for name in FRAME if name in sizes]
    frames = {
        tuple(at.get(name, 0) for name in outer): i
        for i, at in enumerate(file.loop_indices or ({},))
        if at.get(POSITIONS, 0) == number
    }

    def plane(place: tuple[int, ...], cut: tuple[slice, ...]) -> Any:
        return np.asarray(file.read_frame(frames[place])).reshape(inner)[cut]

    return Planes(plane, [sizes[name] for name in outer], inner, file.dtype), file.close


def _listed(file: Any) -> list[Series]:
    sizes = dict(file.sizes)
    count = sizes.pop(POSITIONS, 1)
    inner = [name for name in FRAME if name in sizes]
    order = [name for name in sizes if name not in inner]
    plain = {name.lower(): sizes[name] for name in (*order, *inner)}
    return [Series(i, f"position {i}" if count > 1 else "", plain) for i in range(count)]


def _channels(file: Any, sizes: dict[str, int]) -> tuple[str, ...]:
    told = getattr(file.metadata, "channels", None) or ()
    names = tuple(str(one.channel.name) for one in told)
    return names if len(names) == sizes.get("c", 1) else ()
