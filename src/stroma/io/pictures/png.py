"""PNG: 1 to 16 bit, grey, colour and palette."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import PngImagePlugin

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FormatError, StromaError
from stroma.io.axes import Facts, arrange, asked
from stroma.io.class_names import from_text, to_text
from stroma.io.describe import Description
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.series import Series, chosen

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 2**29
"""Larger PNG and JPEG files are refused: they must be decoded whole (0.5 Gpx)."""

MOST_PACKED = 1032
"""Bytes that one byte of a PNG may stand for: what its compression (Deflate) does at most."""

_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_PALETTE = 3


@dataclass(frozen=True)
class Header:
    """What a PNG says about itself: size in pixels, bits per sample, kind of colour, frames."""

    height: int
    width: int
    bits: int
    colour: int
    frames: int = 1

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
    still = f"{path} holds {header.frames} pictures; the still one is read. Export it as TIFF."
    known = Facts(alpha=header.samples in (2, 4), notes=(still,) if header.frames > 1 else ())
    return arrange(array, letters, known, path)


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
    frames, packed = _check_chunks(path)
    header = Header(height, width, bits, colour, frames)
    stored = 1 if colour == _PALETTE else _SAMPLES[colour]
    if height * width * stored * bits / 8 > MOST_PACKED * packed + 2**16:
        raise FormatError(
            f"{path} says it has {height} x {width} pixels, but holds {packed} bytes of them. It "
            "is cut short or damaged; copy or export it again."
        )
    return header


def check_size(path: Path, height: int, width: int, *, most: int = MAX_PIXELS) -> None:
    """Refuse images that would not fit in memory when decoded.

    Parameters
    ----------
    path : Path
        The file, for messages.
    height, width : int
        What it declares.
    most : int
        Pixels that its length allows.

    Raises
    ------
    FormatError
        If the image has no pixels or too many.
    """
    if height * width > most:
        raise FormatError(
            f"{path} says it has {height} x {width} pixels, more than its length allows. It is "
            "damaged; copy or export it again."
        )
    if not 0 < height * width <= MAX_PIXELS:
        raise FormatError(
            f"{path} says it has {height} x {width} pixels; up to {MAX_PIXELS} are read from this "
            "format. Convert it to a tiled TIFF or to OME-Zarr, which are read in parts."
        )


def _check_chunks(path: Path) -> tuple[int, int]:
    """Walk over the chunks: the last is IEND, and every checksum is right.

    Returns
    -------
    frames, packed : int
        Number of pictures, and bytes that hold the one that is read.
    """
    frames, packed = 1, 0
    with path.open("rb") as file:
        for name, body in _chunks(file, path):
            if name == b"acTL" and len(body) >= 4:
                frames = int.from_bytes(body[:4], "big")
            packed += len(body) if name == b"IDAT" else 0
    return frames, packed


def _chunks(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Iterate over names and bodies of the chunks, up to IEND."""
    size = file.seek(0, 2)
    file.seek(len(SIGNATURE))
    name = b""
    while name != b"IEND":
        head = file.read(8)
        length, name = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        body = file.read(length) if length <= size else b""
        check = file.read(4)
        if len(check) < 4 or zlib.crc32(name + body) != int.from_bytes(check, "big"):
            raise FormatError(f"{path} is cut short or damaged. Copy or export it again.")
        yield name, body


def _still(path: Path) -> bytes:
    """Return the file with nothing but what decodes the picture: no frames, texts or profiles."""
    parts = [SIGNATURE]
    with path.open("rb") as file:
        for name, body in _chunks(file, path):
            if name in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
                check = zlib.crc32(name + body).to_bytes(4, "big")
                parts += [len(body).to_bytes(4, "big"), name, body, check]
    return b"".join(parts)


def open_decoded(path: Path) -> Opened:
    """Decode the whole file, a palette expanded."""
    header = read_header(path)
    if header.bits == 16 and header.colour != 0:
        return _decode_16_bit(path, header), None
    with PngImagePlugin.PngImageFile(io.BytesIO(_still(path))) as picture:
        values = np.asarray(picture.convert("RGB") if header.colour == _PALETTE else picture)
    return _stored(values, header), None


def read_indices(path: Path) -> NDArray[Any] | None:
    """Return the positions in the palette, as label images store them; None without a palette."""
    if read_header(path).colour != _PALETTE:
        return None
    try:
        with PngImagePlugin.PngImageFile(io.BytesIO(_still(path))) as picture:
            return np.array(picture)
    except DAMAGE as error:
        raise damaged(path, error) from error


def read_classes(path: Path) -> tuple[Class, ...]:
    """Return the classes in the comment of a label image."""
    read_header(path)
    try:
        with PngImagePlugin.PngImageFile(path) as picture:
            return from_text(str(picture.text.get("Comment", "")), path)
    except StromaError:
        raise
    except DAMAGE:
        return ()  # what can be decoded without its texts carries no names


def _stored(values: NDArray[Any], header: Header) -> NDArray[Any]:
    """Undo the stretching of 2 and 4 bit greys to 8 bit."""
    if header.colour == 0 and header.bits in (2, 4):
        return np.asarray(values // (255 // (2**header.bits - 1)), dtype=np.uint8)
    return values.astype(header.dtype, copy=False)


def _decode_16_bit(path: Path, header: Header) -> NDArray[Any]:
    """Decode with OpenCV, since Pillow cuts samples of 16 bit to 8 where there are several."""
    import cv2

    encoded = np.frombuffer(_still(path), dtype=np.uint8)
    values = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        raise FormatError(f"{path} cannot be decoded as a PNG of 16 bit colours.")
    # Grey with opacity comes as colours with opacity.
    order = [0, 3] if header.colour == 4 else [2, 1, 0, 3][: header.samples]
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
