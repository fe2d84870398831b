"""Classes of whole images: where users keep them, and the table that results become."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class, named_in_order, numbered
from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.io import is_image
from stroma.io.cells import from_cell, write_table
from stroma.io.tables import stem_of
from stroma.metrics.categories import category_scores
from stroma.metrics.semantic import confusion
from stroma.workflow.applying.find import find_images, natural
from stroma.workflow.learning.pairs import Given, all_images

FILE, CLASS = "file", "class"
PROBABILITY = "probability of "
TABLE = "classes.csv"
"""The table of all images of a folder of results."""

ENDING = "_class.csv"
"""Of the table of one image."""


def categorised(images: Any, labels: Any) -> Given:
    """Return images with the numbers of their classes, and the classes.

    Parameters
    ----------
    images : folder, list of paths or arrays
        Without labels, a folder that has a folder of images for every class.
    labels : path, list, or None
        A table with columns ``file`` and ``class``, or the class of every image.

    Raises
    ------
    MissingFileError, FormatError, ParameterError
        Saying which images have no class, or how classes are given.
    """
    if labels is None:
        several, names = _by_folder(images)
    elif isinstance(labels, str | Path):
        several = _anywhere(images)
        names = _of_files(several, read_classes(labels), str(labels))
    else:
        several, names = all_images(images), [str(name) for name in labels]
    classes = named_in_order(names)
    found: list[Any] = numbered(names, classes)
    return Given(list(several), found, classes=classes)


def renumbered(data: Given, classes: Sequence[Class]) -> Given:
    """Return images with the numbers that a network has for their classes."""
    names = {c.label: c.name for c in data.classes}
    found: list[Any] = numbered([names[n] for n in data.labels or ()], classes)
    return replace(data, labels=found, classes=tuple(classes))


def _by_folder(images: Any) -> tuple[list[Path], list[str]]:
    """Return the images in the folders of a folder, and what their folders are called."""
    folder = Path(images) if isinstance(images, str | Path) else None
    if folder is None or not folder.is_dir():
        raise ParameterError(
            "Classes of images are learned from a folder that has a folder of images for every "
            "class, from a table with the columns file and class, or from a list with the class "
            "of every image. Give one of these."
        )
    inside = sorted((p for p in folder.iterdir() if p.is_dir() and not is_image(p)), key=natural)
    found = {p: find_images([p]) for p in inside if any(is_image(f) for f in p.iterdir())}
    if not found:
        raise MissingFileError(
            f"{folder} has no folders of images. Make one for every class "
            f"({folder / 'healthy'}, {folder / 'ill'}), or give a table with the columns file and "
            "class."
        )
    pairs = [(path, place.name) for place, paths in found.items() for path in paths]
    return [path for path, _ in pairs], [name for _, name in pairs]


def _anywhere(images: Any) -> list[Any]:
    """Return images; of a folder that has only folders, those of all of them."""
    if isinstance(images, str | Path) and Path(images).is_dir() and not is_image(images):
        folder = Path(images)
        if not any(is_image(p) for p in folder.iterdir()):
            return list(_by_folder(folder)[0])
    return all_images(images)


def _of_files(images: Sequence[Any], known: Mapping[str, str], source: str) -> list[str]:
    """Return the classes of images, by the names of their files."""
    if not all(isinstance(one, str | Path) for one in images):
        raise ParameterError(
            f"The classes in {source} go with images in files, as they pair by name. Give the "
            "images as a folder or as paths, or the classes as a list."
        )
    paths = [Path(one) for one in images]
    found = [_look_up(path, known) for path in paths]
    missing = [path.name for path, name in zip(paths, found, strict=True) if name is None]
    if missing:
        raise MissingFileError(
            f"{source} has no class for {', '.join(missing[:3])} ({len(missing)} of {len(paths)} "
            "images). Add them to the table, or leave these images out."
        )
    return [name for name in found if name is not None]


def _look_up(path: Path, known: Mapping[str, str]) -> str | None:
    """Return the class of a file: by its name with its folder, its name, or its name alone."""
    names = (f"{path.parent.name}/{path.name}", path.name, path.name.split(".")[0])
    return next((known[name] for name in names if name in known), None)


def read_classes(path: str | Path) -> dict[str, str]:
    """Return the class of every file in a table with the columns ``file`` and ``class``.

    Raises
    ------
    MissingFileError, FormatError
        Naming the table.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingFileError(f"There is no table of classes {str(file)!r}.")
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{file} is no table as CSV in UTF-8: {error}.") from error
    if not rows or not {FILE, CLASS} <= set(rows[0]):
        heads = ", ".join(str(h) for h in rows[0]) if rows else "no rows"
        raise FormatError(
            f"{file} has {heads}; a table of classes has the columns {FILE} and {CLASS}, and a row "
            "for each image."
        )
    pairs = [(_place(row), from_cell(row[CLASS] or "")) for row in rows]
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise FormatError(f"{file} has several rows for {', '.join(twice[:3])}; keep one of each.")
    empty = [name for name, kind in pairs if not kind]
    if empty:
        raise FormatError(f"{file} has no class for {', '.join(empty[:3])}.")
    return dict(pairs)


