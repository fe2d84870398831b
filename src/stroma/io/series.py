"""Files that hold several images: which ones there are, and how to say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stroma.errors import FormatError, short

SHOWN = 6
"""Images of a file that a message names."""


@dataclass(frozen=True)
class Series:
    """One image of a file.

    Parameters
    ----------
    number : int
        What ``read_image(path, series=...)`` calls it.
    name : str
        What the file calls it; empty where it says nothing.
    sizes : mapping of str to int
        Number of samples along every axis, as far as known without reading it.
    """

    number: int
    name: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say number, name and size in one line."""
        sizes = " x ".join(f"{n} {axis}" for axis, n in self.sizes.items() if n > 1)
        name = f" {short(self.name, 40)!r}" if self.name else ""
        return f"{self.number}{name}" + (f" ({sizes})" if sizes else "")


def chosen(path: Path, series: int | None, listed: Sequence[Series]) -> tuple[int, tuple[str, ...]]:
    """Return the number of the image to read, and what is to be said about the others.

    Parameters
    ----------
    path : Path
        The file, for messages.
    series : int or None
        What was asked for; None is the first, which is said where there are others.
    listed : sequence of Series
        What the file holds.

    Raises
    ------
    FormatError
        If there is no such image.
    """
    if series is not None and not 0 <= series < len(listed):
        raise FormatError(
            f"{path} holds {_many(listed)}, so there is no number {series}. It has "
            f"{_names(listed)}."
        )
    if series is not None or len(listed) < 2:
        return series or 0, ()
    return 0, (
        f"{path} holds {len(listed)} images: {_names(listed)}. Number 0 is read; choose another "
        "with series=.",
    )


def _names(listed: Sequence[Series]) -> str:
    more = len(listed) - SHOWN
    names = ", ".join(str(one) for one in listed[:SHOWN])
    return f"{names} and {more} more" if more > 0 else names


def _many(listed: Sequence[Series]) -> str:
    return "one image" if len(listed) == 1 else f"{len(listed)} images"
