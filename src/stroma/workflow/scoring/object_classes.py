"""Classes of objects beside the truth: of the same objects, or of those that they match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import LabelError, MissingFileError, ParameterError
from stroma.io import read_image
from stroma.metrics.instances import overlaps
from stroma.metrics.semantic import confusion
from stroma.workflow.learning.pairs import for_images
from stroma.workflow.measuring.known_classes import Key, classes_file, kinds_of
from stroma.workflow.measuring.object_files import classes_in
from stroma.workflow.measuring.other_tables import TABLES

ENDING = "_table.csv"
"""How tables of objects end, as ``stroma segment`` writes them."""

SAME = 0.5
"""Objects whose intersection over union is above this are the same."""


@dataclass(frozen=True, eq=False)
class Compared:
    """The classes of the objects of one image.

    Parameters
    ----------
    name : str
        Of the table.
    found, true : tuple of str
        Of every object whose class is known; what was not found is "".
    extra : tuple of str
        Of objects that are none, where that can be told.
    """

    name: str
    found: tuple[str, ...]
    true: tuple[str, ...]
    extra: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """Return its name, how many objects count, and the share of them that is right."""
        right = [one == other for one, other in zip(self.found, self.true, strict=True)]
        return {"name": self.name, "right": float(np.mean(right)), "objects": len(right)}


def compared_objects(
    results: str | Path,
    truth: str | Path,
    *,
    objects: str | Path | None = None,
    true_objects: str | Path | None = None,
) -> tuple[list[str], list[dict[str, Any]], dict[str, Any]]:
    """Return classes, what was found in every image, and the scores of all.

    Parameters
    ----------
    results : path
        A table of objects with classes, or a folder of tables ``NAME_table.csv``.
    truth : path
        For every image a table with the columns label and class, or marks or a label image of
        classes, which need ``objects``; a folder, or one file.
    objects : path, optional
        Label images of the objects of the results: a folder, or one file.
    true_objects : path, optional
        Label images that the numbers of the truth are of, where these are other objects: then
        those are the same whose intersection over union is above 0.5.

    Returns
    -------
    list of str, list of dict, dict
        The names of the classes; per image its name, how many objects count and the share that is
        right; balanced accuracy, accuracy, recall and precision of each class, how many objects
        are "missed" and "made up", and "confusion": objects by true and by found class, in the last
        column those that were not found.

    Raises
    ------
    MissingFileError, ParameterError, LabelError
        Saying what is missing.
    """
    if true_objects is not None and objects is None:
        raise ParameterError("true_objects= are matched with those of the results. Add objects=.")
    tables = _tables(results)
    _require_folders(tables, truth=truth, objects=objects, true_objects=true_objects)
    every = [
        _compared(path, _of(path, truth), _labels(path, objects), _labels(path, true_objects))
        for path in tables
    ]
    names = sorted({kind for one in every for kind in (*one.true, *one.found, *one.extra) if kind})
    return names, [one.row() for one in every], _scores(every, names)


def is_object_classes(results: Any) -> bool:
    """Tell whether results are tables of classes of objects, by what files are called."""
    if not isinstance(results, str | Path):
        return False
    path = Path(results)
    if not path.is_dir():
        return path.name.endswith(ENDING)
    # segment writes outlines beside, and label images where objects were found, not classed
    inside = [p.name for p in path.iterdir()]
    return any(n.endswith(ENDING) for n in inside) and not any("_objects.tif" in n for n in inside)


def _tables(results: str | Path) -> list[Path]:
    path = Path(results)
    found = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path]
    if not found:
        raise MissingFileError(
            f"There is no table of objects in {path}: their names end in {ENDING}. Give the folder "
            "that stroma segment wrote, or a table."
        )
    return found


def _of(path: Path, truth: str | Path) -> Path:
    """Return the file with the true classes of the objects of a table."""
    return classes_file(_image(path), Path(truth)) if Path(truth).is_dir() else Path(truth)


def _require_folders(tables: Sequence[Path], **given: str | Path | None) -> None:
    """Refuse one file beside several tables, of which it belongs to one."""
    for name, path in given.items():
        if path is not None and len(tables) > 1 and not _is_folder(path):
            raise ParameterError(
                f"There are {len(tables)} tables of objects, and {name} is one file: {path}. Give "
                f"the table that it belongs to, or a folder with a file for each."
            )


def _is_folder(path: str | Path) -> bool:
    """Tell whether a path is a folder of files, not an image that is one."""
    return Path(path).is_dir() and Path(path).suffix != ".zarr"


def _image(path: Path) -> Path:
    """Return what the image of a table may be called."""
    return path.with_name(path.name.removesuffix(ENDING) + ".tif")


def _labels(path: Path, objects: str | Path | None) -> Image | None:
    """Return the label image that belongs to a table."""
    if objects is None:
        return None
    found = Path(objects)
    if _is_folder(found):
        (found,) = for_images([_image(path)], str(objects))
    image = read_image(found)
    return image.at(c=0) if image.sizes.get("c") == 1 else image


def _compared(path: Path, true: Path, own: Image | None, other: Image | None) -> Compared:
    found, known = classes_in(path), _known(true, own if other is None else other)
    if own is not None and other is not None:
        same, lost = _matches(own, other)
        count = found.keys() - set(same.values()) - lost
        extra = tuple(kind for key, kind in found.items() if key in count)
        pairs = [(found.get(same[k], "") if k in same else "", kind) for k, kind in known.items()]
    else:
        extra = ()
        pairs = [(found.get(key, ""), kind) for key, kind in known.items()]
    if not any(one for one, _ in pairs):
        raise LabelError(
            f"None of the {len(known)} objects of {true} is in {path}. Where the truth numbers "
            "other objects, give the label images of both: objects= and true_objects=."
        )
    return Compared(path.name, tuple(a for a, _ in pairs), tuple(b for _, b in pairs), extra)


def _known(path: Path, objects: Image | None) -> Mapping[Key, str]:
    """Return the true class of objects by time and number."""
    if objects is not None:
        return kinds_of(path, objects)
    if path.suffix.lower() not in TABLES:
        raise ParameterError(
            f"{path} marks objects in an image. Add objects=: the label images that the results "
            "are of."
        )
    return classes_in(path)


def _matches(found: Image, true: Image) -> tuple[dict[Key, Key], set[Key]]:
    """Return the found object that each true one is, by time and number, and those unknown."""
    same: dict[Key, Key] = {}
    lost: set[Key] = set()
    for t in range(true.sizes.get("t", 1)):
        one, other = (_frame(image, t) for image in (found, true))
        both = overlaps(one, other)
        enough = both.iou > SAME
        a, b = both.true_labels[both.rows[enough]], both.found_labels[both.columns[enough]]
        same |= {(t, n): (t, m) for n, m in zip(a.tolist(), b.tolist(), strict=True)}
        lost |= {(t, n) for n in np.setdiff1d(one[one > 0], both.found_labels).tolist()}
    return same, lost


def _frame(image: Image, t: int) -> NDArray[Any]:
    return image.at(t=t).read() if "t" in image.sizes else image.read()


def _scores(every: Sequence[Compared], names: Sequence[str]) -> dict[str, Any]:
    place = {name: i for i, name in enumerate(names)}
    found = np.array([place.get(kind, len(names)) for one in every for kind in one.found])
    true = np.array([place[kind] for one in every for kind in one.true])
    table = confusion(found, true, labels=range(len(names)))
    extra = np.bincount([place[k] for one in every for k in one.extra], minlength=len(names))
    right, of_true = np.diagonal(table), table.sum(1)
    of_found = table[:, :-1].sum(0) + extra
    recall = {f"recall {n}": right[i] / of_true[i] for i, n in enumerate(names) if of_true[i]}
    precision = {
        f"precision {n}": right[i] / of_found[i] for i, n in enumerate(names) if of_found[i]
    }
    return {
        "balanced accuracy": float(np.mean(list(recall.values()))),
        "accuracy": float(right.sum() / of_true.sum()),
        **{name: float(value) for name, value in (recall | precision).items()},
        "missed": int(table[:, -1].sum()),
        "made up": int(extra.sum()),
        "confusion": table.tolist(),
    }
