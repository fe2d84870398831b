"""ImageJ regions of interest: ``.roi``, and ``.zip`` of the ROI Manager.

The format is that of ImageJ's own encoder (public domain): big-endian, a header of 64 bytes,
coordinates, and a second header with position, name and group. Areas have corners at whole
numbers; lines and points drawn at whole numbers pass through the centres of pixels.
"""

from __future__ import annotations

import re
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stroma.data.image import Image
from stroma.data.shapes import Area, Dots, Ellipse, Line, Points, Shape, rectangle
from stroma.errors import FormatError, StromaError, short
from stroma.io.lazy import DAMAGE
from stroma.io.marks import MAX_COORDINATE, Mark, too_large

MAX_ROI_BYTES = 2**24
MAX_ZIP_BYTES = 2**29
MAX_ROIS = 100_000

POLYGON, RECT, OVAL, LINE, FREELINE, POLYLINE, NO_ROI, FREEHAND, TRACED, ANGLE, POINT = range(11)
AREAS = (POLYGON, FREEHAND, TRACED)
LINES = (FREELINE, POLYLINE, ANGLE)
TEXT, IMAGE = 1, 4
SUB_PIXEL = 128
MOVE, TO, QUADRATIC, CUBIC, CLOSE = range(5)
_VALUES_OF = {MOVE: 2, TO: 2, QUADRATIC: 4, CUBIC: 6, CLOSE: 0}


def read(path: Path, image: Image, width: float) -> list[Mark]:
    """Return the one mark in a ``.roi``."""
    if path.stat().st_size > MAX_ROI_BYTES:
        raise too_large(path, MAX_ROI_BYTES)
    return [_mark(path.read_bytes(), f"{path}", path.stem, image, width)]


def read_zip(path: Path, image: Image, width: float) -> list[Mark]:
    """Return the marks in a ``.zip`` of the ROI Manager; its names are never used as paths.

    Raises
    ------
    FormatError
        If it is damaged, unpacks to more than 512 MiB, or holds something else.
    """
    marks = []
    left = MAX_ZIP_BYTES
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.filename.endswith("/")]
            if len(entries) > MAX_ROIS:
                raise FormatError(f"{path} holds {len(entries)} files; {MAX_ROIS} are read.")
            for entry in entries:
                with archive.open(entry) as file:
                    data = file.read(min(left, MAX_ROI_BYTES) + 1)
                left -= len(data)
                if left < 0 or len(data) > MAX_ROI_BYTES:
                    raise too_large(path, MAX_ZIP_BYTES)
                title = entry.filename.removesuffix(".roi")
                marks.append(_mark(data, f"{path}: {short(entry.filename)!r}", title, image, width))
    except StromaError:
        raise
    except (zipfile.BadZipFile, *DAMAGE) as error:
        raise FormatError(
            f"{path} is not a zip file of ROIs, or damaged: {short(error)}. Save it again."
        ) from error
    return marks


