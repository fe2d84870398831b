"""Points on surfaces: which particles sit on a membrane, how far from it, and which way is out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.io import read_image
from stroma.io.cells import write_table
from stroma.io.points import ORDER, read_points
from stroma.workflow.scoring.compared import label_values

SMOOTH = 1.0
"""Width in pixels by which distances are smoothed, so that steps of pixels are no slopes."""

FLAT = 0.1
"""Where distances rise by less than this per unit, as in the middle of a membrane, the way out is
that to the nearest pixel outside."""


@dataclass(frozen=True, eq=False)
class Sitting:
    """Points on a surface.

    Parameters
    ----------
    kept : (n,) int array
        Which of the points are.
    distances : (n,) float array
        To the surface, in the unit of the spacing; below 0 within the membrane.
    normals : (n, ndim) float array
        Of length 1 in space, out of the membrane.
    """

    kept: NDArray[np.intp]
    distances: NDArray[np.float64]
    normals: NDArray[np.float64]


def on_surface(
    points: NDArray[np.float64], mask: NDArray[np.bool_], *, spacing: Sequence[float], within: float
) -> Sitting:
    """Return the points that are near the surface of what a mask shows.

    Parameters
    ----------
    points : (n, ndim) float array
        In pixels.
    mask : (*space) bool array
        The membrane.
    spacing : sequence of float
        Size of a pixel along every axis.
    within : float
        How far from the surface a point may be, in the unit of the spacing.
    """
    if within < 0:
        raise ParameterError(f"within is a distance from 0, got {within}.")
    if not mask.any():
        raise LabelError("There is no membrane: no pixel has its label.")
    sizes = np.asarray(spacing, float)
    outside = ndimage.distance_transform_edt(~mask, sampling=sizes)
    inside, nearest = ndimage.distance_transform_edt(mask, sampling=sizes, return_indices=True)
    half = float(sizes.min()) / 2
    signed = np.where(mask, half - inside, outside - half)
    at = points.T
    far = ndimage.map_coordinates(signed, at, order=1, mode="nearest")
    kept = np.flatnonzero(np.abs(far) <= within)
    smooth = ndimage.gaussian_filter(signed, SMOOTH)
    slopes = [np.gradient(smooth, size, axis=axis) for axis, size in enumerate(sizes)]
    normals = np.stack(
        [ndimage.map_coordinates(s, at[:, kept], order=1, mode="nearest") for s in slopes], 1
    )
    flat = np.linalg.norm(normals, axis=1) < FLAT
    if flat.any():
        places = points[kept[flat]]
        last = np.array(mask.shape) - 1
        pixels = tuple(np.rint(places).astype(int).clip(0, last).T)
        normals[flat] = (nearest[(slice(None), *pixels)].T - places) * sizes
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return Sitting(kept, far[kept], normals / np.maximum(lengths, 1e-12))


def write_particles(
    points: str | Path,
    labels: str | Path,
    out: str | Path,
    *,
    label: int | None = None,
    within: float = 3.0,
) -> int:
    """Write the points of a table that sit on a membrane, and return how many they are.

    Parameters
    ----------
    points : path
        CSV with columns y, x (and z) in pixels, as ``stroma segment`` writes it.
    labels : path
        Label image of the membranes; its spacing and unit hold.
    out : path
        CSV with the positions in pixels, the distance to the surface, and normals.
    label : int, optional
        Of the membrane; all above 0, unless given.
    within : float
        How far from the surface points may be, in the unit of the image (pixels, if it has none).

    Raises
    ------
    ShapeError
        If points and image have different axes.
    """
    places, values = read_points(Path(points)), np.squeeze(label_values(Path(labels)))
    if places.shape[1] != values.ndim:
        raise ShapeError(
            f"{points} has {places.shape[1]} coordinates, and {labels} has {values.ndim} axes."
        )
    image = read_image(labels)
    axes = "zyx"[-values.ndim :]
    spacing = [float(image.spacing.get(a, 1.0)) for a in axes]
    mask = values > 0 if label is None else values == label
    found = on_surface(places, mask, spacing=spacing, within=within)
    rows = _rows(places[found.kept], found, axes)
    unit = image.unit or "pixels"
    shown = [a for a in ORDER if a in axes]
    heads = [*shown, f"distance_{unit}", *(f"normal_{a}" for a in shown)]
    write_table(Path(out), heads, rows)
    return len(rows)


def _rows(places: NDArray[Any], found: Sitting, axes: str) -> list[list[str]]:
    order = [axes.index(a) for a in ORDER if a in axes]
    table = np.column_stack([places[:, order], found.distances, found.normals[:, order]])
    return [[f"{v:.6g}" for v in row] for row in table.tolist()]
