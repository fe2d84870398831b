"""HDF5, as ilastik, BigDataViewer and many scripts write it: every dataset is an image.

Only what lies in the file itself is read: links and values that lead to other files are not
followed, so that a file that somebody sent cannot show others.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py

from stroma.data.image import AXES, Image
from stroma.errors import FormatError, ShapeError, StromaError, short
from stroma.io.axes import Facts, arrange, asked, guess
from stroma.io.lazy import DAMAGE, FileArray, Opened, damaged
from stroma.io.series import Series, chosen

MAX_DATASETS = 4096
"""Datasets of a file that are listed."""

MAX_CHUNK = 2**31
"""Bytes of a chunk in memory; larger ones are refused (2 GiB)."""

MAX_SMALL = 2**24
"""Bytes of a dataset that describes others (16 MiB)."""

SIZES = "element_size_um"
"""Attribute in which plugins of ImageJ keep the size of a pixel, in µm, slowest axis first."""


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the datasets of a file that may be images."""
    try:
        with h5py.File(path, "r") as file:
            return tuple(
                Series(i, name, dict(zip(_letters(file[name]), file[name].shape, strict=True)))
                for i, name in enumerate(_names(file))
            )
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error


def number_of(path: Path, name: str) -> int:
    """Return the number of a dataset.

    Raises
    ------
    FormatError
        If there is none of that name.
    """
    listed = list_series(path)
    found = [one.number for one in listed if one.name == name.strip("/")]
    if not found:
        names = ", ".join(one.name for one in listed[:6]) or "none"
        raise FormatError(f"{path} has no dataset {short(name)!r}. It has {names}.")
    return found[0]


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a dataset, lazily.

    Raises
    ------
    FormatError
        If there is none, it is damaged, or its values lie in other files.
    """
    try:
        with h5py.File(path, "r") as file:
            listed = [Series(i, name) for i, name in enumerate(_names(file))]
            if not listed:
                raise FormatError(f"{path} has no dataset of numbers with two axes or more.")
            number, notes = chosen(path, series, listed)
            name = listed[number].name
            dataset = file[name]
            array = lazy(dataset, path)
            letters = asked(axes, array.shape, path) if axes else _letters(dataset)
            facts = Facts(*_spacing(dataset, letters), notes=notes)
        return arrange(array, letters, facts, path)
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error


def open_dataset(path: Path, *, name: str) -> Opened:
    """Open a dataset, to be read in boxes."""
    file = h5py.File(path, "r")
    return file[name], file.close


def held(group: Any, name: str) -> Any:
    """Return what lies in a group under a name, in this file; None where nothing does.

    Links to other places are not followed, not even to see what is there: they may lead to other
    files.

    Parameters
    ----------
    group : h5py.Group
        Where to look.
    name : str
        Steps with "/" between them.
    """
    for step in name.split("/"):
        there = isinstance(group, h5py.Group) and step not in ("", ".", "..")
        link = _link(group, step) if there else None
        if link != h5py.h5l.TYPE_HARD:
            return None
        group = group[step]
    return group


def _link(group: h5py.Group, step: str) -> int | None:
    try:
        kind: int = group.id.links.get_info(step.encode("utf-8", "surrogateescape")).type
    except (KeyError, RuntimeError, ValueError):
        return None
    return kind


def small(group: Any, name: str) -> Any:
    """Return the value of a dataset in a group; None where there is none.

    Raises
    ------
    FormatError
        If it is too large for what describes images, or lies in other files.
    """
    node = held(group, name)
    if not isinstance(node, h5py.Dataset):
        return None
    if node.nbytes > MAX_SMALL or node.external or node.is_virtual:
        raise FormatError(f"it holds {node.nbytes} bytes under {short(name)!r}, or none at all")
    return node[()]


def lazy(dataset: Any, path: Path) -> FileArray:
    """Return a dataset as an array that is read box by box.

    Raises
    ------
    FormatError
        If its values lie in other files, or its chunks would fill the memory.
    """
    _require_inside(dataset, path)
    shape, name = tuple(dataset.shape), dataset.name
    return FileArray(open_dataset, path, {"name": name}, shape, dataset.dtype)


def _names(file: h5py.File) -> list[str]:
    """Return the names of datasets of numbers; links that lead elsewhere are not followed."""
    found: list[str] = []

    def visit(name: str, node: Any) -> bool | None:
        image = isinstance(node, h5py.Dataset) and node.dtype.kind in "biuf" and node.ndim >= 2
        if image and node.size:
            found.append(name)
        return True if len(found) >= MAX_DATASETS else None

    file.visititems(visit)
    return found


def _require_inside(dataset: Any, path: Path) -> None:
    """Refuse values that lie in other files, and chunks that would fill the memory."""
    if dataset.external or dataset.is_virtual:
        raise FormatError(
            f"{path} keeps the values of {short(dataset.name)!r} in other files, which are not "
            "read. Copy them into one file: h5repack does."
        )
    size = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if dataset.chunks and size > MAX_CHUNK:
        raise FormatError(
            f"{path} has chunks of {dataset.chunks} samples; chunks up to {MAX_CHUNK >> 20} MiB "
            "are read. Save it in smaller ones."
        )


def _letters(dataset: Any) -> str:
    """Return one letter per axis: as ilastik or the file itself names them, or guessed."""
    shape = tuple(dataset.shape)
    named = tagged(dataset.attrs.get("axistags")) or "".join(dim.label for dim in dataset.dims)
    try:
        fits = {"y", "x"} <= set(named.lower()) <= set(AXES)
        return asked(named, shape, Path(dataset.file.filename)) if fits else guess(shape)
    except ShapeError:
        return guess(shape)


def tagged(tags: Any) -> str:
    """Return the letters in the axis tags of ilastik, which are JSON; "" where there are none."""
    text = tags.decode("utf-8", "replace") if isinstance(tags, bytes) else tags
    try:
        return "".join(str(axis["key"]).lower() for axis in json.loads(text)["axes"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def _spacing(dataset: Any, letters: str) -> tuple[dict[str, float], str]:
    """Return the size of a pixel along the axes of space, and its unit."""
    given = dataset.attrs.get(SIZES)
    space = [a for a in letters if a in "zyx"]
    try:
        sizes = [float(v) for v in given][-len(space) :]
    except (TypeError, ValueError):
        return {}, ""
    if len(sizes) != len(space) or not all(0 < s < math.inf for s in sizes):
        return {}, ""
    return dict(zip(space, sizes, strict=True)), "µm"
