"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stroma.errors import FileError, MissingFileError

ZARR_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
"""Files of which one lies in every folder that is a zarr group or array."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; what is there at the end takes its place.

    If the block raises, what was written is removed and ``path`` stays as it was.

    Raises
    ------
    MissingFileError
        If the folder of ``path`` does not exist.
    FileError
        If ``path`` is a folder that is no zarr.
    """
    check_target(path)
    temporary = path.with_name(f".{uuid.uuid4().hex}.{path.name}")
    try:
        yield temporary
        move_into_place(temporary, path)
    finally:
        remove(temporary)


def check_target(path: Path) -> None:
    """Refuse a path that cannot, or must not, be written."""
    if not path.parent.is_dir():
        raise MissingFileError(f"There is no folder {path.parent} to write {path.name} to.")
    if path.is_dir() and any(path.iterdir()) and not is_zarr(path):
        raise FileError(f"{path} is a folder that is no zarr, so it is not overwritten.")


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a zarr group or array."""
    return any((path / mark).is_file() for mark in ZARR_MARKS)


def move_into_place(temporary: Path, path: Path) -> None:
    """Give a finished file or folder its name, replacing what had it."""
    flush(temporary)
    if path.is_dir():
        old = path.with_name(f".{uuid.uuid4().hex}.{path.name}")
        path.rename(old)
        temporary.rename(path)
        shutil.rmtree(old)
    else:
        temporary.replace(path)
    flush(path.parent)


def flush(path: Path) -> None:
    """Make sure that a file is on the disk (for a folder: its list of names, where possible)."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
