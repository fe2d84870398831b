"""Zeiss' CZI: czifile knows the parts of the file, and they are put together here as they are read.

A file is a set of rectangles, each at its place along all axes. Every scene is an image; of the
pyramid only the finest level is read.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import czifile
import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import FormatError, MissingExtraError, StromaError, install
from stroma.io.axes import Facts, arrange, asked
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.microscopes.planes import Planes
from stroma.io.series import Series, chosen

SCENES, SAMPLES = "S", "0"
PLAIN = "TCZ"
COMPRESSED = {1: "JPEG", 2: "LZW", 4: "JPEG XR", 5: "Zstandard", 6: "Zstandard"}
BROKEN = (*DAMAGE, czifile.SegmentNotFoundError)
ZSTD, ZSTD_WITH_HEADER = 5, 6
SPLIT = 1
"""Flag of the header: bytes of a value lie apart, low ones first."""


@dataclass(frozen=True, eq=False)
class Tile:
    """A rectangle of a file.

    Parameters
    ----------
    at : mapping of str to int
        Place along the axes that are not of the plane.
    y, x : int
        First row and column.
    height, width : int
        Sides in pixels.
    entry : object
        What czifile knows of it.
    """

    at: Mapping[str, int]
    y: int
    x: int
    height: int
    width: int
    entry: Any


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that is known of one image of a file."""

    number: int
    sizes: dict[str, int]
    start: dict[str, int]
    tiles: list[Tile]
    dtype: np.dtype[Any]
    samples: int


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the scenes of a file."""
    with _opened(path) as file:
        scenes = _scenes(file, path)
        return tuple(Series(i, f"scene {s.number}", s.sizes) for i, s in enumerate(scenes))


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return a scene of a file, read rectangle by rectangle."""
    with _opened(path) as file:
        scenes = _scenes(file, path)
        listed = [Series(i, f"scene {s.number}", s.sizes) for i, s in enumerate(scenes)]
        number, notes = chosen(path, series, listed)
        scene = scenes[number]
        spacing, names = _described(file)
    shape, letters = tuple(scene.sizes.values()), "".join(scene.sizes)
    array = FileArray(open_scene, path, {"number": number}, shape, scene.dtype)
    kept = names if len(names) == scene.sizes.get("c", 1) else ()
    facts = Facts(spacing=spacing, unit="µm", channels=kept, notes=notes)
    return arrange(array, asked(axes, shape, path) if axes else letters, facts, path)


def open_scene(path: Path, *, number: int) -> Opened:
    """Open a scene, to be read in boxes."""
    file = _Checked(path)
    scene = _scenes(file.czi, path)[number]
    letters = [a for a in scene.sizes if a not in "yxs"]
    there: dict[tuple[int, ...], list[Tile]] = {}
    for tile in scene.tiles:
        place = tuple(tile.at.get(a.upper(), 0) - scene.start.get(a, 0) for a in letters)
        there.setdefault(place, []).append(tile)
    inner = [n for a, n in scene.sizes.items() if a in "yxs"]

    def plane(place: tuple[int, ...], cut: tuple[slice, ...]) -> NDArray[Any]:
        sides = [len(range(*k.indices(n))) for k, n in zip(cut, inner, strict=True)]
        found = np.zeros(sides, scene.dtype)
        for tile in there.get(place, ()):
            _paste(found, tile, scene, cut, path)
        return found

    return Planes(plane, [scene.sizes[a] for a in letters], inner, scene.dtype), file.close


class _Checked:
    """A file that says by name what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with warnings.catch_warnings(), ExitStack() as stack:
            warnings.simplefilter("ignore")  # of files that were not closed, which read
            try:
                self.czi = czifile.CziFile(str(path), detectmosaic=False)
                stack.callback(self.czi.close)
                list(self.czi.subblock_directory)
            except BROKEN as error:
                raise damaged(path, error) from error
            stack.pop_all()

    def close(self) -> None:
        """Close it."""
        self.czi.close()


class _opened:
    """A file while it is looked at; what its bytes raise is told by its name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Any:
        self.file = _Checked(self.path)
        return self.file.czi

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.file.close()
        if isinstance(error, StromaError) or error is None:
            return
        if isinstance(error, BROKEN):
            raise damaged(self.path, error) from error


def _scenes(file: Any, path: Path) -> list[Scene]:
    """Return the scenes of a file, with their rectangles."""
    tiles: dict[int, list[Tile]] = {}
    for entry in file.subblock_directory:
        tile = _tile(entry)
        if tile is not None:
            tiles.setdefault(tile.at.get(SCENES, 0), []).append(tile)
    if not tiles:
        raise FormatError(f"{path} holds no image.")
    return [_scene(number, tiles[number], path) for number in sorted(tiles)]


def _tile(entry: Any) -> Tile | None:
    """Return a rectangle; None where it is of a coarser level of the pyramid."""
    dims = {d.dimension: d for d in entry.dimension_entries}
    if entry.stored_shape != entry.shape or not {"Y", "X"} <= set(dims):
        return None
    at = {name: int(d.start) for name, d in dims.items() if name not in "YXM"}
    y, x = dims["Y"], dims["X"]
    return Tile(at, int(y.start), int(x.start), int(y.size), int(x.size), entry)


