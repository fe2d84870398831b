"""Points as CSV: pixels first, then the unit of the image."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import LabelError, MissingFileError
from stroma.io.cells import write_table

ORDER = "yxzt"
"""Columns of pixels, in this order, as far as the points have them."""


def write_points(path: Path, table: NDArray[np.float64], axes: str, image: Image) -> None:
    """Write points: ``y``, ``x`` (``z``, ``t``) in pixels, then in the unit of the image.

    Parameters
    ----------
    path : Path
        Where to.
    table : (n, axes and more) float array
        Coordinates in the order of the axes, then a probability, where there is one.
    axes : str
        Of the coordinates.
    image : Image
        Whose spacing and unit hold.
    """
    pixels = [a for a in ORDER if a in axes]
    spaced = [a for a in pixels if a in image.spacing and a != "t"] if image.unit else []
    heads = [*pixels, *(f"{a}_{image.unit}" for a in spaced)]
    scored = table.shape[1] > len(axes)
    rows = []
    for row in table:
        at = dict(zip(axes, row.tolist(), strict=False))
        values = [*(at[a] for a in pixels), *(at[a] * image.spacing[a] for a in spaced)]
        rows.append([f"{v:.7g}" for v in [*values, *row[len(axes) :].tolist()]])
    write_table(path, [*heads, "probability"] if scored else heads, rows)


def read_points(path: Path) -> NDArray[np.float64]:
    """Return (n, 2) positions y, x or (n, 3) z, y, x in pixels.

    Raises
    ------
    MissingFileError, LabelError
        If there is no such file, or it has no such columns, or they hold no numbers.
    """
    if not path.exists():
        raise MissingFileError(f"There is no file {path}.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        heads = [head.strip().lower() for head in next(reader, [])]
        rows = [row for row in reader if row]
    axes = [a for a in "zyx" if a in heads]
    if axes[-2:] != ["y", "x"]:
        said = ", ".join(heads) or "no columns"
        raise LabelError(f"{path} has {said}; points have the columns y, x (and z).")
    places = [heads.index(a) for a in axes]
    try:
        found = [[float(row[i]) for i in places] for row in rows]
    except (ValueError, IndexError) as error:
        raise LabelError(f"{path} holds positions that are no numbers: {error}.") from error
    points = np.array(found, float).reshape(len(rows), len(axes))
    if not np.isfinite(points).all():
        first = int(np.flatnonzero(~np.isfinite(points).all(1))[0])
        raise LabelError(
            f"{path} holds positions that are no numbers: point {first + 1} is "
            f"{', '.join(map(str, found[first]))}. Take it out."
        )
    return points
