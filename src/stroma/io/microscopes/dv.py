"""DeltaVision's DV, by mrc."""

from __future__ import annotations

from pathlib import Path

import mrc
import numpy as np

from stroma.data.image import Image
from stroma.errors import FormatError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.series import Series, chosen


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a file, read in parts."""
    chosen(path, series, [Series(0)])
    try:
        file = mrc.DVFile(path)
        try:
            shape, letters = tuple(map(int, file.shape)), file.axes.lower()
            dtype, size = np.dtype(file.dtype), file.voxel_size
        finally:
            file.close()
    except DAMAGE as error:
        raise damaged(path, error) from error
    if dtype.kind == "c":
        raise FormatError(f"{path} holds complex values. Export their amplitudes.")
    spacing = {a: float(getattr(size, a)) for a in "zyx" if getattr(size, a) > 0}
    array = FileArray(open_image, path, {}, shape, dtype)
    facts = Facts(spacing=spacing, unit="µm")
    return arrange(array, asked(axes, shape, path) if axes else letters, facts, path)


def open_image(path: Path) -> Opened:
    """Open the image, to be read in boxes."""
    file = mrc.DVFile(path)
    return file.data, file.close
