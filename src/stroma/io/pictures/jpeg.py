"""JPEG: grey and colour, as stored; an orientation tag of a camera is told, not applied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import JpegImagePlugin

from stroma.data.image import Image
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.orientation import oriented
from stroma.io.pictures.png import check_size
from stroma.io.series import Series, chosen

MOST_PACKED = 2**11
"""Pixels that a byte of a JPEG may stand for."""

ORIENTATION = 0x0112
"""The tag of EXIF, which is that of TIFF."""


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a JPEG; decoded when first read."""
    try:
        with JpegImagePlugin.JpegImageFile(path) as picture:
            grey, (width, height) = picture.mode == "L", picture.size
            notes = oriented(picture.getexif().get(ORIENTATION), path)
    except DAMAGE as error:
        raise damaged(path, error) from error
    check_size(path, height, width, most=MOST_PACKED * path.stat().st_size)
    chosen(path, series, [Series(0)])
    shape = (height, width) if grey else (height, width, 3)
    letters = "yxs"[: len(shape)] if axes is None else asked(axes, shape, path)
    array = FileArray(open_decoded, path, {}, shape, np.dtype(np.uint8))
    return arrange(array, letters, Facts(notes=notes, lossy=True), path)


def open_decoded(path: Path) -> Opened:
    """Decode the whole file; printing colours (CMYK) become red, green, blue."""
    with JpegImagePlugin.JpegImageFile(path) as picture:
        return np.asarray(picture if picture.mode in ("L", "RGB") else picture.convert("RGB")), None
