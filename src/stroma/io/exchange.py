"""Two folders that change names at once, so that there is no moment without either."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_HERE = -100
"""AT_FDCWD: paths are seen from the current folder."""

_SWAP = 2
"""RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS."""


def exchange(first: Path, second: Path) -> bool:
    """Let two files or folders change names; return False where the system cannot do it."""
    names = os.fsencode(first), os.fsencode(second)
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        return rename is not None and rename(_HERE, names[0], _HERE, names[1], _SWAP) == 0
    if sys.platform == "darwin":
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renamex_np", None)
        return rename is not None and rename(*names, _SWAP) == 0
    return False
