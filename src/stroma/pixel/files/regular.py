"""The bytes of a file that a person names, if it is a file and not too large."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from stroma.errors import FileError, FormatError, MissingFileError


def read_regular(path: Path, *, most: int, what: str) -> bytes:
    """Return the bytes of a regular file; neither waits for a pipe nor reads a device.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Bytes it may have.
    what : str
        What it is to be, for messages: "model file".

    Raises
    ------
    MissingFileError, FileError
        If it is not there, not a file, or cannot be read.
    FormatError
        If it is larger.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                raise FileError(f"Cannot read the {what} {path}: it is not a file.")
            data = file.read(most + 1)
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no {what} {path}.") from error
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"Cannot read the {what} {path}: {error.strerror or error}.") from error
    if len(data) > most:
        raise FormatError(f"{path} is larger than a {what} can be ({most:,} bytes).")
    return data
