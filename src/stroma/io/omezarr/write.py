"""Writing OME-Zarr: the array, its pyramid and its metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from stroma.io.atomic import flush
from stroma.io.describe import Description
from stroma.io.units import full_name

SIDE = 512
"""Side of a chunk; levels are added until y and x fit in one."""
VERSIONS = {"0.4": 2, "0.5": 3}
"""Version of OME-Zarr -> version of zarr."""

_TYPES = {"t": "time", "c": "channel"}
_COLOURS = ("FF0000", "00FF00", "0000FF", "FFFF00", "FF00FF", "00FFFF")


def write(path: Path, array: Any, about: Description, *, version: str = "0.4") -> None:
    """Write an OME-Zarr with its pyramid, reading ``array`` block by block."""
    chunks = default_chunks(about)
    target = create(path, about, chunks, version)
    for box in boxes(about.shape, chunks):
        target[box] = np.asarray(array[box])
    finish(path, about)


def default_chunks(about: Description) -> tuple[int, ...]:
    """Return one plane of at most ``SIDE`` squared per chunk."""
    sizes = about.sizes
    return tuple(max(1, min(SIDE, sizes[a])) if a in "yx" else 1 for a in about.axes)


def create(path: Path, about: Description, chunks: Sequence[int], version: str) -> zarr.Array[Any]:
    """Create an empty image with one level; nothing of it is in memory."""
    group = zarr.open_group(path, mode="w", zarr_format=VERSIONS[version])  # type: ignore[arg-type]
    return _add_level(group, 0, about.shape, about, chunks)


def boxes(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Iterate over the chunks of an array."""
    starts = [range(0, n, c) for n, c in zip(shape, chunks, strict=True)]
    for corner in product(*starts):
        yield tuple(slice(i, min(i + c, n)) for i, c, n in zip(corner, chunks, shape, strict=True))


