"""Leica's LIF, by liffile: every image of the file is one, and every tile of a mosaic too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import liffile
import numpy as np

from stroma.data.image import Image
from stroma.errors import FormatError, StromaError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.microscopes.planes import Planes
from stroma.io.series import Series, chosen

TILES = "M"
"""The axis of tiles of a mosaic."""

UNITS = {"z": 1e6, "y": 1e6, "x": 1e6, "t": 1.0}
"""What makes µm and seconds of metres and seconds."""

BROKEN = (*DAMAGE, liffile.LifFileError)


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the images of a file, with every tile of mosaics."""
    try:
        with liffile.LifFile(path) as file:
            return tuple(
                Series(number, name, _plain(dict(file.images[i].sizes)))
                for number, (i, _, name) in enumerate(_listed(file))
            )
    except StromaError:
        raise
    except BROKEN as error:
        raise damaged(path, error) from error


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return an image of a file, read plane by plane."""
    try:
        with liffile.LifFile(path) as file:
            listed = _listed(file)
            if not listed:
                raise FormatError(f"{path} holds no images.")
            known = [Series(n, name) for n, (_, _, name) in enumerate(listed)]
            number, notes = chosen(path, series, known)
            image = file.images[listed[number][0]]
            sizes = _plain(dict(image.sizes))
            letters, shape = "".join(sizes), tuple(sizes.values())
            facts = Facts(spacing=_spacing(image), unit="µm", notes=notes)
            dtype = np.dtype(image.dtype)
    except StromaError:
        raise
    except BROKEN as error:
        raise damaged(path, error) from error
    array = FileArray(open_image, path, {"number": number}, shape, dtype)
    return arrange(array, asked(axes, shape, path) if axes else letters, facts, path)


def open_image(path: Path, *, number: int) -> Opened:
    """Open an image of a file, to be read in boxes."""
    file = liffile.LifFile(path)
    i, tile, _ = _listed(file)[number]
    image = file.images[i]
    sizes = _plain(dict(image.sizes))
    inner = list(image.frames.frame_sizes)  # of scans along z those are z and x
    outer = [d for d in image.dims if d not in (*inner, TILES)]
    fixed = {TILES: tile} if TILES in image.dims else {}

    def plane(place: tuple[int, ...], cut: tuple[slice, ...]) -> Any:
        return image.frame(**dict(zip(outer, place, strict=True)), **fixed)[cut]

    sides = [[sizes[d.lower()] for d in names] for names in (outer, inner)]
    return Planes(plane, sides[0], sides[1], image.dtype), file.close


def _listed(file: Any) -> list[tuple[int, int, str]]:
    """Return number, tile and name of every image."""
    found = []
    for i, image in enumerate(file.images):
        tiles = image.sizes.get(TILES, 1)
        for tile in range(tiles):
            found.append((i, tile, image.name if tiles == 1 else f"{image.name} {tile}"))
    return found


def _plain(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return sizes by our letters, without tiles."""
    return {name.lower(): n for name, n in sizes.items() if name != TILES}


def _spacing(image: Any) -> dict[str, float]:
    """Return the distance between samples, as far as the file says it."""
    found = {}
    for name, values in image.coords.items():
        letter = name.lower()
        if letter in UNITS and len(values) > 1:
            step = float(values[-1] - values[0]) / (len(values) - 1) * UNITS[letter]
            if abs(step) > 0:
                found[letter] = abs(step)
    return found
