"""N5, folders of blocks as Java programs write them: every dataset is an image, read in blocks.

Axes are stored the fastest first (x, y, z), and named the other way round here. Blocks that are
missing hold zeros.
"""

from __future__ import annotations

import bz2
import json
import lzma
import math
import os
import stat
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import AXES, Image
from stroma.errors import FormatError, StromaError, short
from stroma.io.axes import Facts, arrange, asked, guess
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.series import Series, chosen
from stroma.io.units import in_one_unit

ATTRIBUTES = "attributes.json"
MAX_DATASETS = 4096
MAX_TEXT = 2**24
MAX_BLOCK = 2**31
"""Bytes of a block in memory (2 GiB)."""

KINDS = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
KINDS |= {"float32", "float64"}
VARIABLE = 1
"""Mode of blocks that say how many values they hold."""


@dataclass(frozen=True)
class Dataset:
    """What a dataset says of itself, the slowest axis first.

    Parameters
    ----------
    folder : Path
        Where its blocks are.
    shape, block : tuple of int
        Sides of the whole and of a block.
    dtype : numpy.dtype
        Type of the values, as they are stored.
    compression : mapping
        How blocks are packed.
    said : mapping
        All of its attributes.
    """

    folder: Path
    shape: tuple[int, ...]
    block: tuple[int, ...]
    dtype: np.dtype[Any]
    compression: Mapping[str, Any]
    said: Mapping[str, Any]


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the datasets of a folder that may be images."""
    try:
        return tuple(
            Series(i, name, dict(zip(_letters(one), one.shape, strict=True)))
            for i, (name, one) in enumerate(_datasets(path))
        )
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a dataset, read block by block.

    Raises
    ------
    FormatError
        If there is none, or it is damaged.
    """
    try:
        every = _datasets(path)
        if not every:
            raise FormatError(f"{path} has no dataset of numbers with two axes or more.")
        number, notes = chosen(path, series, [Series(i, n) for i, (n, _) in enumerate(every)])
        name, one = every[number]
        _unpacker(one, path)
        letters = asked(axes, one.shape, path) if axes else _letters(one)
        spacing, unit = _spacing(one, letters)
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error
    array = FileArray(open_dataset, path, {"name": name}, one.shape, one.dtype)
    return arrange(array, letters, Facts(spacing=spacing, unit=unit, notes=notes), path)


def open_dataset(path: Path, *, name: str) -> Opened:
    """Open a dataset, to be read in boxes."""
    one = _dataset(path / name, path)
    if one is None:
        raise FormatError(f"{path} has no dataset {short(name)!r} any more. Open it again.")
    return Blocks(one, path), None


