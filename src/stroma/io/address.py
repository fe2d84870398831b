"""Addresses of the web, where paths are expected."""

from __future__ import annotations

import re
from pathlib import Path

_ADDRESS = re.compile(r"(https?):/+([^/].*)")


def address_of(path: str | Path) -> str:
    """Return the address that a path stands for; "" where it is a path.

    A `Path` made of an address has lost a slash ("http:/host/image.zarr"), which is given back.
    """
    found = _ADDRESS.fullmatch(str(path).strip())
    return f"{found[1]}://{found[2].rstrip('/')}" if found else ""
