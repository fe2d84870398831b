"""Settings of other programs, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stroma.errors import FormatError, short

MAX_TEXT = 2**24
"""Bytes of a file of settings (16 MiB)."""


def json_of(path: Path) -> Mapping[str, Any]:
    """Return a file of settings.

    Raises
    ------
    FormatError
        If it is damaged, or too large for settings.
    """
    if path.stat().st_size > MAX_TEXT:
        raise FormatError(f"{path} is larger than {MAX_TEXT >> 20} MiB; settings are short.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is damaged: {short(error)}") from error
    if not isinstance(found, dict):
        raise FormatError(f"{path} holds no settings.")
    return found
