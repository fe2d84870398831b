"""Probabilities of coarse cells at every pixel, with the image as guide.

Kopf, Cohen, Lischinski and Uyttendaele, Joint bilateral upsampling, SIGGRAPH 2007,
doi 10.1145/1276377.1276497: a pixel gets the mean of the cells around it, weighted by how near they
are and how much they look like it. Means are those of logits; what looks alike follows from the
noise of the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEAR = 0.5
"""Deviation of the weight of distance, in cells of the coarsest map."""

CUT = 3
"""Deviations beyond which cells do not count."""

ALIKE = 0.3
"""Deviation of the weight of likeness, in deviations of the image, where there is no noise."""

JOINT_REACH = 3
"""Cells of the coarsest map beyond which nothing counts: ``CUT * NEAR``, in whole finer cells."""

LEAST = 1e-6
"""Probabilities are taken to be no smaller."""


@dataclass(frozen=True)
class Joint:
    """How cells are weighted.

    Parameters
    ----------
    step : int
        Side of a cell, in pixels.
    near : float
        Deviation of the weight of distance, in pixels.
    alike : float
        Deviation of the weight of likeness, in units of the guide.
    """

    step: int
    near: float
    alike: float

    @classmethod
    def of(cls, step: int, coarsest: int, softness: float) -> Joint:
        """Return the weights for cells, the coarsest cell, and the guide's variance of noise."""
        return cls(step, NEAR * coarsest, math.sqrt(ALIKE**2 + softness))

    @property
    def radius(self) -> int:
        """Cells to every side that count."""
        return math.ceil(CUT * self.near / self.step)

    def upsample(
        self,
        probabilities: NDArray[np.float32],
        guide: NDArray[np.float32],
        *,
        first: tuple[int, int] = (0, 0),
        shape: tuple[int, int] | None = None,
    ) -> NDArray[np.float32]:
        """Return the probabilities of pixels.

        Parameters
        ----------
        probabilities : (K, h, w) float32
            Of cells, adding up to 1.
        guide : (y, x) float32
            The image, from the first pixel of the cells as far as it reaches: of cells beyond, only
            what lies within it is looked at.
        first : (int, int)
            First pixel wanted, counted likewise.
        shape : (int, int), optional
            Pixels wanted; as many as the guide has, unless given.

        Returns
        -------
        (K, *shape) float32
            Adding up to 1.
        """
        sides = guide.shape if shape is None else shape
        means = _cell_means(guide, self.step, probabilities.shape[1:])
        out = np.empty((*sides, len(probabilities)), np.float32)
        _mix(
            np.ascontiguousarray(np.moveaxis(np.log(np.maximum(probabilities, LEAST)), 0, -1)),
            means,
            guide,
            np.array(first, np.int64),
            self._nearness(),
            np.float32(0.5 / self.alike**2),
            out,
        )
        odds = np.moveaxis(np.exp(out - out.max(axis=-1, keepdims=True)), -1, 0)
        return np.asarray(odds / odds.sum(axis=0))

    def _nearness(self) -> NDArray[np.float32]:
        """Return (step, 2 radius + 1) weights: place of the pixel in its cell, and cells away."""
        within = (np.arange(self.step) + 0.5) / self.step - 0.5
        away = np.arange(-self.radius, self.radius + 1) - within[:, None]
        return np.exp(-np.square(away * self.step / self.near) / 2).astype(np.float32)


def _cell_means(
    guide: NDArray[np.float32], step: int, cells: tuple[Any, ...]
) -> NDArray[np.float32]:
    """Return the mean of the guide in every cell, NaN in those that it does not reach."""
    totals, counts = guide.astype(np.float64), np.ones(guide.shape)
    for axis, n in enumerate(cells):
        cell = np.arange(guide.shape[axis]) // step
        totals, counts = (_summed(v, cell, n, axis) for v in (totals, counts))
    means = np.full(cells, np.nan)
    return np.divide(totals, counts, out=means, where=counts > 0).astype(np.float32)


def _summed(
    values: NDArray[np.float64], cell: NDArray[np.intp], n: int, axis: int
) -> NDArray[np.float64]:
    """Return the sums of values along an axis, by the cell that each belongs to."""
    shape = list(values.shape)
    shape[axis] = n
    sums = np.zeros(shape)
    np.add.at(np.moveaxis(sums, axis, 0), cell, np.moveaxis(values, axis, 0))
    return sums


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"})
def _mix(logits, means, guide, first, nearness, sharpness, out):  # type: ignore[no-untyped-def]
    """Write the weighted means of the logits of the cells around every pixel."""
    rows, columns, classes = logits.shape
    step, taps = nearness.shape
    radius = taps // 2
    top, left = first
    for y in range(out.shape[0]):
        row, in_row = divmod(y + top, step)
        for x in range(out.shape[1]):
            column, in_column = divmod(x + left, step)
            own = guide[y + top, x + left]
            pixel, total = out[y, x], np.float32(0)
            pixel[:] = 0
            for a in range(max(0, radius - row), min(taps, rows - row + radius)):
                for b in range(max(0, radius - column), min(taps, columns - column + radius)):
                    r, c = row + a - radius, column + b - radius
                    unlike = means[r, c] - own
                    if np.isnan(unlike):
                        continue
                    weight = (
                        nearness[in_row, a]
                        * nearness[in_column, b]
                        * (np.exp(-sharpness * unlike * unlike) + np.float32(1e-8))
                    )
                    total += weight
                    for k in range(classes):
                        pixel[k] += weight * logits[r, c, k]
            for k in range(classes):
                pixel[k] /= total
