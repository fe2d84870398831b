"""What only Bio-Formats reads, a program in Java: bioio-bioformats starts it and asks it for tiles.

The package gets Java and Bio-Formats itself when it is first used, where there is a network.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jpype
import numpy as np
from bioio_base.exceptions import UnsupportedFileFormatError
from bioio_bioformats import Reader
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import MissingExtraError, StromaError, short
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.series import Series, chosen
from stroma.io.units import in_one_unit, seconds

BROKEN = (*DAMAGE, jpype.JException, UnsupportedFileFormatError)


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the images of a file."""
    with _running(path):
        return tuple(_listed(_open(path)))


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return an image of a file, read by tiles; of pyramids the finest level."""
    with _running(path):
        reader = _open(path)
        listed = _listed(reader)
        number, notes = chosen(path, series, listed)
        there = _array(reader, number)
        letters, shape = "".join(there.dims).lower(), tuple(map(int, there.shape))
        facts = _facts(reader, number, dict(zip(letters, shape, strict=True)), notes)
    array = FileArray(open_image, path, {"number": number}, shape, np.dtype(there.dtype))
    return arrange(array, asked(axes, shape, path) if axes else letters, facts, path)


def open_image(path: Path, *, number: int) -> Opened:
    """Open an image of a file, to be read in boxes."""
    with _running(path):
        tiles = _Tiles(_array(_open(path), number))
    return tiles, tiles.close


class _Tiles:
    """An array of dask that is read by one thread at a time, as Java's readers want it."""

    def __init__(self, array: Any) -> None:
        self._array = array.data
        self.shape, self.dtype = tuple(array.shape), np.dtype(array.dtype)
        self._lock = threading.Lock()

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices; the tiles that it touches are decoded."""
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (len(self.shape) - len(keys))
        whole = tuple(_without_step(k, n) for k, n in zip(keys, self.shape, strict=True))
        steps = tuple(slice(None, None, k.step) for k in keys if isinstance(k, slice))
        with self._lock:
            try:
                found = self._array[whole].compute(scheduler="synchronous")
            except jpype.JException as error:
                raise OSError(str(error)) from error
        values: NDArray[Any] = np.asarray(found)[steps]
        return values

    def close(self) -> None:
        """Let go of the file, which is open only while it is read."""
        self._array = None


def _without_step(key: Any, count: int) -> Any:
    """Return a key that Bio-Formats can answer: all samples between the first and the last."""
    return slice(*key.indices(count)[:2]) if isinstance(key, slice) else key


@contextmanager
def _running(path: Path) -> Iterator[None]:
    """Start Bio-Formats; what it raises then is told by the name of the file.

    Raises
    ------
    MissingExtraError
        If there is no Java, or no Bio-Formats, and they cannot be fetched.
    FormatError
        If Bio-Formats cannot read the file.
    """
    try:
        Reader.bioformats_version()
    except Exception as error:  # of downloads, archives and Java: each has its own
        raise MissingExtraError(
            f"{path} is read by Bio-Formats, which did not start: {short(error, 200)}. It gets "
            "itself and Java when it is first used: connect to a network and try again."
        ) from error
    try:
        yield
    except StromaError:
        raise
    except BROKEN as error:
        cause = error.__cause__  # what Java said, where the package says less
        raise damaged(path, cause if isinstance(cause, Exception) else error) from error


def _open(path: Path) -> Any:
    return Reader(path, dask_tiles=True)


def _array(reader: Any, number: int) -> Any:
    """Return an image without axes of one sample, of which nothing is read yet."""
    reader.set_scene(number)
    array = reader.xarray_dask_data
    return array.squeeze([a for a in "TCZ" if array.sizes[a] == 1])


def _listed(reader: Any) -> list[Series]:
    """Return the images of a file, as their metadata tell: arrays of all would take minutes."""
    images = reader.ome_metadata.images
    return [
        Series(i, name, _sizes(one.pixels))
        for i, (name, one) in enumerate(zip(reader.scenes, images, strict=True))
    ]


def _sizes(pixels: Any) -> dict[str, int]:
    """Return sizes by our letters; what OME counts as channels are samples of colours, too."""
    samples = int(pixels.channels[0].samples_per_pixel or 1) if pixels.channels else 1
    told = {a: int(getattr(pixels, f"size_{a}")) for a in "tczyx"}
    told["c"] //= samples
    kept = {a: n for a, n in told.items() if n > 1 or a in "yx"}
    return {**kept, "s": samples} if samples > 1 else kept


def _facts(reader: Any, number: int, sizes: Mapping[str, int], notes: Sequence[str]) -> Facts:
    """Return what is told of an image: the size of a pixel, time and names of channels."""
    pixels = reader.ome_metadata.images[number].pixels
    told = {a: _told(pixels, f"physical_size_{a}") for a in "zyx"}
    spacing, unit = in_one_unit(told)
    step = seconds(*_told(pixels, "time_increment"))
    if step and sizes.get("t", 1) > 1:
        spacing["t"] = step
    names = tuple(one.name or "" for one in pixels.channels)
    known = names if len(names) == sizes.get("c", 1) and any(names) else ()
    return Facts(spacing=spacing, unit=unit, channels=known, notes=notes)


def _told(pixels: Any, name: str) -> tuple[float, str]:
    """Return a number and its unit; 0 where nothing is told."""
    return float(getattr(pixels, name) or 0), str(getattr(pixels, f"{name}_unit").value)