class ZarrBlocks:
    """An OME-Zarr that is written block by block; see :mod:`stroma.io.blockwise.writer`."""

    def __init__(
        self, path: Path, about: Description, chunks: Sequence[int], version: str, *, new: bool
    ) -> None:
        self._path = path
        self._about = about
        if new:
            create(path, about, chunks, version)
        array = zarr.open_group(path, mode="r+")["0"]
        assert isinstance(array, zarr.Array)
        self._array = array

    def put(self, box: tuple[slice, ...], values: NDArray[Any]) -> None:
        """Write one block of whole chunks and wait until it is on the disk."""
        self._array[box] = values
        for chunk in self._chunk_files(box):
            if chunk.exists():  # chunks of zeros only have no file
                flush(chunk)

    def get(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Read what was written to a box."""
        return np.asarray(self._array[box])

    def finish(self) -> None:
        """Add coarser levels and metadata."""
        finish(self._path, self._about)

    def close(self) -> None:
        """Do nothing: zarr keeps no file open."""

    def _chunk_files(self, box: tuple[slice, ...]) -> Iterator[Path]:
        spans = [
            range(s.start // c, -(-s.stop // c))
            for s, c in zip(box, self._array.chunks, strict=True)
        ]
        for position in product(*spans):
            yield self._path / "0" / self._array.metadata.encode_chunk_key(position)


def finish(path: Path, about: Description) -> None:
    """Add the coarser levels and the metadata."""
    group = zarr.open_group(path, mode="r+")
    fine = group["0"]
    assert isinstance(fine, zarr.Array)
    levels = [fine]
    yx = [i for i, a in enumerate(about.axes) if a in "yx"]
    while max(levels[-1].shape[i] for i in yx) > SIDE:
        levels.append(_coarser(group, levels, about, yx))
    _describe(group, about, levels)


def _add_level(
    group: zarr.Group, level: int, shape: Sequence[int], about: Description, chunks: Sequence[int]
) -> zarr.Array[Any]:
    v3 = group.metadata.zarr_format == 3
    return group.create_array(
        str(level),
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype=about.dtype,
        fill_value=0,
        overwrite=True,
        chunk_key_encoding={"name": "default" if v3 else "v2", "separator": "/"},
        dimension_names=tuple(about.axes) if v3 else None,
    )


def _coarser(
    group: zarr.Group, levels: Sequence[zarr.Array[Any]], about: Description, yx: Sequence[int]
) -> zarr.Array[Any]:
    """Add a level of half the size, chunk by chunk."""
    fine = levels[-1]
    shape = [-(-n // 2) if i in yx else n for i, n in enumerate(fine.shape)]
    chunks = [min(c, n) for c, n in zip(fine.chunks, shape, strict=True)]
    coarse = _add_level(group, len(levels), shape, about, chunks)
    for box in boxes(shape, chunks):
        source = tuple(
            slice(s.start * 2, min(s.stop * 2, fine.shape[i])) if i in yx else s
            for i, s in enumerate(box)
        )
        coarse[box] = halve(np.asarray(fine[source]), yx, mean=not about.labels)
    return coarse


def halve(values: NDArray[Any], axes: Sequence[int], *, mean: bool) -> NDArray[Any]:
    """Return every second sample along some axes, or the mean of pairs (an odd last one alone)."""
    if not mean:
        return values[
            tuple(slice(None, None, 2) if i in axes else slice(None) for i in _all(values))
        ]
    pairs = values.astype(np.float64)
    for axis in axes:
        odd = [(0, pairs.shape[i] % 2 if i == axis else 0) for i in _all(values)]
        even = np.pad(pairs, odd, mode="edge")
        first = np.take(even, range(0, even.shape[axis], 2), axis=axis)
        pairs = (first + np.take(even, range(1, even.shape[axis], 2), axis=axis)) / 2
    rounded = np.rint(pairs) if values.dtype.kind in "biu" else pairs
    return rounded.astype(values.dtype)


def _all(values: NDArray[Any]) -> range:
    return range(values.ndim)


def _describe(group: zarr.Group, about: Description, levels: Sequence[zarr.Array[Any]]) -> None:
    v3 = group.metadata.zarr_format == 3
    version = "0.5" if v3 else "0.4"
    scales: dict[str, Any] = {
        "axes": [_axis(a, about) for a in about.axes],
        "datasets": [_dataset(i, about) for i in range(len(levels))],
        "name": "labels" if about.labels else "image",
        "type": "nearest" if about.labels else "mean",
    }
    said: dict[str, Any] = {"multiscales": [scales]}
    if about.labels:
        said["image-label"] = _image_label(about)
    else:
        said["omero"] = {"channels": _channels(about, levels[-1])}
    if v3:
        group.attrs["ome"] = {"version": version, **said}
        return
    scales["version"] = version
    for part in ("image-label", "omero"):
        if part in said:
            said[part]["version"] = version
    group.attrs.update(said)


def _axis(axis: str, about: Description) -> dict[str, str]:
    said = {"name": axis, "type": _TYPES.get(axis, "space")}
    unit = full_name(about.unit) if axis in "zyx" else "second" if axis == "t" else ""
    return said | ({"unit": unit} if unit and axis in about.spacing else {})


def _dataset(level: int, about: Description) -> dict[str, Any]:
    """Return size and place of a level; means lie between the samples they were taken of."""
    factor = [2.0**level if a in "yx" else 1.0 for a in about.axes]
    step = [about.spacing.get(a, 1.0) for a in about.axes]
    place: list[dict[str, Any]] = [
        {"type": "scale", "scale": [f * s for f, s in zip(factor, step, strict=True)]}
    ]
    if level and not about.labels:
        shift = [(f - 1) / 2 * s for f, s in zip(factor, step, strict=True)]
        place.append({"type": "translation", "translation": shift})
    return {"path": str(level), "coordinateTransformations": place}


def _image_label(about: Description) -> dict[str, Any]:
    return {
        "colors": [{"label-value": c.label, "rgba": [*c.rgb, 255]} for c in about.classes],
        "properties": [{"label-value": c.label, "name": c.name} for c in about.classes],
    }


def _channels(about: Description, coarsest: zarr.Array[Any]) -> list[dict[str, Any]]:
    """Return names, colours and display ranges, from the values of the coarsest level."""
    n = about.sizes.get("c", 1)
    names = ("Red", "Green", "Blue") if about.rgb else about.channels
    values = np.asarray(coarsest[:])
    axis = about.axes.find("c")
    parts = [values] if axis < 0 else list(np.moveaxis(values, axis, 0))
    limits = np.iinfo(about.dtype) if about.dtype.kind in "iu" else None
    return [
        {
            "label": names[i] if names else f"channel {i + 1}",
            "color": "FFFFFF" if n == 1 else _COLOURS[i % len(_COLOURS)],
            "active": True,
            "window": {
                "min": float(limits.min) if limits else 0.0,
                "max": float(limits.max) if limits else 1.0,
                "start": 0.0 if about.rgb else float(part.min()),
                "end": 255.0 if about.rgb and about.dtype == np.uint8 else float(part.max()),
            },
        }
        for i, part in enumerate(parts)
    ]