class Blocks:
    """A dataset as an array, of which whole blocks are read.

    Parameters
    ----------
    told : Dataset
        What it says of itself.
    path : Path
        The folder of all datasets, for people.
    """

    def __init__(self, told: Dataset, path: Path) -> None:
        self.told, self.path = told, path
        self.shape, self.dtype = told.shape, told.dtype
        self._unpack = _unpacker(told, path)

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices with steps above 0."""
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (len(self.shape) - len(keys))
        ranges = [
            range(*k.indices(n)) if isinstance(k, slice) else range(k, k + 1)
            for k, n in zip(keys, self.shape, strict=True)
        ]
        first = [r.start for r in ranges]
        found = np.zeros([max(0, r.stop - r.start) for r in ranges], self.dtype)
        spans = [
            range(r.start // b, -(-max(r.stop, r.start) // b))
            for r, b in zip(ranges, self.told.block, strict=True)
        ]
        for place in product(*spans) if found.size else ():
            self._copy(place, first, found)
        steps = tuple(slice(None, None, r.step) for r in ranges)
        single = tuple(slice(None) if isinstance(k, slice) else 0 for k in keys)
        return found[steps][single]

    def _copy(self, place: Sequence[int], first: Sequence[int], found: NDArray[Any]) -> None:
        """Copy what a block has of a box."""
        values = self._block(place)
        if values is None:
            return
        start = [p * b for p, b in zip(place, self.told.block, strict=True)]
        to, of = [], []
        for a, f, n, m in zip(start, first, values.shape, found.shape, strict=True):
            low, high = max(a, f), min(a + n, f + m)
            if low >= high:
                return
            to.append(slice(low - f, high - f))
            of.append(slice(low - a, high - a))
        found[tuple(to)] = values[tuple(of)]

    def _block(self, place: Sequence[int]) -> NDArray[Any] | None:
        """Return the values of a block; None where there is none."""
        where = self.told.folder.joinpath(*(str(p) for p in reversed(place)))
        try:
            if not stat.S_ISREG(where.lstat().st_mode):
                raise FormatError(f"{where} is no file. Copy the image again.")
            data = where.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        mode, count = struct.unpack(">HH", data[:4])
        sides = struct.unpack(f">{count}I", data[4 : 4 + 4 * count])[::-1]
        wide = any(s > b for s, b in zip(sides, self.told.block, strict=False))
        if count != len(self.shape) or mode > VARIABLE or wide:
            raise FormatError(f"{where} is no block of its dataset. It is damaged.")
        size = math.prod(sides) * self.dtype.itemsize
        if size == 0:
            return None  # to zlib, 0 is no limit
        plain = self._unpack(data[4 + 4 * count + 4 * (mode == VARIABLE) :], size)
        if len(plain) < size:
            raise FormatError(f"{where} is cut short. Copy the image again.")
        return np.frombuffer(plain[:size], self.dtype).reshape(sides)


def _datasets(path: Path) -> list[tuple[str, Dataset]]:
    """Return the datasets of a folder by name; links to other places are not followed."""
    found: list[tuple[str, Dataset]] = []
    for folder, inside, files in os.walk(path):
        inside.sort(key=lambda n: (len(n), n))
        if ATTRIBUTES not in files:
            continue
        one = _dataset(Path(folder), path)
        if one is not None:
            found.append((Path(folder).relative_to(path).as_posix(), one))
            inside.clear()
        if len(found) >= MAX_DATASETS:
            break
    return found


def _dataset(folder: Path, path: Path) -> Dataset | None:
    """Return what a folder says that holds a dataset; None where it holds something else."""
    where = folder / ATTRIBUTES
    if not where.is_file():
        raise FormatError(f"{where} is no file. Copy the image again.")
    if where.stat().st_size > MAX_TEXT:
        raise FormatError(f"{where} is larger than {MAX_TEXT >> 20} MiB.")
    said = json.loads(where.read_text(encoding="utf-8"))
    if not isinstance(said, dict) or said.get("dataType") not in KINDS:
        return None
    shape = tuple(int(n) for n in reversed(said["dimensions"]))
    block = tuple(int(n) for n in reversed(said["blockSize"]))
    dtype = np.dtype(said["dataType"]).newbyteorder(">")
    if len(shape) < 2 or len(block) != len(shape) or min(block) < 1 or min(shape) < 1:
        return None
    if math.prod(block) * dtype.itemsize > MAX_BLOCK:
        raise FormatError(f"{path} has blocks of {block} values; up to {MAX_BLOCK >> 20} MiB fit.")
    kind = said.get("compression") or {"type": said.get("compressionType", "raw")}
    return Dataset(folder, shape, block, dtype, kind, said)


def _unpacker(one: Dataset, path: Path) -> Callable[[bytes, int], bytes]:
    """Return what unpacks blocks, no further than to the size that they are to have."""
    kind = str(one.compression.get("type"))
    if kind == "raw":
        return lambda data, size: data
    if kind == "gzip":
        wbits = zlib.MAX_WBITS if one.compression.get("useZlib") else zlib.MAX_WBITS | 16
        return lambda data, size: zlib.decompressobj(wbits).decompress(data, size)
    if kind == "bzip2":
        return lambda data, size: bz2.BZ2Decompressor().decompress(data, size)
    if kind == "xz":
        return lambda data, size: lzma.LZMADecompressor().decompress(data, size)
    if kind in ("zstd", "blosc"):
        from numcodecs import Blosc, Zstd

        codec = Zstd() if kind == "zstd" else Blosc()
        return lambda data, size: bytes(codec.decode(data, out=np.empty(size, np.uint8)))
    raise FormatError(
        f"{path} is packed with {short(kind)}, which is not read. Save it with gzip, bzip2, xz, "
        "blosc or zstd."
    )


def _letters(one: Dataset) -> str:
    """Return one letter per axis: as the dataset names them, or guessed."""
    named = one.said.get("axes")
    told = _transform(one).get("axes")
    letters = "".join(map(str, told or ())) or "".join(map(str, reversed(named or ())))
    low = letters.lower()
    if len(low) == len(one.shape) == len(set(low)) and {"y", "x"} <= set(low) <= set(AXES):
        return low
    guessed = guess(one.shape)
    return "tczyx"[-len(one.shape) :] if "s" in guessed else guessed


def _spacing(one: Dataset, letters: str) -> tuple[dict[str, float], str]:
    """Return the size of a pixel, in the words of the programs that write it."""
    told, pixel = _transform(one), one.said.get("pixelResolution")
    if told.get("scale"):
        sizes, units = told["scale"], told.get("units") or [""] * len(letters)
    elif isinstance(pixel, dict) and pixel.get("dimensions"):
        sizes = list(reversed(pixel["dimensions"]))
        units = [pixel.get("unit", "")] * len(sizes)
    elif one.said.get("resolution"):
        sizes = list(reversed(one.said["resolution"]))
        units = list(reversed(one.said.get("units") or [""] * len(sizes)))
    else:
        return {}, ""
    if len(sizes) != len(letters) or len(units) != len(letters):
        return {}, ""
    known = {
        a: (float(s), str(u))
        for a, s, u in zip(letters, sizes, units, strict=True)
        if a in "zyx" and 0 < float(s) < math.inf
    }
    return in_one_unit(known)


def _transform(one: Dataset) -> Mapping[str, Any]:
    found = one.said.get("transform")
    return found if isinstance(found, dict) else {}
