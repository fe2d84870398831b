"""Addresses of the web and of buckets, where paths are expected."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from stroma.errors import ParameterError, short

LONGEST = 2000
"""Letters of an address."""

_ADDRESS = re.compile(r"(https?|s3):/+([^/].*)")
_UNSEEN = re.compile(r"[\x00-\x20\x7f]")


def address_of(path: str | Path) -> str:
    """Return the address that a path stands for; "" where it is a path.

    A `Path` made of an address has lost a slash ("http:/host/image.zarr"), which is given back.
    """
    found = _ADDRESS.fullmatch(str(path).strip())
    return f"{found[1]}://{found[2].rstrip('/')}" if found else ""


def require_address(text: str) -> str:
    """Return an address as somebody typed it, if an image can be read from there.

    Raises
    ------
    ParameterError
        If it does not begin with http:// or https://, names no server, or carries what a project
        must not keep, or cannot: a password, or what follows ? or #.
    """
    given = text.strip()
    if len(given) > LONGEST:
        raise ParameterError(f"An address has up to {LONGEST} letters, got {len(given)}.")
    wrong = _wrong(given)
    if wrong:
        raise ParameterError(
            f"{short(given) or 'Nothing'} is no address of an image: {wrong}. Give that of the "
            "folder on the web server, as in https://server/folder/image.zarr"
        )
    return address_of(given)


def _wrong(given: str) -> str:
    """Return what is wrong with an address; "" where nothing is."""
    try:
        parts = urlsplit(given)
        parts.port  # noqa: B018 (raises where it is no number)
    except ValueError:
        return "it cannot be read"
    return next((said for found, said in _faults(given, parts) if found), "")


def _faults(given: str, parts: SplitResult) -> tuple[tuple[bool, str], ...]:
    return (
        (parts.scheme not in ("http", "https"), "it does not begin with http:// or https://"),
        (bool(_UNSEEN.search(given)), "it has spaces or characters that cannot be seen"),
        (not parts.hostname or not address_of(given), "it names no server"),
        (bool(parts.username or parts.password), "it carries a name or a password"),
        (bool(parts.query or parts.fragment), "what follows ? or # belongs to no folder"),
    )
