"""Values of an image inside objects and around them, and which objects are near."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.objects.boxes import Located
from stroma.objects.lattice import ball
from stroma.objects.shape import Columns, Size
from stroma.objects.values import PERCENTS, around, inside

NONE = np.zeros((0, 0, 0), np.uint8)


def brightness(
    found: Located,
    values: NDArray[Any],
    size: Size,
    ring: float,
    name: str,
    *,
    within: bool,
    outside: bool,
) -> Columns:
    """Return statistics of one channel; names end in the channel's."""
    columns = _inside(found, values, size) if within else {}
    if outside:
        mean, spread = _around(found, values, size, ring)[1].T
        columns |= {"ring_mean": mean, "ring_std": spread}
        if within:
            columns["contrast"] = columns["intensity_mean"] - mean
    return {f"{column}_{name}" if name else column: c for column, c in columns.items()}


def likelihood(found: Located, values: NDArray[Any], name: str) -> Columns:
    """Return the mean probability of one class in every object."""
    return {f"probability_{name}".rstrip("_"): _statistics(found, values)[:, 0]}


def neighbourhood(found: Located, size: Size, ring: float) -> Columns:
    """Return how many objects are within the ring, and how far the nearest centre is."""
    return {"neighbours": _around(found, NONE, size, ring)[0]} | nearest(found, size)


def nearest(found: Located, size: Size) -> Columns:
    """Return how far the nearest centre is."""
    columns: Columns = {"nearest_px": _nearest(found.centre)}
    if size is not None:
        columns["nearest_um"] = _nearest(found.centre * size)
    return columns


def _statistics(found: Located, values: NDArray[Any]) -> NDArray[np.float64]:
    out = np.full((len(found), 8 + len(PERCENTS)), np.nan)
    percents = np.array(PERCENTS, np.float64)
    where = found.labels, found.codes, found.box, found.count, found.centre
    found.each(inside, *where, values, percents, out)
    return out


def _inside(found: Located, values: NDArray[Any], size: Size) -> Columns:
    out = _statistics(found, values)
    heads = ("mean", "std", "min", "max", "sum")
    columns: Columns = {f"intensity_{head}": out[:, i] for i, head in enumerate(heads)}
    columns |= {f"intensity_p{p:02d}": out[:, 8 + i] for i, p in enumerate(PERCENTS)}
    columns["mass_shift_px"] = np.linalg.norm(out[:, 5:8], axis=1)
    if size is not None:
        columns["mass_shift_um"] = np.linalg.norm(out[:, 5:8] * size, axis=1)
    return columns


def _around(
    found: Located, values: NDArray[Any], size: Size, ring: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    count, out = np.zeros(len(found), np.int64), np.full((len(found), 2), np.nan)
    steps = ring_steps(found, size, ring)
    found.each(around, found.labels, found.codes, found.box, steps, values, count, out)
    return count, out


def ring_steps(found: Located, size: Size, ring: float) -> NDArray[np.int64]:
    """Return the (k, 3) steps from a pixel to those near enough for the ring."""
    spacing = np.ones(3) if size is None else size.copy()
    if found.labels.shape[0] == 1:
        spacing[0] = 0
    return ball(ring, spacing)


def _nearest(centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the nearest other centre is; NaN for an object that is alone."""
    from scipy.spatial import KDTree

    if len(centre) < 2:
        return np.full(len(centre), np.nan)
    return np.asarray(KDTree(centre).query(centre, k=2)[0][:, 1])
