"""Which values of a feature to ask about: where classes change, and evenly among the rows.

A tree can only part what a border lies between. Borders at even shares of the rows miss a class
that is a narrow range of a wide feature; so half of them go to the places where, along the feature,
one class follows another. Where classes overlap there are many such places, evenly thinned.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROWS = 4096
"""Rows that borders are found with; of more, every n-th, in their canonical order."""


def borders_of(
    rows: NDArray[np.float32], codes: NDArray[np.int64], count: int
) -> list[NDArray[np.float32]]:
    """Return at most ``count`` borders of every feature, ascending; none where it is constant.

    Parameters
    ----------
    rows : (n, F) float32
        Features.
    codes : (n,) int64
        Class of every row.
    count : int
        Borders per feature.
    """
    few = slice(None, None, -(-len(rows) // ROWS))
    order = np.argsort(rows[few], axis=0, kind="stable")
    values = np.take_along_axis(rows[few], order, axis=0)
    return [_of_one(values[:, f], codes[few][order[:, f]], count) for f in range(values.shape[1])]


def _of_one(
    values: NDArray[np.float32], codes: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """Return the borders of one feature, whose values ascend."""
    steps = np.flatnonzero(values[1:] > values[:-1])
    if len(steps) > count:
        changes = steps[codes[steps + 1] != codes[steps]]
        chosen = _thinned(changes, (count + 1) // 2)
        even = np.linspace(0, len(values) - 1, count - len(chosen) + 2)[1:-1]
        nearest = steps[np.minimum(np.searchsorted(steps, even), len(steps) - 1)]
        steps = np.union1d(chosen, nearest)
    between = (values[steps].astype(np.float64) + values[steps + 1]) / 2
    return np.unique(between.astype(np.float32))


def _thinned(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Return at most so many of the places, evenly."""
    if len(places) <= most:
        return places
    return np.asarray(places[np.linspace(0, len(places) - 1, most).astype(int)])


def write_borders(path: Path, borders: list[NDArray[np.float32]]) -> None:
    """Write borders in the form in which CatBoost reads them (feature, tab, border)."""
    lines = [f"{f}\t{float(b):.9g}\n" for f, of_one in enumerate(borders) for b in of_one]
    path.write_text("".join(lines), encoding="ascii")
