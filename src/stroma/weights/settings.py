"""Settings of other programs, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stroma.errors import FormatError, short

MAX_TEXT = 2**24
"""Bytes of a file of settings (16 MiB)."""

MAX_YAML = 2**16
"""Bytes of one in YAML, which takes long to read (64 KiB)."""

MAX_VALUES = 10_000
"""Values of a short text in YAML; a longer one has as many as characters at most."""


class _Loader(yaml.SafeLoader):
    """Reads YAML in which nothing is merged, which is how few bytes unfold to many."""

    def flatten_mapping(self, node: Any) -> None:
        """Leave "<<" as it is; there is no value like it."""


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


def yaml_of(path: Path) -> Mapping[str, Any]:
    """Return a file of settings in YAML: names, numbers, texts and lists.

    Raises
    ------
    FormatError
        If it is damaged, or too large for settings.
    """
    if path.stat().st_size > MAX_YAML:
        raise FormatError(f"{path} is larger than {MAX_YAML >> 10} KiB; settings are short.")
    try:
        found = values_in(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"{path} is damaged: {short(error)}") from error
    if not isinstance(found, dict):
        raise FormatError(f"{path} holds no settings.")
    return found


def values_in(text: str | bytes) -> Any:
    """Return what is written in YAML: names, numbers, texts and lists, no more than it looks.

    Raises
    ------
    yaml.YAMLError, ValueError, TypeError, RecursionError
        If it is damaged, or its parts refer to each other until they are many.
    """
    found = yaml.load(text, _Loader)
    _require_few(found, max(MAX_VALUES, len(text)))
    return found


def _require_few(found: Any, most: int) -> None:
    """Refuse values that refer to each other, and so are more than they look."""
    waiting, count = [found], 0
    while waiting and count <= most:
        value, count = waiting.pop(), count + 1
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | set | tuple):
            waiting += value
    if count > most:
        raise ValueError(f"it unfolds to more than {most} values")
