"""Files that hold several images, each of which becomes one image of the session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from stroma.io.read import series_of
from stroma.session.session import Session

MOST = 12
"""Images of one file that are all opened unless somebody chooses; more are too many to look at."""


def add(session: Session, path: Path, numbers: Sequence[int]) -> list[str]:
    """Open images of a file, and return their keys.

    Where the file holds several, each is called after the file and by what that calls it.
    """
    listed = {one.number: one.name for one in series_of(path)}
    if len(listed) == 1:
        return [session.add_image(path, series=number) for number in numbers]
    return [
        session.add_image(path, name=title(path, number, listed.get(number, "")), series=number)
        for number in numbers
    ]


def title(path: Path, number: int, name: str) -> str:
    """Return what people call an image of a file with several."""
    return f"{path.name} [{name[:40] or number}]"


def numbers(path: Path, wanted: Sequence[int] | Literal["all"] | None) -> Sequence[int]:
    """Return which images of a file to open: those wanted, all, or (None) not too many."""
    if wanted is not None and wanted != "all":
        return wanted
    there = [one.number for one in series_of(path)]
    return there if wanted == "all" or len(there) <= MOST else there[:1]
