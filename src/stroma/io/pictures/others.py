"""BMP, GIF and WebP: decoded whole; of moving pictures the first is read, and the others told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, GifImagePlugin, ImageFile, WebPImagePlugin
from PIL import Image as Picture

from stroma.data.image import Image
from stroma.errors import StromaError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.pictures.png import check_size
from stroma.io.series import Series, chosen

_OPENERS: dict[str, Any] = {
    ".bmp": BmpImagePlugin.BmpImageFile,
    ".gif": GifImagePlugin.GifImageFile,
    ".webp": WebPImagePlugin.WebPImageFile,
}
MOST_PACKED = 2**16
"""Pixels that a byte of a file may stand for; flat pictures are packed much."""


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a BMP, GIF or WebP; decoded when first read."""
    chosen(path, series, [Series(0)])
    with _open(path) as picture:
        (width, height), frames = picture.size, getattr(picture, "n_frames", 1)
        check_size(path, height, width, most=MOST_PACKED * path.stat().st_size)
        mode = _mode(picture)
    lossy = path.suffix.lower() == ".webp" and b"VP8 " in path.read_bytes()[:64]
    shape = (height, width) if mode in ("1", "L") else (height, width, len(mode))
    letters = "yxs"[: len(shape)] if axes is None else asked(axes, shape, path)
    array = FileArray(open_decoded, path, {}, shape, np.dtype(bool if mode == "1" else np.uint8))
    moving = f"{path} holds {frames} pictures, of which the first is read. Export it as TIFF."
    known = Facts(alpha=mode in ("RGBA", "LA"), notes=(moving,) if frames > 1 else (), lossy=lossy)
    return arrange(array, letters, known, path)


def open_decoded(path: Path) -> Opened:
    """Decode the whole file, a palette expanded."""
    with _open(path) as picture:
        mode = _mode(picture)
        return np.asarray(picture if picture.mode == mode else picture.convert(mode)), None


def read_indices(path: Path) -> NDArray[Any] | None:
    """Return the positions in the palette, as label images store them; None without a palette."""
    with _open(path) as picture:
        return np.array(picture) if picture.mode == "P" else None


@contextmanager
def _open(path: Path) -> Iterator[ImageFile.ImageFile]:
    """Open a file with the one plugin that its name asks for."""
    try:
        with _OPENERS[path.suffix.lower()](path) as picture:
            yield picture
    except StromaError:
        raise
    except (*DAMAGE, Picture.DecompressionBombError) as error:
        raise damaged(path, error) from error


def _mode(picture: Any) -> str:
    """Return how to decode: as stored where that is grey, black and white or colours."""
    if picture.mode in ("1", "L", "LA", "RGB", "RGBA"):
        return str(picture.mode)
    colours = np.array(picture.getpalette() or [0, 1, 2]).reshape(-1, 3)
    return "L" if (colours == colours[:, :1]).all() else "RGB"
