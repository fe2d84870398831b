"""Olympus' OIB and OIF, by oiffile: a file, or a main file and a folder, of TIFFs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import oiffile

from stroma.data.image import Image
from stroma.errors import FormatError, StromaError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.microscopes.planes import Planes
from stroma.io.series import Series, chosen

IN_MICRONS = {"nm": 1e-3, "um": 1.0, "µm": 1.0, "mm": 1e3}
BROKEN = (*DAMAGE, oiffile.OifFileError)


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the images of a file: series of TIFFs whose names belong together."""
    try:
        with oiffile.OifFile(path) as file:
            return tuple(Series(i, "", _sizes(one)) for i, one in enumerate(file.series))
    except BROKEN as error:
        raise damaged(path, error) from error


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return an image of a file, read plane by plane."""
    try:
        with oiffile.OifFile(path) as file:
            listed = [Series(i, "", _sizes(one)) for i, one in enumerate(file.series)]
            if not listed:
                raise FormatError(f"{path} holds no images.")
            number, notes = chosen(path, series, listed)
            sizes, dtype = dict(listed[number].sizes), np.dtype(file.series[number].dtype)
            facts = Facts(spacing=_spacing(file), unit="µm", notes=notes)
    except StromaError:
        raise
    except BROKEN as error:
        raise damaged(path, error) from error
    shape, letters = tuple(sizes.values()), "".join(sizes)
    array = FileArray(open_image, path, {"number": number}, shape, dtype)
    return arrange(array, asked(axes, shape, path) if axes else letters, facts, path)


def open_image(path: Path, *, number: int) -> Opened:
    """Open an image of a file, to be read in boxes."""
    file = oiffile.OifFile(path)
    one = file.series[number]
    outer = tuple(map(int, one.shape))
    names = dict(zip(map(tuple, one.indices), one.files, strict=True))
    inner = tuple(_sizes(one).values())[len(outer) :]

    def plane(place: tuple[int, ...], cut: tuple[slice, ...]) -> Any:
        return file.asarray(names[place])[cut]

    return Planes(plane, outer, inner, one.dtype), file.close


def _sizes(one: Any) -> dict[str, int]:
    """Return sizes by our letters: of the sequence of TIFFs, then of each."""
    sides = [int(n) for n in one.imread(one.files[0]).shape]
    letters = [*str(one.axes).lower(), *"yxs"[: len(sides)]]
    return dict(zip(letters, [*map(int, one.shape), *sides], strict=True))


def _spacing(file: Any) -> dict[str, float]:
    """Return the size of a pixel along x, y and z in µm, as far as the file tells."""
    found = {}
    for i in range(8):
        try:
            axis = file.mainfile[f"Axis {i} Parameters Common"]
            letter, unit = (
                str(axis["AxisCode"]).lower(),
                str(axis.get("PixUnit") or axis["UnitName"]),
            )
            length = abs(float(axis["EndPosition"]) - float(axis["StartPosition"]))
            count = int(axis["MaxSize"])
        except (KeyError, TypeError, ValueError):
            continue
        if letter in "zyx" and unit in IN_MICRONS and count > 1 and length > 0:
            steps = count - 1 if letter == "z" else count
            found[letter] = length / steps * IN_MICRONS[unit]
    return found
