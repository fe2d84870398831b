"""Where the objects of a label image are: a first look that later ones are built on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import LabelError
from stroma.objects import kernels

MOST_SPREAD = 2**26
"""Labels above this (and above the number of pixels) are renumbered, not looked up."""

TASKS = 8
"""Parts for each core in which objects are shared out, since they differ in size."""


@dataclass(frozen=True, eq=False)
class Located:
    """The objects of one frame.

    Parameters
    ----------
    labels : (z, y, x) int32
        Numbers in which ``codes`` are found; a plane has depth one.
    names : (n,) int64
        Labels of the objects, ascending.
    codes : (n,) int32
        Their values in ``labels``.
    count : (n,) int64
        Pixels of each.
    centre : (n, 3) float64
        Centroids z, y, x; whole numbers are centres of pixels.
    box : (n, 6) int64
        First z, y, x, then the ends, which lie outside.
    """

    labels: NDArray[np.int32]
    names: NDArray[np.int64]
    codes: NDArray[np.int32]
    count: NDArray[np.int64]
    centre: NDArray[np.float64]
    box: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.names)

    @property
    def touches(self) -> NDArray[np.bool_]:
        """The (n,) objects at the border of the image, along axes longer than one pixel."""
        ends = np.array(self.labels.shape)
        at = (self.box[:, :3] == 0) | (self.box[:, 3:] == ends)
        return np.asarray(at[:, ends > 1].any(axis=1))

    def each(self, kernel: Callable[..., None], *args: Any) -> None:
        """Run a kernel on all objects, on all cores: ``kernel(first, end, *args)``."""
        cores = cpu_count() or 1
        size = max(1, -(-len(self) // (cores * TASKS)))
        with ThreadPoolExecutor(cores) as pool:
            parts = range(0, len(self), size)
            list(pool.map(lambda a: kernel(a, min(a + size, len(self)), *args), parts))


def located(labels: NDArray[np.integer]) -> Located:
    """Return where the objects of a plane or volume are.

    Parameters
    ----------
    labels : (y, x) or (z, y, x) int array
        The objects; 0 is none.

    Raises
    ------
    LabelError
        If labels are no integers, or negative.
    """
    solid = checked(labels).reshape((1,) * (3 - labels.ndim) + labels.shape)
    most = int(solid.max(initial=0))
    if most > max(MOST_SPREAD, solid.size) or most >= 2**31:
        names, inverse = np.unique(solid, return_inverse=True)
        first = 1 if names[0] == 0 else 0
        names, codes = names[first:], np.arange(1, len(names) - first + 1)
        solid = inverse.reshape(solid.shape) + (1 - first)
    else:
        seen = np.zeros(most + 1, np.bool_)
        solid = np.ascontiguousarray(solid, np.int32)
        kernels.mark(solid, seen)
        names = codes = np.flatnonzero(seen[1:]) + 1
    ready = np.ascontiguousarray(solid, np.int32)
    return _measured(ready, names.astype(np.int64), codes.astype(np.int32))


def checked(labels: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return labels, if they are integers from 0 on."""
    if labels.dtype.kind not in "iub":
        raise LabelError(
            f"Labels of objects are integers, got {labels.dtype}. Find objects in probabilities "
            "with a threshold first."
        )
    if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
        raise LabelError("Labels of objects are 0 or above; some are negative.")
    return labels


def _measured(
    solid: NDArray[np.int32], names: NDArray[np.int64], codes: NDArray[np.int32]
) -> Located:
    row = np.full(int(codes.max(initial=0)) + 1, -1, np.int32)
    row[codes] = np.arange(len(codes))
    count, sums = np.zeros(len(codes), np.int64), np.zeros((len(codes), 3))
    box = np.zeros((len(codes), 6), np.int64)
    box[:, :3] = np.iinfo(np.int64).max
    kernels.locate(solid, row, count, sums, box)
    return Located(solid, names, codes, count, sums / count[:, None], box)
