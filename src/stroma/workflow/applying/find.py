"""The images of a batch: files, folders of files, and patterns."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from stroma.errors import MissingFileError, short
from stroma.io import STROKE_READERS, is_image
from stroma.io.address import address_of
from stroma.io.foreign import FOREIGN, part_of

RESULTS = ("_labels", "_objects", "_foreground", "_restored", "_probabilities", "_overlay")
"""Ends of names, before the format, of images that a batch writes; folders are searched without
them."""

STROKES = (
    "_strokes",
    *("_annotations", "_annotation", "_annot"),
    *("_scribbles", "_scribble", "_scrib"),
)
"""The same of files with strokes, here and in other programs."""

OTHERS = ("_segmentation", "_segmentations", "_mask", "_masks", "_prediction", "_predictions")
"""The same of results of other programs."""

SHOWN = 5
"""Names of files that a message lists."""

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeftOut:
    """Files of a folder that were not taken, for one reason.

    Parameters
    ----------
    folder : Path
        Where they lie.
    names : sequence of str
        What they are called.
    reason : str
        Why they were left out.
    """

    folder: Path
    names: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        """Say how many there are, some of their names, and why they were left out."""
        shown = ", ".join(short(name, 40) for name in self.names[:SHOWN])
        more = f" and {len(self.names) - SHOWN} more" if len(self.names) > SHOWN else ""
        return f"Left out in {self.folder}: {shown}{more}. {self.reason}"


@dataclass(frozen=True)
class Found:
    """The images that paths stand for, and what lies beside them.

    Parameters
    ----------
    images : sequence of Path
        The images, each once.
    left_out : sequence of LeftOut
        What was not taken of folders.
    """

    images: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()


def find_images(paths: Iterable[str | Path]) -> list[Path]:
    """Return the images that files, folders and patterns ("plate/*.tif") stand for.

    As :func:`look` does; what is left out goes to the log.
    """
    found = look(paths)
    for each in found.left_out:
        LOG.warning("%s", each)
    return list(found.images)


def look(paths: Iterable[str | Path]) -> Found:
    """Return the images that files, folders and patterns ("plate.zarr/*/*/0") stand for.

    Folders are searched for images, but not their folders; results and strokes, which end as
    ``RESULTS``, ``STROKES`` and ``OTHERS`` say, are left out there; so are files that are only
    parts of others.

    Raises
    ------
    MissingFileError
        If a path stands for nothing.
    """
    found: dict[Path, None] = {}
    left_out: list[LeftOut] = []
    for given in paths:
        path = Path(given)
        images, others = _inside(path) if _is_plain_folder(path) else (_matches(path), [])
        if not images:
            why = "".join(f" {each}" for each in (*others, *_deeper(path)))
            raise MissingFileError(f"There is no image {'in ' * path.is_dir()}{given}.{why}")
        found.update(dict.fromkeys(images))
        left_out += others
    return Found(tuple(found), tuple(left_out))


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


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not is_image(path)


def _inside(folder: Path) -> tuple[list[Path], list[LeftOut]]:
    """Return the images of a folder in natural order, and what else it holds."""
    inside = sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=natural)
    images = [p for p in inside if is_image(p)]
    own = [p for p in images if not is_result(p)]
    names = {p.name.lower() for p in own}
    parts = {p: why for p in own if (why := part_of(p, names))}
    named = tuple(p.name for p in images if is_result(p))
    foreign = tuple(p.name for p in inside if p.suffix.lower() in FOREIGN and not is_image(p))
    left_out = []
    if named:
        left_out.append(LeftOut(folder, named, "Their names end as those of results and strokes."))
    if foreign:
        reason = "There is no reader for them. Name one of them to be told what reads it."
        left_out.append(LeftOut(folder, foreign, reason))
    for reason in dict.fromkeys(parts.values()):
        alike = tuple(p.name for p, why in parts.items() if why == reason)
        left_out.append(LeftOut(folder, alike, reason))
    return [p for p in own if p not in parts], left_out


def _deeper(folder: Path) -> list[str]:
    """Say that the folders of a folder are not searched, if it has some."""
    inside = [p for p in folder.iterdir() if _is_plain_folder(p)] if folder.is_dir() else []
    names = [str(p) for p in sorted(inside, key=natural) if not p.name.startswith(".")]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    shown = ", ".join(names[:SHOWN])
    return [f"Folders in it are not searched; give them too: {shown}{more}."] if names else []


def _matches(path: Path) -> list[Path]:
    if path.exists() or address_of(path):
        return [path]
    return sorted(map(Path, glob(str(path))), key=lambda p: [natural(q) for q in _parts(p)])


def _parts(path: Path) -> list[Path]:
    return [Path(part) for part in path.parts]