def _place(row: Mapping[str, str]) -> str:
    """Return the file of a row, with its plane and time where the table names them."""
    more = [f" {axis}={row[axis]}" for axis in ("t", "z") if row.get(axis)]
    return from_cell(row[FILE] or "") + "".join(more)


def write_category(
    path: Path, name: str, found: NDArray[np.float64], axes: str, classes: Sequence[str]
) -> None:
    """Write the classes of one image as a table: a row for itself, or for each time or plane.

    Parameters
    ----------
    path : Path
        Where to.
    name : str
        What the image is called.
    found : (t, z, K) array, as far as ``axes`` has these
        Probabilities of the classes.
    axes : str
        "", "t", "z" or "tz".
    classes : sequence of str
        Their names.
    """
    heads = [FILE, *axes, CLASS, *(PROBABILITY + c for c in classes)]
    rows = [
        [name, *place, classes[int(found[place].argmax())], *(f"{p:.4f}" for p in found[place])]
        for place in np.ndindex(found.shape[:-1])
    ]
    write_table(path, heads, rows)


def require_own(folder: Path) -> None:
    """Refuse to replace a table of classes that is no result.

    Raises
    ------
    ParameterError
        If a table that somebody made has the name of the one that will be written.
    """
    path = folder / TABLE
    if not path.exists():
        return
    heads = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    if heads.strip() and PROBABILITY not in heads:
        raise ParameterError(
            f"{path} is there already, and is no result: it has no probabilities. Write to another "
            "folder."
        )


def compared(
    results: str | Path, truth: str | Path
) -> tuple[list[str], list[dict[str, Any]], dict[str, Any]]:
    """Return classes, what was found of every image, and the scores of all.

    Parameters
    ----------
    results : path
        A table of classes, or a folder that has one (`TABLE`).
    truth : path
        A table with columns ``file`` and ``class``, or a folder with a folder for every class.

    Returns
    -------
    list of str, list of dict, dict
        The names of the classes; per image its name, whether it is right (1 or 0), its class and
        true class; balanced accuracy, accuracy, recall of each class, and "confusion", images by
        true and by found class.
    """
    found = read_classes(table_in(results))
    known = _truth(found, truth)
    names = sorted({*found.values(), *known.values()})
    pairs = [(names.index(found[f]), names.index(known[f])) for f in found]
    one, true = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    scores = category_scores(one.tolist(), true.tolist(), labels=range(len(names)))
    recalls = {
        f"recall {name}": scores[f"recall {i}"]
        for i, name in enumerate(names)
        if f"recall {i}" in scores
    }
    table = confusion(one, true, labels=range(len(names)))[:, :-1]
    overall = {n: scores[n] for n in ("balanced accuracy", "accuracy")} | recalls
    images = [
        {"name": f, "right": float(found[f] == known[f]), CLASS: found[f], "truth": known[f]}
        for f in found
    ]
    return names, images, {**overall, "confusion": table.tolist()}


def _truth(found: Iterable[str], truth: str | Path) -> dict[str, str]:
    """Return the true class of every result, by the name of its image."""
    if Path(truth).is_dir():
        paths, names = _by_folder(truth)
        known = {f"{p.parent.name}/{p.name}": name for p, name in zip(paths, names, strict=True)}
    else:
        known = read_classes(truth)
    called = _by_names(known)
    classes = {name: _class_of(name, known, called, truth) for name in found}
    missing = [name for name, kind in classes.items() if kind is None]
    if missing:
        raise MissingFileError(
            f"{truth} has no class for {', '.join(missing[:3])} ({len(missing)} of {len(classes)} "
            "results). Give the truth of all of them."
        )
    return {name: kind for name, kind in classes.items() if kind is not None}


def _by_names(known: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the classes of all files that results may call so.

    Where files of several folders are called the same, results have the folder before the name.
    """
    found: dict[str, set[str]] = {}
    for place, kind in known.items():
        folder, _, name = place.rpartition("/")
        before = {"", f"{folder}_".replace("/", "_")} if folder else {""}
        for called in {start + end for start in before for end in (name, stem_of(name))}:
            found.setdefault(called, set()).add(kind)
    return found


def _class_of(
    name: str, known: Mapping[str, str], called: Mapping[str, set[str]], truth: str | Path
) -> str | None:
    """Return the true class of a result; None where the truth has none."""
    image = _image(name)
    for place in (name, image):
        if place in known:
            return known[place]
    kinds = called.get(image) or called.get(stem_of(image)) or set()
    if len(kinds) > 1:
        raise ParameterError(
            f"{truth} has several images that may be {image}, of the classes "
            f"{', '.join(sorted(kinds))}. Segment the images of all folders with one command, so "
            "that results are called as their folders and files, or give the truth as a table with "
            "the columns file and class."
        )
    return next(iter(kinds), None)


def _image(place: str) -> str:
    """Return the file of a plane or time of it."""
    return place.split(" t=")[0].split(" z=")[0]


def table_in(results: str | Path) -> Path:
    """Return the table of classes in a folder of results, or the table itself."""
    path = Path(results)
    return path / TABLE if path.is_dir() else path


def is_category(results: Any) -> bool:
    """Tell whether results are classes of whole images, by what files are called."""
    if not isinstance(results, str | Path):
        return False
    path = Path(results)
    return table_in(path).is_file() if path.is_dir() else path.name.endswith((TABLE, ENDING))
