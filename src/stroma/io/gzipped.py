"""Values at a place of a file, which may be packed as a whole with gzip.

Plain files are read box by box where they lie. A packed one is unpacked at once, when it is first
read: it has no places to jump to.
"""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from stroma.errors import FormatError, short
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.raw import RawArray

MOST_PACKED = 1032
"""Bytes that a byte of a file may stand for: deflate packs no tighter."""

MOST_UNPACKED = 2**32
"""Bytes of values that are unpacked into memory (4 GiB)."""


def is_packed(path: Path) -> bool:
    """Tell whether a file is packed, by its name."""
    return path.suffix.lower() == ".gz"


def head(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, unpacked; fewer where it has no more.

    Raises
    ------
    FormatError
        If they cannot be unpacked.
    """
    try:
        with _open(path) as file:
            return file.read(size)
    except DAMAGE as error:
        raise damaged(path, error) from error


def values_at(path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> FileArray:
    """Return the array in C order that begins behind ``offset`` bytes, unpacked; reads nothing.

    Raises
    ------
    FormatError
        If the file declares more values than it can hold, or too many to unpack.
    """
    _check_length(path, offset, shape, dtype)
    told = {"offset": offset, "shape": shape, "dtype": dtype}
    return FileArray(open_values, path, told, shape, dtype)


def _check_length(path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse a file that declares more values than it can hold, or too many to unpack."""
    size, holds = math.prod(shape) * dtype.itemsize, path.stat().st_size
    if is_packed(path):
        holds *= MOST_PACKED
    if offset < 0 or any(n < 1 for n in shape) or offset + size > holds:
        raise FormatError(
            f"{path} is cut short or damaged: it declares {short(shape)} values of {dtype} behind "
            f"{short(offset)} bytes, and has {path.stat().st_size} bytes. Copy or export it again."
        )
    if is_packed(path) and size > MOST_UNPACKED:
        raise FormatError(
            f"{path} unpacks to {size / 2**30:.1f} GiB, more than the {MOST_UNPACKED >> 30} GiB "
            "that are held in memory. Unpack it (gunzip), and open what comes out: that is read "
            "in parts."
        )


def open_values(path: Path, *, offset: int, shape: tuple[int, ...], dtype: Any) -> Opened:
    """Open what `values_at` returned."""
    if not is_packed(path):
        raw = RawArray(path, offset, shape, dtype)
        return raw, raw.close
    values = np.empty(shape, dtype)
    into = memoryview(values.reshape(-1).view(np.uint8).data)
    with _open(path) as file:
        file.seek(offset)
        _fill(into, file, path)
    return values, None


def _fill(into: memoryview, file: IO[bytes], path: Path) -> None:
    done = 0
    while done < len(into):
        part = file.read(min(2**22, len(into) - done))
        if not part:
            raise FormatError(
                f"{path} is cut short: {done} of {len(into)} bytes of its values are there. Copy "
                "or export it again."
            )
        into[done : done + len(part)] = part
        done += len(part)


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if is_packed(path) else path.open("rb")
