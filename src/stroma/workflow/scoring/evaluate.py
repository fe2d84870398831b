"""Results beside the truth: how good they are, per image and together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import LabelError, MissingFileError, ParameterError
from stroma.io import is_image, read_image
from stroma.metrics.semantic import confusion, dice_of, iou_of
from stroma.metrics.shared import mean_scores, spread_scores
from stroma.metrics.surface import surface_scores
from stroma.workflow.applying.categories import compared, is_category
from stroma.workflow.learning.pairs import for_images, paired
from stroma.workflow.scoring.compared import (
    image_scores,
    label_values,
    object_scores,
    point_scores,
    track_scores,
)
from stroma.workflow.scoring.object_classes import compared_objects, is_object_classes

KIND_OF = {"_objects": "objects", "_points": "points", "_restored": "images"}
"""What results are, by how they are called; others are classes."""

KINDS = ("auto", "classes", *KIND_OF.values(), "tracks", "categories", "object-classes")
"""What results may be."""


WITHOUT_SPREAD = ("tracks", "categories")
"""Results of which there are no scores image by image."""

TOLERANCE = 1.0
CUTOFF = 3.0
"""The usual distances of borders that are one, in their unit, and of points, in pixels."""

COUNTS_FOR = {
    "ignore": ("classes", "objects"),
    "tolerance": ("classes",),
    "cutoff": ("points",),
    "objects": ("object-classes",),
    "true_objects": ("object-classes",),
}
"""Kinds of results on which an option has an effect."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of results.

    Parameters
    ----------
    labels : tuple of int
        The classes; of whole images, and of objects, their names.
    images : tuple of dict
        Per image: its name and scores of every class; None where a class is in neither.
    overall : dict
        Of classes over the pixels of all images: mean IoU and mean Dice of those that occur, and
        those of each. Of tracks those of the movie. Of categories balanced accuracy, accuracy,
        recall of each, and "confusion", images by true and by found class. Of classes of objects
        what `compared_objects` says. Of all else the means over images.
    kind : {"classes", "objects", "points", "images", "tracks", "categories", "object-classes"}
        What was compared.
    """

    labels: tuple[Any, ...]
    images: tuple[dict[str, Any], ...]
    overall: dict[str, Any]
    kind: str = "classes"
    spread: dict[str, float] = field(init=False)
    """Of every score, how far images differ: the standard deviation over those that have it, where
    there are several."""

    def __post_init__(self) -> None:
        """Measure the spread."""
        counted = self.images if self.kind not in WITHOUT_SPREAD else ()
        object.__setattr__(self, "spread", spread_scores(counted))


def evaluate(
    results: str | Path | Sequence[str | Path],
    truth: str | Path | Sequence[str | Path],
    *,
    ignore: Sequence[int] = (),
    tolerance: float = TOLERANCE,
    kind: str = "auto",
    cutoff: float = CUTOFF,
    outlines: str | Path | None = None,
    objects: str | Path | None = None,
    true_objects: str | Path | None = None,
) -> Evaluation:
    """Compare results with the truth.

    Parameters
    ----------
    results, truth : folder, or list of files
        Folders pair by name, ``cells_labels.tif`` with ``cells.png``. Of tracks, folders of the
        Cell Tracking Challenge, whose frames pair by number.
    ignore : sequence of int
        Labels of the truth that do not count.
    tolerance : float
        How far borders may be apart for surface Dice, in the unit of the spacing of the files
        (pixels where they have none).
    kind : {"auto", "classes", "objects", "points", "images", "tracks", "categories", \
"object-classes"}
        What is compared; unless given, as the results are called: ``NAME_objects``,
        ``NAME_points``, ``NAME_restored``, ``classes.csv`` (categories: a class for each image as
        a whole), ``NAME_table.csv`` (object-classes: a class for each object), classes for others.
    cutoff : float
        How far a point may be from a true one to be it, in pixels.
    outlines : folder, optional
        Label images with the true outlines of some frames of tracks.
    objects : path, optional
        Of classes of objects, the label images that the results are of.
    true_objects : path, optional
        The label images that the truth is of, where these are other objects.
    """
    given = {
        "ignore": bool(ignore),
        "tolerance": tolerance != TOLERANCE,
        "cutoff": cutoff != CUTOFF,
        "objects": objects is not None,
        "true_objects": true_objects is not None,
    }
    if kind == "tracks":
        _require_effect(given, kind)
        return _of_tracks(results, truth, outlines)
    if outlines is not None:
        raise ParameterError("Outlines of some frames go with tracks (kind='tracks').")
    if kind == "categories" or (kind == "auto" and is_category(results)):
        _require_effect(given, "categories")
        return _of_categories(results, truth)
    if kind == "object-classes" or (kind == "auto" and is_object_classes(results)):
        _require_effect(given, "object-classes")
        names, images, overall = compared_objects(
            _one(results), _one(truth), objects=objects, true_objects=true_objects
        )
        return Evaluation(tuple(names), tuple(images), overall, "object-classes")
    found, known = pairs_of(results, truth, kind=kind)
    chosen = _kind(kind, found)
    _require_effect(given, chosen)
    if chosen == "classes":
        return _of_classes(found, known, ignore, tolerance)
    comparisons: dict[str, Callable[[Path, Path], dict[str, float]]] = {
        "objects": partial(object_scores, ignore=ignore),
        "points": partial(point_scores, cutoff=cutoff),
        "images": image_scores,
    }
    compare = comparisons[chosen]
    scores = [compare(path, true) for path, true in zip(found, known, strict=True)]
    named = [{"name": p.name, **one} for p, one in zip(found, scores, strict=True)]
    return Evaluation((), tuple(named), mean_scores(scores), chosen)


def _require_effect(given: Mapping[str, bool], kind: str) -> None:
    """Refuse what has no effect on results of a kind; what is as usual is not given."""
    for name, kinds in COUNTS_FOR.items():
        if given[name] and kind not in kinds:
            raise ParameterError(
                f"{name}= goes with {' or '.join(kinds)}, and the results are {kind}. Leave it out."
            )


def _of_classes(
    found: Sequence[Path], known: Sequence[Path], ignore: Sequence[int], tolerance: float
) -> Evaluation:
    pairs = [(path, *_read(path, true)) for path, true in zip(found, known, strict=True)]
    labels = _classes([true for _, _, true, _ in pairs], ignore)
    tables = [confusion(result, true, labels=labels) for _, result, true, _ in pairs]
    images = [
        {
            "name": path.name,
            **_per_class("iou", labels, iou_of(table)),
            **_per_class("dice", labels, dice_of(table)),
            **_surfaces(result, true, labels, spacing, tolerance, ignore),
        }
        for (path, result, true, spacing), table in zip(pairs, tables, strict=True)
    ]
    total = np.sum(tables, axis=0)
    overall = {
        "mean iou": _mean(iou_of(total)),
        "mean dice": _mean(dice_of(total)),
        **_per_class("iou", labels, iou_of(total)),
        **_per_class("dice", labels, dice_of(total)),
    }
    return Evaluation(tuple(labels), tuple(images), overall)


def _of_tracks(results: Any, truth: Any, outlines: str | Path | None) -> Evaluation:
    if not (isinstance(results, str | Path) and isinstance(truth, str | Path)):
        raise ParameterError("Tracks are compared folder by folder; give one and its truth.")
    scores = track_scores(results, truth, outlines=outlines)
    found = {name: _number(value) for name, value in scores.items()}
    return Evaluation((), ({"name": Path(results).name, **found},), found, "tracks")


def _of_categories(results: Any, truth: Any) -> Evaluation:
    if not (isinstance(results, str | Path) and isinstance(truth, str | Path)):
        raise ParameterError(
            "Classes of whole images are compared table by table; give classes.csv, or the folder "
            "that it is in, and the truth as a table or a folder with a folder for every class."
        )
    names, images, overall = compared(results, truth)
    return Evaluation(tuple(names), tuple(images), overall, "categories")


def _one(given: Any) -> str | Path:
    """Return a folder or a file; several are in a folder."""
    if not isinstance(given, str | Path):
        raise ParameterError(
            "Classes of objects are compared table by table; give one table and its truth, or "
            "folders of them."
        )
    return given


def _kind(kind: str, found: Sequence[Path]) -> str:
    if kind not in KINDS:
        raise ParameterError(f"No kind of results {kind!r}. Known: {', '.join(KINDS)}.")
    if kind != "auto":
        return kind
    named = set(map(_kind_of, found))
    if len(named) > 1:
        raise ParameterError(
            f"The results are of several kinds ({', '.join(sorted(named))}). Say which are to "
            "be compared (kind=)."
        )
    return named.pop() if named else "classes"


def pairs_of(results: Any, truth: Any, *, kind: str = "auto") -> tuple[list[Path], list[Path]]:
    """Pair results, by the name before "_labels", "_objects" and so on, with the truth.

    Of a folder with results of several kinds, those of the kind that is asked for.
    """
    if isinstance(results, str | Path) and not Path(results).exists():
        raise MissingFileError(f"There is no file or folder {results} of results.")
    if isinstance(results, str | Path) and Path(results).is_dir():
        inside = sorted(Path(results).iterdir())
        named = [p for p in inside if _ending(p)]
        several: Any = [p for p in named if _kind_of(p) == kind] or named or _plain(inside)
        if not several:
            raise MissingFileError(
                f"There are no results in {results}. Give the folder that `stroma segment` wrote."
            )
    else:
        several = results
    if isinstance(truth, str | Path) and Path(truth).is_dir():
        plain = [Path(str(p)) for p in (several if isinstance(several, list) else [several])]
        images = [p.with_name(p.name.replace(f"{_ending(p)}.", ".", 1)) for p in plain]
        return plain, for_images(images, truth)
    many, known = paired(several, list(truth) if isinstance(truth, tuple) else truth)
    return [Path(p) for p in many], [Path(p) for p in known]


def _plain(files: Sequence[Path]) -> list[Path]:
    """Return images and tables among files, whose names do not say what they are."""
    return [p for p in files if is_image(p) or p.suffix.lower() == ".csv"]


def _kind_of(path: Path) -> str:
    return KIND_OF.get(_ending(path), "classes")


def _ending(path: Path) -> str:
    """Return how the name of a result ends: "" for other files."""
    stem = path.name.split(".")[0]
    return next((end for end in ("_labels", *KIND_OF) if stem.endswith(end)), "")


def _read(path: Path, true: Path) -> tuple[NDArray[Any], NDArray[Any], tuple[float, ...]]:
    if isinstance(true, tuple):
        raise LabelError(f"{path.name} has several files of truth: {', '.join(map(str, true))}.")
    result, known = label_values(path), label_values(true)
    image = read_image(path)
    axes = image.kept_axes.replace("c", "")
    spacing = tuple(float(image.spacing.get(a, 1.0)) for a in axes)
    return np.squeeze(result), np.squeeze(known), spacing[-np.squeeze(result).ndim :]


def _classes(truths: Sequence[NDArray[Any]], ignore: Sequence[int]) -> list[int]:
    found = sorted({int(v) for t in truths for v in np.unique(t)} - set(ignore))
    if not found:
        raise LabelError("The truth is empty: nothing in it is labelled, or all is ignored.")
    return found


def _surfaces(
    result: NDArray[Any],
    true: NDArray[Any],
    labels: Sequence[int],
    spacing: tuple[float, ...],
    tolerance: float,
    ignore: Sequence[int],
) -> dict[str, float | None]:
    known = ~np.isin(true, list(ignore))
    found: dict[str, float | None] = {}
    for label in labels:
        dice, distance = surface_scores(
            (result == label) & known, true == label, spacing=spacing, tolerance=tolerance
        )
        found[f"surface dice {label}"] = _number(dice)
        found[f"hd95 {label}"] = _number(distance)
    return found


def _per_class(
    name: str, labels: Sequence[int], values: NDArray[np.float64]
) -> dict[str, float | None]:
    return {f"{name} {n}": _number(float(v)) for n, v in zip(labels, values, strict=True)}


def _mean(values: NDArray[np.float64]) -> float | None:
    seen = values[~np.isnan(values)]
    return float(seen.mean()) if len(seen) else None


def _number(value: float) -> float | None:
    """Return a number as JSON has it: None for what does not exist."""
    return value if np.isfinite(value) else None
