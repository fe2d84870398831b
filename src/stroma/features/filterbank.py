"""Many filters at many scales: the features of ilastik's pixel classification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError, UnknownNameError
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filters import FILTERS, Jets
from stroma.features.naming import per_channel, scale_suffix
from stroma.registry import suggestion

SIGMAS = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
"""The scales of ilastik, in pixels."""

Matrix = tuple[tuple[str, float], ...]
"""Cells (filter, sigma): what is computed, in this order."""


def grid(filters: Sequence[str] = tuple(FILTERS), sigmas: Sequence[float] = SIGMAS) -> Matrix:
    """Return the cells of every filter at every scale, filter by filter."""
    return tuple((name, float(sigma)) for name in filters for sigma in sigmas)


FULL = grid()
"""Every filter at every scale, as in ilastik."""


@dataclass(frozen=True)
class FilterBank:
    """Filters of every channel at selected scales, in two dimensions.

    The filters are those of ilastik: ``gaussian``, ``laplacian`` (of the Gaussian), ``gradient``
    (magnitude), ``dog`` (Gaussian less one of half the sigma), ``structure`` (eigenvalues of the
    structure tensor: gradients at half the sigma, averaged at sigma) and ``hessian``
    (eigenvalues); the last two give the larger and the smaller eigenvalue. A kernel reaches
    ``ceil((3 + order / 2) sigma)`` pixels.

    Parameters
    ----------
    matrix : tuple of (str, float)
        Filters with their sigma in pixels, one by one; ``grid`` makes all pairs of some:
        ``FilterBank(grid(["gaussian", "hessian"], [1.0, 3.5]))``. Default: all six at seven
        scales from 0.3 to 10, which are 56 features per channel.
    """

    matrix: Matrix = FULL

    def __post_init__(self) -> None:
        """Check the cells and bring them into one form (saved ones come as lists)."""
        cells = tuple((str(name), float(sigma)) for name, sigma in self.matrix)
        for name, sigma in cells:
            if name not in FILTERS:
                hint = suggestion(name, list(FILTERS))
                raise UnknownNameError(f"No filter named {name!r}. {hint}")
            if not (math.isfinite(sigma) and sigma > 0):
                raise ParameterError(f"The sigma of {name!r} is in pixels above 0, got {sigma}.")
        if not cells or len(set(cells)) < len(cells):
            raise ParameterError(f"Select at least one filter, and each once; got {cells}.")
        object.__setattr__(self, "matrix", cells)

    @property
    def halo(self) -> int:
        """Context of the filter that reaches farthest."""
        return max(FILTERS[name].halo(sigma) for name, sigma in self.matrix)

    @property
    def stride(self) -> int:
        """Any core will do."""
        return 1

    @property
    def wants(self) -> Wants:
        """Any number of channels."""
        return Wants()

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``hessian_max_s1.6``, after ``channel:`` where there are several."""
        features = [
            output + scale_suffix(sigma)
            for name, sigma in self.matrix
            for output in FILTERS[name].outputs
        ]
        return per_channel(channels, features)

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Compute the features of one block, channel by channel."""
        margin = 2 * self.halo
        core = (block.shape[1] - margin, block.shape[2] - margin)
        counts = [len(FILTERS[name].outputs) for name, _ in self.matrix]
        out = np.empty((len(block), sum(counts), *core), np.float32)
        starts = [end - n for end, n in zip(accumulate(counts), counts, strict=True)]
        for window, features in zip(block, out, strict=True):
            for sigma in dict.fromkeys(sigma for _, sigma in self.matrix):
                slots = {
                    name: features[start : start + n]
                    for (name, s), start, n in zip(self.matrix, starts, counts, strict=True)
                    if s == sigma
                }
                self._fill(np.ascontiguousarray(window), sigma, slots)
        return [FeatureMap(out.reshape(-1, *core))]

    def _fill(
        self, window: NDArray[np.float32], sigma: float, slots: dict[str, NDArray[np.float32]]
    ) -> None:
        """Write the features of one scale; what its filters share is computed once."""
        needs = [need for name in slots for need in FILTERS[name].needs(sigma)]
        jets = Jets(window, self.halo, needs)
        for name, out in slots.items():
            FILTERS[name].compute(jets, sigma, out)
