"""One session per project: a lock that ends with the process that holds it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from weakref import WeakSet

from stroma.errors import FileError
from stroma.session.core.disk.regular import open_regular

NAME = "lock"


class Lock:
    """The lock on a project's folder.

    Parameters
    ----------
    folder : Path
        Of the project.

    Raises
    ------
    FileError
        If another session has it.
    FormatError
        If the lock is no regular file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = open_regular(folder / NAME, os.O_RDWR | os.O_CREAT)
        try:
            _take(self._file)
        except OSError as error:
            os.close(self._file)
            raise FileError(
                f"{folder} is open in another session of Stroma, perhaps in another tab, program "
                f"or computer. Close it there first, or make a copy of the folder."
            ) from error
        _HELD.add(self)

    @property
    def is_held(self) -> bool:
        """Whether the lock is still the one that others would find."""
        try:
            return os.path.samestat(os.fstat(self._file), os.lstat(self.folder / NAME))
        except OSError:
            return False

    def release(self) -> None:
        """Give the project free, also if a child of this process still has the file open."""
        if self._file >= 0:
            _give(self._file)
            self.forget()

    def forget(self) -> None:
        """Close the file, as a child does that has nothing to do with its parent's projects."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_HELD: WeakSet[Lock] = WeakSet()


def _forget_all() -> None:
    for lock in list(_HELD):
        lock.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _take(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _give(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)
