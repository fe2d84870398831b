"""Memory that is free goes back to the system, where the C library would keep it."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")

OFTEN = 8
"""Blocks after which that is done: it takes some milliseconds."""


def freed(items: Iterable[Item], *, every: int = OFTEN) -> Iterator[Item]:
    """Yield items of much work each, and give memory back after some of them.

    Arrays of some megabytes lie between others that stay, and leave holes when they go, which glibc
    keeps for what fits: over hundreds of blocks that is as much again as is used.
    """
    for count, item in enumerate(items):
        if count and count % every == 0:
            give_back()
        yield item


def give_back() -> None:
    """Give memory that is free back to the system; does nothing where the C library cannot."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], Any] | None:
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[[int], Any] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found
