"""Images and what is known of them: files that pair by their names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stroma.data.classes import Class
from stroma.errors import MissingFileError, ParameterError
from stroma.io import is_image
from stroma.workflow.applying.find import OTHERS, RESULTS, find_images, natural
from stroma.workflow.learning.raw_folder import is_raw_folder, read_raw_folder

LOG = logging.getLogger(__name__)

ENDINGS = (*RESULTS, *OTHERS, "_label", "_gt", "_points")
"""What may follow an image's name in that of its labels."""

TABLES = (".csv",)


@dataclass(frozen=True, eq=False)
class Given:
    """What is learned from, image by image.

    Parameters
    ----------
    images : list
        Paths, arrays or images.
    labels : list or None
        One for each, or none at all.
    ignore : tuple of int
        Labels that the data itself says nobody knows.
    classes : tuple of Class
        Names that the data itself has for labels.
    """

    images: list[Any]
    labels: list[Any] | None
    ignore: tuple[int, ...] = ()
    classes: tuple[Class, ...] = ()


def given(images: Any, labels: Any, *, alone: bool = False) -> Given:
    """Return what users mean: files that pair by name, lists, or a raw dataset of nnU-Net.

    Parameters
    ----------
    images, labels
        As for `paired`; without labels, the folder of a raw dataset has them.
    alone : bool
        Whether labels are not looked for.
    """
    if labels is None and is_raw_folder(images):
        raw = read_raw_folder(images)
        return Given(raw.images, None if alone else list(raw.labels), raw.ignore, raw.classes)
    if labels is None:
        return Given(all_images(images), None)
    return Given(*paired(images, labels))


def paired(images: Any, labels: Any) -> tuple[list[Any], list[Any]]:
    """Return images and labels in lists of the same order.

    Folders (and patterns) stand for the files in them, which pair by name: ``cells.tif`` with
    ``cells.png``, ``cells_labels.tif``, ``cells_mask.png`` and so on; several labels of one image
    become a tuple. Lists pair by position; anything else is one pair.

    Raises
    ------
    MissingFileError
        Naming the images that have no labels.
    """
    if _is_folder(labels):
        found = _images(images)
        known = [_labels_of(path, Path(labels)) for path in found]
        if _is_folder(images):
            _tell_lone(found, known, Path(labels))
        return list(found), known
    if _is_folder(images) and isinstance(labels, list):
        return list(_images(images)), labels
    return _listed(images), _listed(labels)


def all_images(images: Any) -> list[Any]:
    """Return images in a list; folders (and patterns) stand for the files in them."""
    if _is_folder(images):
        return list(_images(images))
    return _listed(images)


def for_images(images: Sequence[Any], folder: Any) -> list[Any]:
    """Return the file in a folder for every image, by name; lists are returned as they are."""
    if not _is_folder(folder):
        return _listed(folder)
    return [_labels_of(Path(str(image)), Path(folder)) for image in images]


def said_of(
    images: Sequence[Any], known: Any, what: str, named: Callable[[Path, Path], Path | None]
) -> list[Any]:
    """Return what is known of every image besides its labels: of a folder the file for each.

    Parameters
    ----------
    images : sequence
        From `all_images`.
    known : folder, list, or one of what lists hold
        Something for every image.
    what : str
        What it is called in messages, such as "strokes".
    named : callable
        Returns the file for an image in a folder, None where there is none and need be none.

    Raises
    ------
    ParameterError
        If images and files cannot pair by name, or are not as many.
    """
    if _is_folder(known):
        if not all(isinstance(image, str | Path) for image in images):
            raise ParameterError(
                f"A folder of {what} goes with images in files, as they pair by name. Give the "
                f"images as a folder or as paths, or the {what} as a list."
            )
        return [named(Path(image), Path(known)) for image in images]
    found = _listed(known)
    if len(found) != len(images):
        raise ParameterError(
            f"Give {what} for each image, in the same order, or a folder of files that have the "
            f"images' names. The number of images is {len(images)}, got {what} for {len(found)}."
        )
    return found


def _images(images: Any) -> list[Path]:
    several = images if isinstance(images, list) else [images]
    if not all(isinstance(one, str | Path) for one in several):
        raise ParameterError(
            "A folder of labels goes with images in files, as they pair by name. Give the images "
            "as a folder or as paths, or the labels as arrays."
        )
    return find_images(several)


def _is_folder(data: Any) -> bool:
    if not isinstance(data, str | Path):
        return False
    path = Path(data)
    return path.is_dir() and not is_image(path)


def _labels_of(image: Path, folder: Path) -> Any:
    """Return the labels of an image: one file, or a tuple of several."""
    stem = image.name.split(".")[0]
    names = {stem, *(stem + end for end in ENDINGS)}
    inside = sorted(folder.iterdir(), key=natural)
    found = [
        p
        for p in inside
        if p.name.split(".")[0] in names
        and (is_image(p) or p.suffix.lower() in TABLES)
        and p.resolve() != image.resolve()
    ]
    if not found:
        there = ", ".join(p.name for p in inside[:3]) or "nothing"
        raise MissingFileError(
            f"There are no labels for {image.name} in {folder} (which has {there}). Give them the "
            f"image's name, such as {stem}.png or {stem}_labels.tif."
        )
    return found[0] if len(found) == 1 else tuple(found)


def _tell_lone(images: Sequence[Path], known: Sequence[Any], folder: Path) -> None:
    """Say which labels are of no image, where both are whole folders."""
    taken = {p.resolve() for one in known for p in (one if isinstance(one, tuple) else (one,))}
    taken |= {image.resolve() for image in images}
    labels = [p for p in folder.iterdir() if is_image(p) or p.suffix.lower() in TABLES]
    lone = [p.name for p in sorted(labels, key=natural) if p.resolve() not in taken]
    if lone:
        more = f" and {len(lone) - 3} others" if len(lone) > 3 else ""
        LOG.warning(
            "Labels of no image in %s are left out: %s%s. Labels have the name of their image.",
            *(folder, ", ".join(lone[:3]), more),
        )


def _listed(data: Any) -> list[Any]:
    return list(data) if isinstance(data, list) else [data]
