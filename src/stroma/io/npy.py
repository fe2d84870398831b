"""NumPy arrays on disk, read box by box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.errors import FormatError, short
from stroma.io.axes import Facts, arrange, asked, guess
from stroma.io.describe import Description
from stroma.io.lazy import DAMAGE, FileArray, Opened, View, damaged
from stroma.io.raw import RawArray
from stroma.io.series import Series, chosen

MAX_HEADER = 2**16
"""Longer headers are not parsed; that of an array of numbers has some hundred bytes."""


@dataclass(frozen=True)
class _Header:
    """Where the values begin, and what they are."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a ``.npy`` file; see :mod:`stroma.io.axes` for the axes it gets."""
    head = _header(path)
    shape = head.shape
    chosen(path, series, [Series(0)])
    letters = guess(shape) if axes is None else asked(axes, shape, path)
    alpha = axes is None and letters.endswith("s") and shape[-1] == 4
    array = FileArray(open_raw, path, {}, shape, head.dtype)
    return arrange(array, letters, Facts(alpha=alpha), path)


def open_raw(path: Path) -> Opened:
    """Open the values where they lie; columns first where they are stored so."""
    head = _header(path)
    stored = head.shape[::-1] if head.fortran else head.shape
    raw = RawArray(path, head.offset, stored, head.dtype)
    turned = View(raw, tuple(reversed(range(len(stored)))), {}) if head.fortran else raw
    return turned, raw.close


def _header(path: Path) -> _Header:
    """Read the header, and compare what it declares with the length of the file.

    Raises
    ------
    FormatError
        If it is damaged, or the values are no numbers or not all there.
    """
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            reader = _READERS[version]
            shape, fortran, dtype = reader(file, max_header_size=MAX_HEADER)
            offset, size = file.tell(), file.seek(0, 2)
    except DAMAGE as error:
        raise damaged(path, error) from error
    if dtype.hasobject or dtype.kind not in "biuf":
        raise FormatError(f"{path} holds values of type {short(dtype)}; an image holds numbers.")
    counts = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape)
    if not counts or offset + math.prod(shape) * dtype.itemsize > size:
        raise FormatError(
            f"{path} is cut short or damaged: it declares an array of shape {short(shape)} of "
            f"{dtype}, and has {size} bytes. Copy or export it again."
        )
    return _Header(offset, tuple(shape), dtype, bool(fortran))


_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write(path: Path, array: Any, about: Description) -> None:
    """Write a ``.npy`` file; it holds the values only, no spacing and no names."""
    with path.open("wb") as file:
        np.save(file, np.asarray(array), allow_pickle=False)
