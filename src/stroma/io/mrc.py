"""MRC and CCP4 maps, as electron microscopes write them; their headers are read by mrcfile.

Rows are kept in the order of the file. Sections are z, those of a stack of images (space group 0,
one section an image) t, like the volumes of a stack of volumes. Where the header says that its
columns, rows and sections are other axes than x, y and z, they get the names that it gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from mrcfile import utils
from mrcfile.mrcinterpreter import MrcInterpreter

from stroma.data.image import Image
from stroma.errors import FormatError, short
from stroma.io.axes import Facts, arrange, asked
from stroma.io.gzipped import head, values_at
from stroma.io.lazy import DAMAGE
from stroma.io.series import Series, chosen
from stroma.io.units import in_one_unit

HEADER = 1024
"""Bytes of the header."""

EXTENDED = slice(92, 96)
"""Bytes of the header that hold the length of what lies between it and the values."""

IMOD = slice(152, 160)
"""Bytes that IMOD uses: its stamp, and what is special to the file."""

IMOD_STAMP = 1146047817
SIGNED = 1
"""Flag of IMOD: values of one byte are signed, as the standard has it."""

IMAGES = 0
"""Space group of a stack of images."""


@dataclass(frozen=True)
class _Header:
    """Where the values begin, and what they are."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    sizes: dict[str, tuple[float, str]]


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in an MRC file, read in parts unless it is packed."""
    chosen(path, series, [Series(0)])
    known = _header(path)
    letters = known.axes if axes is None else asked(axes, known.shape, path)
    array = values_at(path, known.offset, known.shape, known.dtype)
    spacing, unit = in_one_unit({a: s for a, s in known.sizes.items() if a in letters})
    return arrange(array, letters, Facts(spacing=spacing, unit=unit), path)


def _header(path: Path) -> _Header:
    """Read the header.

    Raises
    ------
    FormatError
        If it is none of MRC, or its values are of a kind that is not read.
    """
    data = bytearray(head(path, HEADER))
    extended = bytes(data[EXTENDED])
    data[EXTENDED] = bytes(4)  # the library would make room for all that a damaged file declares
    try:
        with BytesIO(data) as stream:
            said = MrcInterpreter(stream, header_only=True).header
        dtype = utils.data_dtype_from_header(said)
        shape = tuple(map(int, utils.data_shape_from_header(said)))
        length, stamp, flags = np.frombuffer(extended + data[IMOD], said.mode.dtype).tolist()
    except DAMAGE as error:
        raise FormatError(
            f"{path} cannot be read as MRC: {short(error)}. If it is not damaged, save it again as "
            "MRC 2014, or as TIFF."
        ) from error
    if length < 0:
        raise FormatError(
            f"{path} declares {length} bytes between its header and its values. It is damaged; "
            "copy or export it again."
        )
    if dtype.kind == "c":
        raise FormatError(f"{path} holds complex values. Export their amplitudes.")
    if dtype == np.int8 and stamp == IMOD_STAMP and not flags & SIGNED:
        dtype = np.dtype(np.uint8)
    letters = _axes(said, len(shape), path)
    if len(shape) == 3 and shape[0] == 1:
        shape, letters = shape[1:], letters[1:]
    return _Header(HEADER + length, shape, dtype, letters, _voxel(said))


def _axes(said: Any, count: int, path: Path) -> str:
    """Return the names of the axes of the values, slowest first."""
    mapped = [int(n) for n in (said.maps, said.mapr, said.mapc)]
    if not any(mapped):
        mapped = [3, 2, 1]  # old files say nothing
    if sorted(mapped) != [1, 2, 3]:
        raise FormatError(
            f"{path} says that its sections, rows and columns are the axes {short(mapped)}, which "
            "are not 1, 2 and 3 in some order. It is damaged; copy or export it again."
        )
    letters = "".join("xyz"[n - 1] for n in mapped)
    if count == 4:
        return "t" + letters
    images = int(said.ispg) == IMAGES and int(said.mz) == 1 and int(said.nz) > 1
    return "t" + letters[1:] if images else letters[3 - count :]


def _voxel(said: Any) -> dict[str, tuple[float, str]]:
    """Return the size of a voxel along every axis, as far as the file tells."""
    cell = {a: (float(said.cella[a]), int(said[f"m{a}"])) for a in "xyz"}
    return {a: (length / n, "Å") for a, (length, n) in cell.items() if n > 0}
