"""Where objects are, how large, and of what form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.objects import hulls, kernels
from stroma.objects.boxes import Located
from stroma.objects.lattice import crofton, directions

Columns = dict[str, NDArray[Any]]
Size = NDArray[np.float64] | None
"""(3,) size of a pixel along z, y, x in µm, along z 0 in a plane; None where it is unknown."""

BOX = ("front", "top", "left", "back", "bottom", "right")
ONE = np.ones(3)


def place(found: Located, size: Size, *, volume: bool) -> Columns:
    """Return where objects are, and how large.

    Boxes end outside; centroids are whole numbers in the centres of pixels.
    """
    first = 0 if volume else 1
    columns: Columns = {}
    for a in range(first, 3):
        columns[f"centroid_{'zyx'[a]}_px"] = found.centre[:, a]
    for a in range(first, 3):
        if size is not None:
            columns[f"centroid_{'zyx'[a]}_um"] = found.centre[:, a] * size[a]
    for end in (0, 3):
        columns |= {BOX[a + end]: found.box[:, a + end] for a in range(first, 3)}
    columns["touches_border"] = found.touches.astype(np.int64)
    what, unit, micro = ("volume", "vx", "um3") if volume else ("area", "px", "um2")
    columns[f"{what}_{unit}"] = found.count
    if size is not None:
        columns[f"{what}_{micro}"] = found.count * size[first:].prod()
    return columns


def shape(found: Located, size: Size, *, volume: bool) -> Columns:
    """Return border, axes of the ellipse or ellipsoid with the same moments, and Euler number."""
    n, steps = len(found), directions(volume=volume)
    second, euler = np.zeros((n, 3, 3)), np.zeros(n, np.int64)
    perimeter, crossings = np.zeros(n), np.zeros((n, len(steps)), np.int64)
    found.each(
        kernels.forms,
        *(found.labels, found.codes, found.box, found.centre, steps),
        *(second, euler, perimeter, crossings),
    )
    columns: Columns = {"euler_number": euler}
    dimensions = found.box[:, 3:] - found.box[:, :3]
    columns["extent"] = found.count / np.maximum(dimensions.prod(axis=1), 1)
    spread = second / found.count[:, None, None]
    for unit, scale in _scales(size):
        columns |= _diameter(found.count, scale, unit, volume=volume)
        columns |= _axes(spread * np.multiply.outer(scale, scale), unit, volume=volume)
        columns |= _border(perimeter, crossings, steps, scale, unit, volume=volume)
    form = ONE if size is None else size
    border = crofton(crossings, steps, form)
    if volume:
        radius = np.cbrt(found.count * form.prod() * 3 / (4 * np.pi))
        columns["sphericity"] = _ratio(4 * np.pi * radius**2, border)
    else:
        columns["circularity"] = _ratio(4 * np.pi * found.count * form[1:].prod(), border**2)
        columns |= _plane_axes(spread[:, 1:, 1:] * np.multiply.outer(form, form)[1:, 1:])
    return columns


def _scales(size: Size) -> list[tuple[str, NDArray[np.float64]]]:
    return [("px", ONE), *([] if size is None else [("um", size)])]


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(a, b, out=np.full(len(a), np.nan), where=b > 0))


def _diameter(
    count: NDArray[np.int64], scale: NDArray[np.float64], unit: str, *, volume: bool
) -> Columns:
    """Return the diameter of the disc or ball of the same size."""
    if volume:
        diameter = np.cbrt(6 * count * scale.prod() / np.pi)
    else:
        diameter = np.sqrt(4 * count * scale[1:].prod() / np.pi)
    return {f"equivalent_diameter_{unit}": diameter}


def _axes(spread: NDArray[np.float64], unit: str, *, volume: bool) -> Columns:
    """Return full lengths of the axes, from (n, 3, 3) covariances of coordinates."""
    if not volume:
        values = np.linalg.eigvalsh(spread[:, 1:, 1:]).clip(min=0)
        minor, major = 4 * np.sqrt(values).T
        return {f"axis_major_{unit}": major, f"axis_minor_{unit}": minor}
    values = np.linalg.eigvalsh(spread).clip(min=0)
    # a solid ellipsoid with half axes a, b, c has variances a²/5, b²/5, c²/5
    minor, middle, major = 2 * np.sqrt(5 * values).T
    return {
        f"axis_major_{unit}": major,
        f"axis_middle_{unit}": middle,
        f"axis_minor_{unit}": minor,
    }


def _plane_axes(spread: NDArray[np.float64]) -> Columns:
    """Return how long drawn an object is, and the angle from y to its long axis, towards x."""
    values = np.linalg.eigvalsh(spread).clip(min=0)
    short = np.divide(values[:, 0], values[:, 1], out=np.ones(len(values)), where=values[:, 1] > 0)
    yy, xx, yx = spread[:, 0, 0], spread[:, 1, 1], spread[:, 0, 1]
    return {
        "eccentricity": np.sqrt(1 - short),
        "axis_ratio": np.sqrt(short),
        "orientation_rad": 0.5 * np.arctan2(2 * yx, yy - xx),
    }


def _border(
    perimeter: NDArray[np.float64],
    crossings: NDArray[np.int64],
    steps: NDArray[np.int64],
    scale: NDArray[np.float64],
    unit: str,
    *,
    volume: bool,
) -> Columns:
    """Return the length of the border, by joined pixels if they are square; or the surface."""
    if volume:
        return {f"surface_{unit}2": crofton(crossings, steps, scale)}
    columns = {f"perimeter_crofton_{unit}": crofton(crossings, steps, scale)}
    if np.isclose(scale[1], scale[2], rtol=1e-6):
        columns[f"perimeter_{unit}"] = perimeter * scale[2]
    return columns


def hull(found: Located, size: Size, *, volume: bool) -> Columns:
    """Return solidity (the part of the convex hull that is filled), and Feret's diameters."""
    if volume:
        from stroma.objects.solid_hulls import solid_hulls

        return solid_hulls(found, _scales(size))
    columns: Columns = {}
    for unit, scale in _scales(size):
        out = np.zeros((len(found), 3))
        found.each(hulls.hulls, found.labels, found.codes, found.box, scale[1:].copy(), out)
        columns["solidity"] = found.count / np.maximum(out[:, hulls.AREA], 1)
        columns[f"feret_max_{unit}"] = out[:, hulls.FERET]
        columns[f"feret_min_{unit}"] = out[:, hulls.LEAST]
        columns["feret_ratio"] = _ratio(out[:, hulls.LEAST], out[:, hulls.FERET])
    return columns
