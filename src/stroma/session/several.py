"""What is done for several images of a session at once, in files that are named after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stroma.session.code import safe_stem
from stroma.session.session import Session
from stroma.workflow.applying.find import strokes_of

STROKES, RESULT = "_strokes.tif", "_labels.tif"
"""Ends of the names of files, after that of the image."""


@dataclass(frozen=True)
class Found:
    """Files with strokes for images, by the keys of these.

    Parameters
    ----------
    files : dict of str to Path
        The one file of every image that has one.
    several : tuple of str
        Images for which more than one file may be meant.
    none : tuple of str
        Images for which there is none.
    """

    files: dict[str, Path]
    several: tuple[str, ...]
    none: tuple[str, ...]


def named_after(
    session: Session, images: Iterable[str], folder: str | Path, end: str
) -> list[Path]:
    """Return a path in a folder for every image, named after it; no two are the same."""
    stems = {one.key: safe_stem(one.name) for one in session.images}
    numbered = {key: f"{stem}_{key}" for key, stem in stems.items()}
    taken = Counter(name.lower() for name in [*stems.values(), *numbered.values()])
    return [
        Path(folder, (numbered if taken[stems[key].lower()] > 1 else stems)[key] + end)
        for key in images
    ]


def find_strokes(session: Session, images: Iterable[str], folder: str | Path) -> Found:
    """Look in a folder for files with the strokes of images, by their names."""
    found = {}
    for key in images:
        own = session.source(key)
        files = strokes_of(session.image(key).name, folder)
        found[key] = [f for f in files if own is None or f.resolve() != own.resolve()]
    return Found(
        {key: files[0] for key, files in found.items() if len(files) == 1},
        tuple(key for key, files in found.items() if len(files) > 1),
        tuple(key for key, files in found.items() if not files),
    )
