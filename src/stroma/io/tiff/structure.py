"""Checks of a TIFF's skeleton before it is parsed: pages that loop, sizes that cannot be.

Sizes that a file declares are compared with its length before anything is allocated for them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stroma.errors import FormatError

MAX_SIDE = 2**31
MAX_TAGS = 4096
"""Tags of a page; real files have some dozens."""

FREE_BYTES = 2**28
"""Pieces that are decoded at once may have this size whatever the file's length (256 MiB)."""

MOST_PACKED = 4096
"""Bytes that one stored byte of a larger piece may stand for."""

FEW_PIECES = 4096
"""Strips or tiles that a page may declare beyond those it lists; some writers count wrongly."""

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES = 256, 257, 258, 259, 277
_STRIPS, _ROWS, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_LENGTH, _TILES = 322, 323, 324
_PLAIN = (_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _TILE_WIDTH, _TILE_LENGTH)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SIZES |= {13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class Form:
    """How a TIFF writes its numbers: byte order, and whether offsets have eight bytes."""

    order: str
    big: bool

    @property
    def head(self) -> struct.Struct:
        """The number of tags of a page."""
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def tag(self) -> struct.Struct:
        """Code, type, count, and value or offset."""
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))

    @property
    def offset(self) -> struct.Struct:
        """Where something lies."""
        return struct.Struct(self.order + ("Q" if self.big else "I"))


def check(path: Path) -> None:
    """Refuse a file whose pages loop, or declare what cannot be in it.

    Raises
    ------
    FormatError
        If so, or if it is no TIFF.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        form, first = _header(file, path)
        if path.suffix.lower() == ".ndpi":  # has offsets of its own kind
            return
        seen: set[int] = set()
        for offset, tags in _pages(file, form, first, size):
            if offset in seen:
                raise FormatError(f"{path} is damaged: its pages form a loop. Export it again.")
            seen.add(offset)
            _check_page(tags, size, path)
        if not seen:
            raise FormatError(f"{path} is cut short or damaged: it has no page. Copy it again.")


def _header(file: BinaryIO, path: Path) -> tuple[Form, int]:
    file.seek(0)
    start = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
    if not order or len(start) < 8:
        raise FormatError(f"{path} is not a TIFF, whatever its name says.")
    big = struct.unpack(order + "H", start[2:4])[0] == 43
    form = Form(order, big)
    if big and len(start) < 16:
        raise FormatError(f"{path} is cut short: it has {len(start)} bytes. Copy it again.")
    return form, form.offset.unpack(start[8:16] if big else start[4:8])[0]


def _pages(
    file: BinaryIO, form: Form, first: int, size: int
) -> Iterator[tuple[int, Mapping[int, tuple[int, int]]]]:
    """Iterate over the pages: where each lies, and its tags that matter (count, value).

    Ends where the chain leads out of the file.
    """
    offset = first
    while 0 < offset < size:
        file.seek(offset)
        head = file.read(form.head.size)
        if len(head) < form.head.size:
            return
        count = form.head.unpack(head)[0]
        body = file.read(min(count, MAX_TAGS) * form.tag.size + form.offset.size)
        if count > MAX_TAGS or len(body) < count * form.tag.size:
            return
        yield offset, _tags(body, count, form)
        rest = body[count * form.tag.size :]
        offset = form.offset.unpack(rest)[0] if len(rest) == form.offset.size else 0


def _tags(body: bytes, count: int, form: Form) -> dict[int, tuple[int, int]]:
    """Return number of values and first value of the tags that matter; -1 where it is not here."""
    found = {}
    for i in range(count):
        code, kind, n, held = form.tag.unpack_from(body, i * form.tag.size)
        if code not in _PLAIN and code not in (_STRIPS, _TILES):
            continue
        letter = _INTEGERS.get(kind, "")
        here = n * _SIZES.get(kind, 1) <= len(held) and letter and n > 0
        found[code] = n, struct.unpack_from(form.order + letter, held)[0] if here else -1
    return found


def _check_page(tags: Mapping[int, tuple[int, int]], size: int, path: Path) -> None:
    """Compare what a page declares with the length of the file."""
    value = {code: first for code, (_, first) in tags.items()}
    width, height = value.get(_WIDTH, 0), value.get(_LENGTH, 0)
    bits, samples = value.get(_BITS, 1), value.get(_SAMPLES, 1)
    if not (0 < width < MAX_SIDE and 0 < height < MAX_SIDE) or not bits or samples == 0:
        raise _impossible(path, width, height)
    bits, samples = max(bits, 8) if bits > 0 else 8, max(samples, 1)
    if bits > 64 * 8 or samples > 2**16:
        raise _impossible(path, width, height)
    side = _piece(value, width, height, path)
    bytes_of_piece = side[0] * side[1] * samples * bits // 8
    pieces = -(-width // side[1]) * -(-height // side[0])
    stored = max(tags.get(_TILES, (0, 0))[0], tags.get(_STRIPS, (0, 0))[0])
    if bytes_of_piece > FREE_BYTES and bytes_of_piece > MOST_PACKED * size:
        raise _impossible(path, width, height)
    absent = pieces - max(stored, 1)
    if absent > FEW_PIECES or (absent > 0 and pieces * bytes_of_piece > FREE_BYTES):
        raise _impossible(path, width, height)
    if max(stored, 1) > size:
        raise _impossible(path, width, height)


def _piece(value: Mapping[int, int], width: int, height: int, path: Path) -> tuple[int, int]:
    """Return rows and columns of what is compressed as one."""
    if _TILES in value or _TILE_WIDTH in value:
        rows, columns = value.get(_TILE_LENGTH, 0), value.get(_TILE_WIDTH, 0)
        if not (0 < rows < MAX_SIDE and 0 < columns < MAX_SIDE):
            raise FormatError(
                f"{path} is damaged: it says that its tiles have {rows} x {columns} pixels."
            )
        return rows, columns
    rows = value.get(_ROWS, height)
    return (min(rows, height) if rows > 0 else height), width


def _impossible(path: Path, width: int, height: int) -> FormatError:
    return FormatError(
        f"{path} is damaged, or made to mislead: it declares {height} x {width} pixels, which "
        "do not fit its length. Copy or export it again."
    )
