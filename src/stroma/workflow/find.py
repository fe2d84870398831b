"""The images of a batch: files, folders of files, and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from stroma.errors import MissingFileError
from stroma.io import STROKE_READERS, is_image

RESULTS = ("_labels", "_probabilities", "_overlay")
"""Ends of names, before the format, of what a batch writes; folders are searched without them."""

STROKES = (
    "_strokes",
    *("_annotations", "_annotation", "_annot"),
    *("_scribbles", "_scribble", "_scrib"),
)
"""The same of files with strokes, here and in other programs."""

OTHERS = ("_segmentation", "_segmentations", "_mask", "_masks", "_prediction", "_predictions")
"""The same of results of other programs."""


def find_images(paths: Iterable[str | Path]) -> list[Path]:
    """Return the images that files, folders and patterns ("plate/*.tif") stand for.

    Folders are searched for images, but not their folders; results and strokes, which end as
    ``RESULTS``, ``STROKES`` and ``OTHERS`` say, are left out there.

    Raises
    ------
    MissingFileError
        If a path stands for nothing.
    """
    found: dict[Path, None] = {}
    for given in paths:
        matches = _matches(Path(given))
        if not matches:
            raise MissingFileError(f"There is no image {given}.")
        found.update(dict.fromkeys(matches))
    return list(found)


def natural(path: Path) -> list[tuple[int, str]]:
    """Return a key that sorts "a2" before "a10"."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", path.name.lower())]


def is_result(path: Path) -> bool:
    """Tell whether a file has the name of a result, or of strokes, rather than of an image."""
    return path.name.split(".")[0].endswith((*RESULTS, *STROKES, *OTHERS))


def strokes_of(name: str, folder: str | Path) -> list[Path]:
    """Return the files in a folder that may hold the strokes of an image, by its name.

    ``cells.tif`` goes with ``cells.png``, ``cells.zip``, ``cells_strokes.tif``,
    ``cells_annotations.tif`` or ``cells_labels.geojson``.
    """
    stem = Path(name).name.split(".")[0]
    names = {stem, f"{stem}_labels", *(stem + end for end in STROKES)}
    inside = sorted(Path(folder).iterdir())
    return [p for p in inside if p.name.split(".")[0] in names and _may_be_strokes(p)]


def _may_be_strokes(path: Path) -> bool:
    return path.suffix.lower() in STROKE_READERS or is_image(path)


def _matches(path: Path) -> list[Path]:
    if path.is_dir() and not is_image(path):
        inside = (p for p in path.iterdir() if is_image(p) and not p.name.startswith("."))
        return sorted((p for p in inside if not is_result(p)), key=natural)
    if path.exists():
        return [path]
    if re.search(r"[*?\[]", path.name) and path.parent.is_dir():
        return sorted(path.parent.glob(path.name), key=natural)
    return []
