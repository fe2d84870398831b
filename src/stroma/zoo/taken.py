"""What is taken over from a file of another program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.strokes import Strokes
from stroma.errors import (
    FileError,
    FormatError,
    LabelError,
    MissingFileError,
    StromaError,
    UnknownNameError,
)
from stroma.io import read_image
from stroma.io.lazy import DAMAGE, damaged
from stroma.zoo import IMPORTERS

LIMIT = 2**26
"""Bytes of a text file of settings (64 MiB)."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image that a file names, or holds, and what is known of it.

    Parameters
    ----------
    image : Image
        The image.
    name : str
        What people call it.
    path : Path or None
        Its file; None where it lies in the file of the other program.
    strokes : Strokes, optional
        What was painted on it.
    objects : (t, z, y, x), as far as the image has these axes, array of int, optional
        Objects by number, 0 where there is none.
    """

    image: Image
    name: str
    path: Path | None = None
    strokes: Strokes | None = None
    objects: NDArray[np.integer[Any]] | None = None


@dataclass(frozen=True, eq=False)
class Taken:
    """What was taken over.

    Parameters
    ----------
    source : Path
        The file.
    program : str
        Which program wrote it, with its version where the file says it.
    pictures : sequence of Picture
        Images, with strokes or objects.
    classes : sequence of Class
        Names and colours.
    param : mapping of str to object
        Parameters of a model of strokes; empty where the file says nothing of features.
    took, left : sequence of str
        What was taken over, and what could not be, in sentences for people.
    settings : Path or None
        File that holds all parameters, as ours do.
    """

    source: Path
    program: str
    pictures: tuple[Picture, ...] = ()
    classes: tuple[Class, ...] = ()
    param: Mapping[str, Any] = field(default_factory=dict)
    took: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    settings: Path | None = None


def take(path: str | Path, images: Sequence[Path] = ()) -> Taken:
    """Return what is to be had of a file of another program; no code of it is run.

    Parameters
    ----------
    path : str or Path
        ilastik ``.ilp``, Cellpose ``_seg.npy``, QuPath pixel classifier ``.json``, Labkit
        ``.classifier`` or ``.labeling``, Trainable Weka ``.arff``, Convpaint ``.yml``.
    images : sequence of Path
        Images that the file does not name, or that lie elsewhere than it says; folders are
        looked through for names.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If no reader knows it, or it is damaged.
    """
    where = Path(path)
    if not where.is_file():
        raise MissingFileError(f"There is no file {where}.")
    low = where.name.lower()
    endings = [ending for ending in IMPORTERS if low.endswith(ending)]
    if not endings:
        raise UnknownNameError(
            f"{where} is of no program that is known here. Known: {', '.join(IMPORTERS)}."
        )
    reader = IMPORTERS[max(endings, key=len)]
    try:
        taken: Taken = reader(where, tuple(map(Path, images)))
    except LabelError as error:
        raise FormatError(f"{where}: {error}") from error
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(where, error) from error
    return taken


def text_of(path: Path) -> str:
    """Return a text file of settings, if it is one and not too large."""
    if path.stat().st_size > LIMIT:
        raise FormatError(f"{path} is larger than {LIMIT >> 20} MiB; settings are short.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not text.") from error


def located(named: str, beside: Path, images: Sequence[Path]) -> Path | None:
    """Return where an image lies that a file names: there, beside the file, or among those given.

    Parameters
    ----------
    named : str
        Path as it is written, of this system or another.
    beside : Path
        The file that names it.
    images : sequence of Path
        Files and folders to look through, by name.
    """
    plain = named.replace("\\", "/")
    last = plain.rpartition("/")[2]
    folders = [one for one in images if one.is_dir() and one.suffix != ".zarr"]
    given = [one for one in images if one.name == last]
    tries = [*given, *(folder / last for folder in folders)]
    tries += [beside.parent / plain, beside.parent / last]
    return next((one for one in tries if last and _there(one)), None)


def _there(path: Path) -> bool:
    """Tell whether there is a file or folder; names that no file can have are of none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def opened(paths: Sequence[Path]) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """Return the images in files, and what is to be said of those that cannot be opened."""
    pictures, left = [], []
    for path in paths:
        try:
            pictures.append(Picture(read_image(path), path.name, path))
        except (StromaError, FileError, OSError) as error:
            left.append(f"image {path.name}: {error}")
    return tuple(pictures), tuple(left)
