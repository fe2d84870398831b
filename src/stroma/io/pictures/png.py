"""PNG: 1 to 16 bit, grey, colour and palette."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import PngImagePlugin

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FormatError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.class_names import from_text, to_text
from stroma.io.describe import Description
from stroma.io.lazy import FileArray, Opened
from stroma.io.series import Series, chosen

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 2**29
"""Larger PNG and JPEG files are refused: they must be decoded whole (0.5 Gpx)."""

_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_PALETTE = 3


@dataclass(frozen=True)
class Header:
    """What a PNG says about itself: size in pixels, bits per sample, kind of colour."""

    height: int
    width: int
    bits: int
    colour: int

    @property
    def samples(self) -> int:
        """Samples per pixel once a palette is expanded, opacity among them."""
        return _SAMPLES[self.colour]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        if self.bits == 1 and self.colour == 0:
            return np.dtype(bool)
        return np.dtype(np.uint16 if self.bits == 16 else np.uint8)


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a PNG; decoded when first read."""
    header = read_header(path)
    chosen(path, series, [Series(0)])
    shape: tuple[int, ...] = (header.height, header.width)
    shape += (header.samples,) if header.samples > 1 else ()
    letters = "yxs"[: len(shape)] if axes is None else asked(axes, shape, path)
    array = FileArray(open_decoded, path, {}, shape, header.dtype)
    return arrange(array, letters, Facts(alpha=header.samples in (2, 4)), path)


def read_header(path: Path) -> Header:
    """Return the header, after checking that the file is a whole PNG of a sane size.

    Raises
    ------
    FormatError
        If it is not.
    """
    with path.open("rb") as file:
        start = file.read(33)
    if start[:8] != SIGNATURE or start[12:16] != b"IHDR" or len(start) < 33:
        raise FormatError(f"{path} is not a PNG, whatever its name says.")
    width, height, bits, colour = struct.unpack(">IIBB", start[16:26])
    if colour not in _SAMPLES or bits not in (1, 2, 4, 8, 16):
        raise FormatError(f"{path} is a PNG of an unknown kind: colour {colour}, {bits} bits.")
    check_size(path, height, width)
    _check_chunks(path)
    return Header(height, width, bits, colour)


def check_size(path: Path, height: int, width: int) -> None:
    """Refuse images that would not fit in memory when decoded.

    Raises
    ------
    FormatError
        If the image has no pixels or too many.
    """
    if not 0 < height * width <= MAX_PIXELS:
        raise FormatError(
            f"{path} says it has {height} x {width} pixels; up to {MAX_PIXELS} are read from this "
            "format. Convert it to a tiled TIFF or to OME-Zarr, which are read in parts."
        )


def _check_chunks(path: Path) -> None:
    """Walk over the chunks: the last is IEND, and every checksum is right."""
    with path.open("rb") as file:
        file.seek(len(SIGNATURE))
        name = b""
        while name != b"IEND":
            head = file.read(8)
            length, name = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
            body = file.read(length)
            check = file.read(4)
            if len(check) < 4 or zlib.crc32(name + body) != int.from_bytes(check, "big"):
                raise FormatError(f"{path} is cut short or damaged. Copy or export it again.")


def open_decoded(path: Path) -> Opened:
    """Decode the whole file, a palette expanded."""
    header = read_header(path)
    if header.bits == 16 and header.colour in (2, 6):
        return _colours_16_bit(path), None
    with PngImagePlugin.PngImageFile(path) as picture:
        values = np.asarray(picture.convert("RGB") if header.colour == _PALETTE else picture)
    return _stored(values, header), None


def read_indices(path: Path) -> NDArray[Any] | None:
    """Return the positions in the palette, as label images store them; None without a palette."""
    if read_header(path).colour != _PALETTE:
        return None
    with PngImagePlugin.PngImageFile(path) as picture:
        return np.array(picture)


def read_classes(path: Path) -> tuple[Class, ...]:
    """Return the classes in the comment of a label image."""
    read_header(path)
    with PngImagePlugin.PngImageFile(path) as picture:
        return from_text(str(picture.text.get("Comment", "")), path)


def _stored(values: NDArray[Any], header: Header) -> NDArray[Any]:
    """Undo the stretching of 2 and 4 bit greys to 8 bit."""
    if header.colour == 0 and header.bits in (2, 4):
        return np.asarray(values // (255 // (2**header.bits - 1)), dtype=np.uint8)
    return values.astype(header.dtype, copy=False)


def _colours_16_bit(path: Path) -> NDArray[Any]:
    """Decode with OpenCV, since Pillow cuts 16 bit colours to 8 bit."""
    import cv2

    encoded = np.fromfile(path, dtype=np.uint8)
    values = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        raise FormatError(f"{path} cannot be decoded as a PNG of 16 bit colours.")
    order = [2, 1, 0, 3][: values.shape[2]]
    return np.ascontiguousarray(values[..., order])


def write(path: Path, array: Any, about: Description) -> None:
    """Write a PNG of one plane: grey of 1, 8 or 16 bit, or colours of 8 or 16 bit.

    Labels of up to 255 classes that have names get a palette of their colours; the values stored
    are still the labels.

    Raises
    ------
    FormatError
        If a PNG cannot hold the values.
    """
    values = _as_png(np.asarray(array), about)
    if about.rgb and values.dtype == np.uint16:
        _write_16_bit_colours(path, values)
        return
    picture = Picture.fromarray(values)
    texts = PngImagePlugin.PngInfo()
    if about.classes:
        texts.add_itxt("Comment", to_text(about.classes))
    if about.classes and values.dtype == np.uint8:
        picture.putpalette(_palette(about))
    picture.save(path, format="PNG", pnginfo=texts)


def _as_png(values: NDArray[Any], about: Description) -> NDArray[Any]:
    """Return the values as a type that PNG has, colours last."""
    if about.axes != "yx" and not (about.rgb and about.axes == "cyx"):
        raise FormatError(
            f"A PNG holds one plane or one picture in colours, not axes "
            f"{about.axes!r}. Write TIFF or OME-Zarr instead."
        )
    if values.dtype not in (bool, np.uint8, np.uint16):
        if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
            raise FormatError(
                f"A PNG holds integers from 0 to 65535, not {values.dtype} from "
                f"{values.min()} to {values.max()}. Write TIFF or OME-Zarr instead."
            )
        values = values.astype(np.uint16)
    return np.ascontiguousarray(values.transpose(1, 2, 0) if about.rgb else values)


def _palette(about: Description) -> list[int]:
    colours = {c.label: c.rgb for c in about.classes}
    return [value for label in range(256) for value in colours.get(label, (0, 0, 0))]


def _write_16_bit_colours(path: Path, values: NDArray[Any]) -> None:
    import cv2

    ok, encoded = cv2.imencode(".png", values[..., ::-1])
    if not ok:
        raise FormatError(f"OpenCV could not encode {values.shape} values as a PNG.")
    encoded.tofile(path)
