"""One result in a file beside its truth: objects, points, images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import LabelError, ShapeError
from stroma.io import read_image
from stroma.io.pictures.png import read_indices
from stroma.io.points import read_points
from stroma.metrics.detection import detection_scores
from stroma.metrics.instances import instance_scores
from stroma.metrics.restoration import restoration_scores


def object_scores(
    path: Path, true: Path, *, ignore: Sequence[int], cutoff: float
) -> dict[str, float]:
    """Return the scores of objects by number; those of the truth that are ignored do not count."""
    result, truth = (np.squeeze(label_values(p)) for p in (path, true))
    _require_same(result, truth, path, true)
    return instance_scores(result, np.where(np.isin(truth, list(ignore)), -1, truth))


def point_scores(
    path: Path, true: Path, *, ignore: Sequence[int], cutoff: float
) -> dict[str, float]:
    """Return the scores of points in CSV files with columns y, x (and z), in pixels."""
    return detection_scores(read_points(path), read_points(true), cutoff=cutoff)


def image_scores(
    path: Path, true: Path, *, ignore: Sequence[int], cutoff: float
) -> dict[str, float]:
    """Return the scores of a restored image beside the clean one."""
    result, truth = (np.squeeze(read_image(p).read()) for p in (path, true))
    _require_same(result, truth, path, true)
    return restoration_scores(result, truth)


def label_values(path: Path) -> NDArray[Any]:
    """Return the labels in a file.

    Raises
    ------
    LabelError
        If they are fractions.
    """
    stored = read_indices(path) if path.suffix.lower() == ".png" else None
    values = read_image(path).read() if stored is None else stored
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        raise LabelError(f"{path} holds fractions; labels are whole numbers.")
    return values.astype(np.int64)


def _require_same(result: NDArray[Any], truth: NDArray[Any], path: Path, true: Path) -> None:
    if result.shape != truth.shape:
        raise ShapeError(
            f"{path} has {result.shape} pixels, its truth {true} has {truth.shape}. They are "
            "compared pixel by pixel; check that they belong together."
        )