def _scene(number: int, tiles: list[Tile], path: Path) -> Scene:
    low, sizes = {}, {}
    more = {a for tile in tiles for a in tile.at} - {*PLAIN, SCENES}
    for name in (*more, *PLAIN):
        places = [tile.at[name] for tile in tiles if name in tile.at]
        if places:
            low[name.lower()] = min(places)
            sizes[name.lower()] = max(places) - min(places) + 1
    wide = [name for name in more if sizes[name.lower()] > 1]
    if wide:
        raise FormatError(
            f"{path} has axes {', '.join(sorted(wide))} beside t, c, z, y and x (illuminations, "
            "rotations, views, phases). Export one of them."
        )
    ours = {a: sizes[a] for a in "tcz" if sizes.get(a, 1) > 1}
    low |= {"y": min(t.y for t in tiles), "x": min(t.x for t in tiles)}
    ours["y"] = max(t.y + t.height for t in tiles) - low["y"]
    ours["x"] = max(t.x + t.width for t in tiles) - low["x"]
    kinds = {str(t.entry.dtype) for t in tiles}
    dtype = np.result_type(*(np.dtype(k).base for k in kinds))
    samples = max(int(t.entry.shape[-1]) for t in tiles)
    if dtype.kind == "c" or samples not in (1, 3, 4) or len(kinds) > 1:
        raise FormatError(f"{path} holds values of kinds {', '.join(sorted(kinds))}, not read.")
    return Scene(
        number, {**ours, **({"s": samples} if samples > 1 else {})}, low, tiles, dtype, samples
    )


def _paste(
    found: NDArray[Any], tile: Tile, scene: Scene, cut: tuple[slice, ...], path: Path
) -> None:
    """Write what a rectangle has within a box of its plane."""
    rows, columns = (range(*k.indices(n)) for k, n in zip(cut, (2**62, 2**62), strict=False))
    top, left = tile.y - scene.start["y"], tile.x - scene.start["x"]
    inner = [
        _overlap(r, a, n) for r, a, n in ((rows, top, tile.height), (columns, left, tile.width))
    ]
    if any(part is None for part in inner):
        return
    (to_y, from_y), (to_x, from_x) = inner  # type: ignore[misc]
    values = pixels(tile.entry, path).reshape(tile.height, tile.width, -1)
    part = values[from_y, from_x]
    found[to_y, to_x] = part[..., cut[2]] if len(cut) > 2 else part[..., 0]


def _overlap(wanted: range, start: int, count: int) -> tuple[slice, slice] | None:
    """Return where in a range, and where in a side that starts somewhere, they share positions."""
    step = wanted.step
    first = max(0, -(-(start - wanted.start) // step))
    last = min(len(wanted), -(-(start + count - wanted.start) // step))
    if first >= last:
        return None
    begin = wanted.start + first * step - start
    return slice(first, last), slice(begin, begin + (last - first - 1) * step + 1, step)


def pixels(entry: Any, path: Path) -> NDArray[Any]:
    """Return the values of a rectangle.

    Raises
    ------
    FormatError
        If they are compressed in a way that is not read.
    MissingExtraError
        If what decodes them is not installed.
    """
    segment = entry.data_segment()
    if entry.compression not in (ZSTD, ZSTD_WITH_HEADER):
        if entry.compression and entry.compression not in czifile.czifile.DECOMPRESS:
            kind = COMPRESSED.get(entry.compression, str(entry.compression))
            raise FormatError(f"{path} is compressed with {kind}, which is not read. Export it.")
        return np.asarray(segment.data(resize=False))
    try:
        import imagecodecs
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{path} is compressed with Zstandard. Install {error.name}: {install('formats')}"
        ) from error
    data = bytes(segment.data(raw=True))
    split = False
    if entry.compression == ZSTD_WITH_HEADER:
        split = data[0] > 1 and data[1] == 1 and bool(data[2] & SPLIT)
        data = data[data[0] :]
    base = np.dtype(entry.dtype).base
    size = math.prod(map(int, entry.shape)) * base.itemsize
    plain = np.frombuffer(imagecodecs.zstd_decode(data, out=size), np.uint8)
    if split:
        plain = plain.reshape(2, -1).T.ravel()
    values: NDArray[Any] = np.ascontiguousarray(plain).view(base).reshape(entry.shape)
    return values[..., ::-1] if entry.shape[-1] == 3 else values


def _described(file: Any) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the size of a pixel in µm, and the names of the channels, as far as told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = file.metadata()
    try:
        root = ElementTree.fromstring(text or "<a/>")
    except ElementTree.ParseError:
        return {}, ()
    spacing = {}
    for one in root.iterfind(".//Scaling/Items/Distance"):
        letter, value = one.get("Id", "").lower(), one.findtext("Value", "")
        if letter in ("x", "y", "z") and value:
            spacing[letter] = round(float(value) * 1e6, 9)
    names = [c.get("Name", "") for c in root.iterfind(".//Image/Dimensions/Channels/Channel")]
    return {a: s for a, s in spacing.items() if s > 0}, tuple(names)
