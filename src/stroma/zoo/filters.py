"""Filters of other programs, as cells of our filter bank."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stroma.features.filtering.filterbank import SIGMAS
from stroma.features.filtering.filters import FILTERS
from stroma.features.naming import scale_suffix

NEAR = 1.05
"""Factor within which a scale counts as the same."""


@dataclass(frozen=True)
class Cell:
    """A filter at a scale.

    Parameters
    ----------
    name : str
        Of `FILTERS`.
    sigma : float
        In pixels.
    planes : bool
        Whether it looks at single planes of a volume.
    """

    name: str
    sigma: float
    planes: bool = True


def bank(cells: Iterable[Cell], *, volumes: bool) -> tuple[dict[str, Any], list[str]]:
    """Return parameters that choose filters, and what is to be said about their scales.

    Scales are those of the bank; another is replaced by the one nearest to it.

    Parameters
    ----------
    cells : iterable of Cell
        What was chosen.
    volumes : bool
        Whether the images are volumes.
    """
    solid = volumes and any(not cell.planes for cell in cells)
    keys, moved = set(), {}
    for cell in cells:
        sigma = min(SIGMAS, key=lambda s, c=cell: abs(math.log(s / c.sigma)))  # type: ignore[misc]
        if max(sigma / cell.sigma, cell.sigma / sigma) > NEAR:
            moved[cell.sigma] = sigma
        keys.add((cell.name, sigma, "_2d" if solid and cell.planes else ""))
    names = list(FILTERS)
    order = sorted(keys, key=lambda key: (key[2], names.index(key[0]), key[1]))
    layers = [name + scale_suffix(sigma) + ending for name, sigma, ending in order]
    said = [f"scale {a:g}: the nearest of ours is {b:g} pixels" for a, b in sorted(moved.items())]
    return {"fe_name": "ilastik_3d" if solid else "ilastik_2d", "fe_layers": layers}, said
