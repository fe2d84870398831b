"""Writing TIFF: for ImageJ where it can be, as OME where it cannot or is asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from stroma.errors import FormatError, ParameterError, ShapeError
from stroma.io.class_names import OME_CLASSES, to_text
from stroma.io.describe import Description
from stroma.io.units import convert, full_name

CLASSIC_BYTES = 2**32 - 2**25
"""Larger values get a BigTIFF, since classic TIFF counts bytes in 32 bits."""

_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_OME_TYPES = (*_IMAGEJ_TYPES, "bool", "int8", "int16", "int32", "uint32", "float64")
"""What ImageJ's and OME's files hold; they know no integers of 64 bits, and no floats of 16."""


def write(path: Path, array: Any, about: Description) -> None:
    """Write a TIFF: as ImageJ does for types it knows up to 4 GB, else as OME-TIFF."""
    if about.dtype in _IMAGEJ_TYPES and about.nbytes < CLASSIC_BYTES:
        _write_imagej(path, array, about)
    else:
        write_ome(path, array, about)


def write_ome(path: Path, array: Any, about: Description) -> None:
    """Write an OME-TIFF.

    Raises
    ------
    FormatError
        If a TIFF cannot hold the values.
    """
    values = _held(np.asarray(array))
    about = replace(about, dtype=values.dtype)
    axes = about.axes.upper()
    if about.rgb:
        values, axes = _samples_last(values, axes)
    tifffile.imwrite(
        path,
        values,
        ome=True,
        bigtiff=about.nbytes >= CLASSIC_BYTES,
        compression="zlib",
        photometric="rgb" if about.rgb else "minisblack",
        metadata=ome_metadata(about, axes),
        **resolution(about),
    )


def _held(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as a type that OME-TIFF has, the same ones."""
    if values.dtype.newbyteorder("=") in _OME_TYPES:
        return values
    if values.dtype.kind == "f":
        return values.astype(np.float32)  # of 16 bits
    low, high = (int(end(initial=0)) for end in (values.min, values.max))
    for kind in (np.int32, np.uint32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    raise FormatError(
        f"A TIFF holds integers of 32 bits, up to {np.iinfo(np.uint32).max}, got {low} to {high}. "
        "Write OME-Zarr instead."
    )


def ome_metadata(about: Description, axes: str) -> dict[str, Any]:
    """Return what tifffile puts into OME-XML."""
    said: dict[str, Any] = {"axes": axes}
    for axis in "xyz":
        if axis in about.spacing and about.unit:
            said[f"PhysicalSize{axis.upper()}"] = about.spacing[axis]
            said[f"PhysicalSize{axis.upper()}Unit"] = about.unit
    if "t" in about.spacing:
        said["TimeIncrement"] = about.spacing["t"]
    if about.channels and not about.rgb:
        said["Channel"] = {"Name": list(about.channels)}
    if about.classes:
        named = {str(c.label): f"{c.color} {c.name}" for c in about.classes}
        said["MapAnnotation"] = {"Namespace": OME_CLASSES, **named}
    return said


def resolution(about: Description) -> dict[str, Any]:
    """Return the resolution tags, in samples per centimetre."""
    if not about.unit or not {"x", "y"} <= set(about.spacing):
        return {}
    per_cm = tuple(1 / convert(about.spacing[a], about.unit, "cm") for a in "xy")
    return {"resolution": per_cm, "resolutionunit": "CENTIMETER"}


def _write_imagej(path: Path, array: Any, about: Description) -> None:
    values, axes = _imagej_order(np.asarray(array), about)
    said: dict[str, Any] = {"axes": axes}
    options: dict[str, Any] = {"photometric": "rgb" if axes.endswith("S") else "minisblack"}
    if about.unit and {"x", "y"} <= set(about.spacing):
        options["resolution"] = tuple(1 / about.spacing[a] for a in "xy")
        said["unit"] = "micron" if about.unit == "µm" else full_name(about.unit)
    if about.unit and "z" in about.spacing:
        said["spacing"] = about.spacing["z"]
    if "t" in about.spacing:
        said["finterval"] = about.spacing["t"]
    if about.channels and "c" in about.axes and not about.rgb:
        planes = int(np.prod(values.shape[:-2]))  # channels change fastest
        said["Labels"] = list(about.channels) * (planes // len(about.channels))
    if about.classes:
        said["Info"] = to_text(about.classes)
    if about.classes and about.dtype == np.uint8:
        said["LUTs"] = [_lookup_table(about)]
    tifffile.imwrite(path, values, imagej=True, compression="zlib", metadata=said, **options)


def _imagej_order(values: NDArray[Any], about: Description) -> tuple[Any, str]:
    """Turn tczyx into ImageJ's order TZCYX, colours last."""
    axes = about.axes.upper()
    if about.rgb and about.dtype == np.uint8:
        return _samples_last(values, axes)
    order = [a for a in "TZCYX" if a in axes]
    return values.transpose([axes.index(a) for a in order]), "".join(order)


def _samples_last(values: NDArray[Any], axes: str) -> tuple[Any, str]:
    turned = np.moveaxis(values, axes.index("C"), -1)
    return np.ascontiguousarray(turned), axes.replace("C", "") + "S"


def _lookup_table(about: Description) -> NDArray[Any]:
    table = np.zeros((3, 256), dtype=np.uint8)
    for c in about.classes:
        if c.label < 256:
            table[:, c.label] = c.rgb
    return table


class TiffBlocks:
    """A tiled BigTIFF, not compressed, whose tiles are written in place, in any order.

    Parameters
    ----------
    path : Path
        The file.
    about : Description
        What is written.
    chunks : sequence of int
        Size of a tile: multiples of 16 in y and x, 1 along other axes.
    new : bool
        Whether to create the file, of zeros.
    """

    def __init__(self, path: Path, about: Description, chunks: Sequence[int], *, new: bool) -> None:
        self._tile = tuple(chunks[-2:])
        self._shape = about.shape
        if any(c % 16 for c in self._tile) or max(chunks[:-2], default=1) > 1:
            raise ShapeError(
                f"Tiles of a TIFF are multiples of 16 in y and x, and 1 elsewhere; got {chunks}."
            )
        if new:
            _create_tiled(path, about, self._tile)
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            self._offsets = [page.dataoffsets for page in series]
            self._dtype = series.dtype.newbyteorder(file.byteorder)
        self._file = path.open("r+b")
        self._lock = threading.Lock()

    def put(self, box: tuple[slice, ...], values: NDArray[Any]) -> None:
        """Write the tiles of a block and wait until they are on the disk."""
        for inside, offset in self._tiles(box):
            tile = np.zeros(self._tile, self._dtype)
            part = values[inside]
            tile[: part.shape[0], : part.shape[1]] = part
            with self._lock:
                self._file.seek(offset)
                self._file.write(tile.tobytes())
        with self._lock:
            self._file.flush()
            os.fsync(self._file.fileno())

    def get(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Read what was written to a box."""
        values = np.zeros([s.stop - s.start for s in box], self._dtype.newbyteorder("="))
        for inside, offset in self._tiles(box):
            with self._lock:
                self._file.seek(offset)
                data = self._file.read(self._dtype.itemsize * self._tile[0] * self._tile[1])
            tile = np.frombuffer(data, self._dtype).reshape(self._tile)
            part = values[inside]
            part[:] = tile[: part.shape[0], : part.shape[1]]
        return values

    def finish(self) -> None:
        """Do nothing: a TIFF written in place gets no coarser levels."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _tiles(self, box: tuple[slice, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Iterate over the tiles of a block: place in the block, and byte in the file."""
        tiles_x = -(-self._shape[-1] // self._tile[1])
        starts = [
            range(s.start, s.stop, c)
            for s, c in zip(box, (1,) * (len(box) - 2) + self._tile, strict=True)
        ]
        for *outer, y, x in product(*starts):
            page = int(np.ravel_multi_index(tuple(outer), self._shape[:-2])) if outer else 0
            tile = (y // self._tile[0]) * tiles_x + x // self._tile[1]
            plane = tuple(i - s.start for i, s in zip(outer, box, strict=False))
            rows = slice(y - box[-2].start, y - box[-2].start + self._tile[0])
            columns = slice(x - box[-1].start, x - box[-1].start + self._tile[1])
            yield (*plane, rows, columns), self._offsets[page][tile]


def _create_tiled(path: Path, about: Description, tile: tuple[int, ...]) -> None:
    if about.dtype == bool:
        raise ParameterError("A TIFF is not written block by block in 1 bit; give uint8.")
    if about.dtype.newbyteorder("=") not in _OME_TYPES:
        other = "float32" if about.dtype.kind == "f" else "int32"
        raise ParameterError(
            f"A TIFF is not written block by block as {about.dtype}; give {other}, or write "
            "OME-Zarr."
        )
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as writer:
        writer.write(
            None,
            shape=about.shape,
            dtype=about.dtype,
            tile=tile,
            photometric="minisblack",
            metadata=ome_metadata(about, about.axes.upper()),
            **resolution(about),
        )