@dataclass(frozen=True)
class _Bytes:
    """The bytes of a ROI, read at positions that may lie outside."""

    data: bytes
    where: str

    def get(self, form: str, at: int) -> tuple[float, ...]:
        """Unpack values at a position."""
        if at < 0 or at + struct.calcsize(">" + form) > len(self.data):
            raise FormatError(f"{self.where} is cut short: it has {len(self.data)} bytes.")
        return struct.unpack_from(">" + form, self.data, at)

    def number(self, form: str, at: int) -> int:
        """Unpack one whole number."""
        return int(self.get(form, at)[0])

    def array(self, kind: str, at: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Unpack n coordinates."""
        size = n * np.dtype(kind).itemsize
        if n < 0 or at < 0 or at + size > len(self.data):
            raise FormatError(f"{self.where} is cut short: it has {len(self.data)} bytes.")
        values = np.frombuffer(self.data, kind, n, at).astype(np.float64)
        if not (np.abs(values) < MAX_COORDINATE).all():
            raise FormatError(f"{self.where} has coordinates that lie in no image.")
        return values


def _mark(data: bytes, where: str, title: str, image: Image, width: float) -> Mark:
    if data[:4] != b"Iout" or len(data) < 64:
        raise FormatError(f"{where} is not an ImageJ ROI.")
    roi = _Bytes(data, where)
    second = _second_header(roi)
    name, group = _name(roi, second) or title, _group(roi, second)
    label, class_name = class_of(name)
    return Mark(
        _shape(roi, _stroke_width(roi, second) or width),
        _plane(roi, second, image),
        name=class_name,
        label=group or label,
        color=_color(roi),
        title=f"the ROI {short(name, 40)!r}" if name else "a ROI without a name",
    )


def class_of(name: str) -> tuple[int, str]:
    """Return label and class name that the name of a ROI stands for; 0 or "" where it says none.

    "nucleus-3" stands for the class "nucleus", "class 2-7" for label 2, and the names that
    ImageJ gives by itself ("0012-0345") for none.
    """
    base = re.sub(r"[\s_\-#.:]*\d*$", "", name[:200])
    stated = re.fullmatch(r"(?:class|label)[\s_\-]*(\d{1,5})(?:[\s_\-#.:]+\d*)?", name[:200], re.I)
    if stated and 1 <= int(stated[1]) <= 65535:
        return int(stated[1]), ""
    return 0, "" if re.fullmatch(r"[\d\s\-_.:]*", base) else base


def _second_header(roi: _Bytes) -> int:
    """Return where the second header begins; 0 for none."""
    at = roi.number("i", 60)
    return at if 64 <= at <= len(roi.data) - 40 else 0


def _name(roi: _Bytes, second: int) -> str:
    at, length = (roi.number("i", second + 16), roi.number("i", second + 20)) if second else (0, 0)
    if at <= 0 or not 0 < length <= 1000 or at + 2 * length > len(roi.data):
        return ""
    return roi.data[at : at + 2 * length].decode("utf-16-be", "replace")


def _group(roi: _Bytes, second: int) -> int:
    return roi.number("B", second + 30) if second and roi.number("h", 4) >= 228 else 0


def _stroke_width(roi: _Bytes, second: int) -> float:
    """Return the width of the line; 0 where none was set."""
    exact = roi.get("f", second + 36)[0] if second else 0.0
    return exact if 0 < exact < 1e4 else float(roi.number("H", 34))


def _color(roi: _Bytes) -> str:
    value = roi.number("I", 40)
    return f"#{value & 0xFFFFFF:06x}" if value >> 24 else ""


def _plane(roi: _Bytes, second: int, image: Image) -> dict[str, int]:
    """Return the plane: from channel, slice and frame, or the number of the plane in the stack."""
    sizes = image.sizes
    z, t = (roi.number("i", second + 8), roi.number("i", second + 12)) if second else (0, 0)
    if not (z or t) and roi.number("i", 56) > 0:
        n_c, n_z = sizes.get("c", 1), sizes.get("z", 1)
        if image.rgb:
            n_c = 1  # colours are one plane to ImageJ
        rest = (roi.number("i", 56) - 1) // n_c
        z, t = rest % n_z + 1, rest // n_z + 1
    return {a: n - 1 for a, n in (("z", z), ("t", t)) if n > 0}


def _shape(roi: _Bytes, width: float) -> Shape:
    kind, subtype = roi.number("B", 6), roi.number("h", 48)
    if subtype in (TEXT, IMAGE) or kind == NO_ROI or kind > POINT:
        raise FormatError(f"{roi.where} is a text, a picture or empty, so it marks no pixels.")
    if roi.number("i", 36) > 0:
        return _composite(roi)
    if kind in (RECT, OVAL):
        x, y, w, h = _box(roi)
        return rectangle(x, y, w, h) if kind == RECT else Ellipse(x, y, w, h)
    centre = 0.0 if _sub_pixel(roi) else 0.5
    if kind == LINE:
        return Line(roi.array(">f4", 18, 4).reshape(2, 2) + centre, width)
    points = _points(roi)
    if kind in AREAS:
        return Area((points,))
    if kind == POINT:
        return Dots(points + centre, width)
    return Line(points + centre, width)


def _sub_pixel(roi: _Bytes) -> bool:
    return bool(roi.number("h", 50) & SUB_PIXEL) and roi.number("h", 4) >= 222


def _box(roi: _Bytes) -> tuple[float, ...]:
    """Return x, y, width and height."""
    if _sub_pixel(roi) and roi.number("h", 4) >= 223:
        return tuple(roi.array(">f4", 18, 4).tolist())
    top, left, bottom, right = roi.get("4h", 8)
    return left, top, right - left, bottom - top


def _points(roi: _Bytes) -> Points:
    """Return the points: relative whole numbers, or the absolute fractions that follow them."""
    n = roi.number("H", 16) or roi.number("i", 18)
    if _sub_pixel(roi):
        x, y = roi.array(">f4", 64 + 4 * n, 2 * n).reshape(2, n)
    else:
        top, left = roi.get("2h", 8)
        x, y = roi.array(">i2", 64, 2 * n).reshape(2, n)
        x, y = x + left, y + top
    return np.stack([x, y], axis=1)


def _composite(roi: _Bytes) -> Area:
    """Return an area made of paths of lines and curves."""
    values = roi.array(">f4", 64, roi.number("i", 36))
    rings: list[list[tuple[float, float]]] = []
    i = 0
    while i < len(values):
        kind = int(values[i])
        n = _VALUES_OF.get(kind, -1)
        if n < 0 or i + 1 + n > len(values) or (kind in (TO, QUADRATIC, CUBIC) and not rings):
            raise FormatError(f"{roi.where} has a path that cannot be followed.")
        points = values[i + 1 : i + 1 + n].reshape(-1, 2)
        if kind == MOVE:
            rings.append([])
        if kind in (QUADRATIC, CUBIC):
            points = _curve(np.vstack([rings[-1][-1:], points]))
        if n:
            rings[-1].extend((x, y) for x, y in points.tolist())
        i += 1 + n
    return Area(tuple(np.array(ring, dtype=np.float64).reshape(-1, 2) for ring in rings))


def _curve(control: Points, steps: int = 16) -> Points:
    """Return points on a Bézier curve, without its start (de Casteljau's construction)."""
    at = np.linspace(0, 1, steps + 1)[1:, None, None]
    level = np.broadcast_to(control, (steps, *control.shape))
    while level.shape[1] > 1:
        level = level[:, :-1] * (1 - at) + level[:, 1:] * at
    return np.asarray(level[:, 0])
