"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stroma.errors import FileError, MissingFileError, StromaError, short
from stroma.io.exchange import exchange

ZARR_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
"""Files of which one lies in every folder that is a zarr group or array."""


REASONS = {
    errno.ENOSPC: ("the disk is full", "Make room, or write to another disk."),
    errno.EDQUOT: ("your share of the disk is used up", "Make room, or write to another disk."),
    errno.EROFS: ("the disk is read-only", "Write to another folder."),
    errno.EACCES: ("permission denied", "Write to a folder of your own."),
    errno.EPERM: ("permission denied", "Write to a folder of your own."),
    errno.ENAMETOOLONG: ("its name is too long", "Choose a shorter one."),
    errno.EISDIR: ("there is a folder of that name", "Choose another name."),
    errno.EIO: ("the disk does not answer", "Is it still connected?"),
}
"""What the system says, and what to do about it."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; what is there at the end takes its place.

    If the block raises, what was written is removed and ``path`` stays as it was.

    Raises
    ------
    MissingFileError
        If the folder of ``path`` does not exist.
    FileError
        If ``path`` is a folder that is no zarr, or cannot be written.
    """
    check_target(path)
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}.{path.name[-200:]}")
    try:
        with told(path):
            yield temporary
            move_into_place(temporary, path)
    finally:
        with suppress(OSError):  # the error that matters is on its way
            remove(temporary)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tell a failure of the system while a file is written with the name of the file.

    Raises
    ------
    FileError
        For any error of the system that is none of Stroma yet.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, StromaError):
            raise
        why, hint = REASONS.get(error.errno or 0, (error.strerror or short(error), ""))
        raise FileError(f"{path} cannot be written: {why}. {hint}".rstrip()) from error


def check_target(path: Path) -> None:
    """Refuse a path that cannot, or must not, be written."""
    recover(path)
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
    if not path.is_dir():
        temporary.replace(path)
    elif exchange(temporary, path):
        shutil.rmtree(temporary)
    else:
        old = _set_aside(path)
        remove(old)
        path.rename(old)
        temporary.rename(path)
        shutil.rmtree(old)
    flush(path.parent)


def recover(path: Path) -> None:
    """Give a folder its name back that was set aside when its replacement did not come."""
    old = _set_aside(path)
    if not path.exists() and old.is_dir():
        old.rename(path)


def _set_aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.replaced")


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
