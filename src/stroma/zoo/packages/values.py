"""What descriptions say, whatever they say: parts of nested mappings and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def within(said: Any, *names: str) -> Mapping[str, Any]:
    """Return what a description has under names within names; nothing where it has no such."""
    for name in names:
        said = said.get(name) if isinstance(said, Mapping) else None
    return said if isinstance(said, Mapping) else {}


def listed(said: Any, name: str) -> Sequence[Any]:
    """Return the list that a description has under a name; nothing where it has no such."""
    found = said.get(name) if isinstance(said, Mapping) else None
    return found if isinstance(found, list) else []
