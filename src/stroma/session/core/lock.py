"""One session per project: a lock that ends with the process that holds it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stroma.errors import FileError


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
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(self._file)
        except OSError as error:
            os.close(self._file)
            raise FileError(
                f"{folder} is open in another session of Stroma, perhaps in another tab, program "
                f"or computer. Close it there first, or make a copy of the folder."
            ) from error

    def release(self) -> None:
        """Give the project free."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _take(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
