"""NumPy arrays on disk, mapped into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.errors import FormatError
from stroma.io.axes import Facts, arrange, asked, guess
from stroma.io.describe import Description
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged


def read(path: Path, *, axes: str | None = None, series: int = 0) -> Image:
    """Return the image in a ``.npy`` file; see :mod:`stroma.io.axes` for the axes it gets."""
    try:
        mapped, _ = open_mapped(path)
    except DAMAGE as error:
        raise damaged(path, error) from error
    if np.dtype(mapped.dtype).kind not in "biuf":
        raise FormatError(f"{path} holds values of type {mapped.dtype}; an image holds numbers.")
    letters = guess(mapped.shape) if axes is None else asked(axes, mapped.shape, path)
    alpha = axes is None and letters.endswith("s") and mapped.shape[-1] == 4
    array = FileArray(open_mapped, path, {}, mapped.shape, np.dtype(mapped.dtype))
    return arrange(array, letters, Facts(alpha=alpha), path)


def open_mapped(path: Path) -> Opened:
    """Map the file; the map closes with the array."""
    return np.load(path, mmap_mode="r", allow_pickle=False), None


def write(path: Path, array: Any, about: Description) -> None:
    """Write a ``.npy`` file; it holds the values only, no spacing and no names."""
    with path.open("wb") as file:
        np.save(file, np.asarray(array), allow_pickle=False)
