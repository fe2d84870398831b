"""Results beside the truth: how good they are, per image and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import LabelError
from stroma.io import read_image
from stroma.io.pictures.png import read_indices
from stroma.metrics.semantic import confusion, dice_of, iou_of
from stroma.metrics.surface import surface_scores
from stroma.workflow.pairs import paired


@dataclass(frozen=True)
class Evaluation:
    """Scores of results.

    Parameters
    ----------
    labels : tuple of int
        The classes.
    images : tuple of dict
        Per image: its name and scores of every class; None where a class is in neither.
    overall : dict
        Over the pixels of all images: mean IoU and mean Dice of the classes that occur, and
        those of each class.
    """

    labels: tuple[int, ...]
    images: tuple[dict[str, Any], ...]
    overall: dict[str, Any]


def evaluate(
    results: str | Path | Sequence[str | Path],
    truth: str | Path | Sequence[str | Path],
    *,
    ignore: Sequence[int] = (),
    tolerance: float = 1.0,
) -> Evaluation:
    """Compare label images with the truth.

    Parameters
    ----------
    results, truth : folder, or list of files
        Folders pair by name, ``cells_labels.tif`` with ``cells.png``.
    ignore : sequence of int
        Labels of the truth that do not count.
    tolerance : float
        How far borders may be apart for surface Dice, in the unit of the spacing of the files
        (pixels where they have none).
    """
    found, known = _files(results, truth)
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


def _files(results: Any, truth: Any) -> tuple[list[Path], list[Path]]:
    """Pair results, whose names end in "_labels", with the truth by the name before that."""
    if isinstance(results, str | Path) and Path(results).is_dir():
        inside = sorted(Path(results).iterdir())
        several: Any = [p for p in inside if p.name.split(".")[0].endswith("_labels")] or inside
    else:
        several = results
    if isinstance(truth, str | Path) and Path(truth).is_dir():
        plain = [Path(str(p)) for p in (several if isinstance(several, list) else [several])]
        named = [p.with_name(p.name.replace("_labels.", ".", 1)) for p in plain]
        from stroma.workflow.pairs import for_images

        return plain, for_images(named, truth)
    many, known = paired(several, list(truth) if isinstance(truth, tuple) else truth)
    return [Path(p) for p in many], [Path(p) for p in known]


def _read(path: Path, true: Path) -> tuple[NDArray[Any], NDArray[Any], tuple[float, ...]]:
    if isinstance(true, tuple):
        raise LabelError(f"{path.name} has several files of truth: {', '.join(map(str, true))}.")
    result, known = _labels(path), _labels(true)
    image = read_image(path)
    axes = image.kept_axes.replace("c", "")
    spacing = tuple(float(image.spacing.get(a, 1.0)) for a in axes)
    return np.squeeze(result), np.squeeze(known), spacing[-np.squeeze(result).ndim :]


def _labels(path: Path) -> NDArray[Any]:
    stored = read_indices(path) if path.suffix.lower() == ".png" else None
    values = read_image(path).read() if stored is None else stored
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        raise LabelError(f"{path} holds fractions; labels are whole numbers.")
    return values.astype(np.int64)


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
