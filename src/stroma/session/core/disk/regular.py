"""Opening only what belongs to a project: regular files, no links, nothing that waits or acts.

A project may be a stranger's. A link in it would let it read and cut files elsewhere; a FIFO would
make Stroma wait for ever; a device would do whatever it does.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from stroma.errors import FormatError

CAREFUL = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file if it is a regular one, and return its descriptor.

    Raises
    ------
    FormatError
        If it is something else: a link, a folder, a FIFO, a device; or, to be written, a file that
        has a name elsewhere too.
    OSError
        If it cannot be opened.
    """
    try:
        file = os.open(path, flags | CAREFUL, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EMLINK):
            raise _no_file(path) from error
        raise
    found = os.fstat(file)
    shared = found.st_nlink > 1 and flags & (os.O_RDWR | os.O_WRONLY)
    if not stat.S_ISREG(found.st_mode) or shared:
        os.close(file)
        raise _no_file(path)
    return file


def read_regular(path: Path, most: int) -> bytes:
    """Return what a regular file holds.

    Raises
    ------
    FormatError
        If it is no regular file, or has more bytes than ``most``.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise FormatError(f"{path} is larger than any file of a project.")
    return data


def require_regular(path: Path) -> None:
    """Check that something is a regular file.

    Raises
    ------
    FormatError
        If it is not.
    """
    os.close(open_regular(path))


def require_plain(folder: Path, *, rooms: tuple[str, ...]) -> None:
    """Check that there are only regular files and plain folders in a project.

    Parameters
    ----------
    folder : Path
        The project.
    rooms : tuple of str
        Folders that hold nothing but regular files.

    Raises
    ------
    FormatError
        If there is a link, a FIFO or a device; or anything but files in one of the rooms.
    """
    for path in folder.iterdir():
        _require(path, stat.S_ISREG, stat.S_ISDIR)
    for room in (folder / name for name in rooms):
        if room.exists() and not room.is_dir():
            raise FormatError(f"{room} is no folder. Restore the project from a backup.")
        for path in room.iterdir() if room.exists() else ():
            _require(path, stat.S_ISREG)


def _require(path: Path, *kinds: Callable[[int], bool]) -> None:
    mode = path.lstat().st_mode
    if not any(kind(mode) for kind in kinds):
        raise _no_file(path)


def _no_file(path: Path) -> FormatError:
    return FormatError(
        f"{path} is a link or no regular file, so that what is read or saved would be elsewhere. "
        f"Put a file in its place, or delete it if this project is not your own."
    )
