"""Many filters at many scales: the features of ilastik's pixel classification."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError, UnknownNameError
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.derivatives import core_shape, in_planes
from stroma.features.filtering.filters import FILTERS
from stroma.features.filtering.jets import Jets
from stroma.features.naming import filter_of, per_channel, scale_suffix
from stroma.registry import suggestion

SIGMAS = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
"""The scales of ilastik, in pixels."""

Float32 = NDArray[np.float32]

Cell = tuple[str, float]
"""A filter at a scale, in pixels."""

Matrix = tuple[Cell, ...]
"""What is computed, in this order."""


def grid(filters: Sequence[str] = tuple(FILTERS), sigmas: Sequence[float] = SIGMAS) -> Matrix:
    """Return the cells of every filter at every scale, filter by filter."""
    return tuple((name, float(sigma)) for name in filters for sigma in sigmas)


TILE = 256
"""Largest side that is computed at once; the values do not depend on it, the speed does."""

MOST_REACH = 2000
"""Pixels that a kernel reads on either side, at most: more come of a wrong sigma or spacing."""

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
        check_reach({"y and x": _halo(cells)})
        object.__setattr__(self, "matrix", cells)

    @classmethod
    def layer_keys(cls) -> list[str]:
        """Return the cells of the full matrix by name, like ``hessian_s1.6``."""
        return [name + scale_suffix(sigma) for name, sigma in FULL]

    @classmethod
    def layer_of(cls, key: str) -> str | None:
        """Return what a filter at any scale is called, as ``hessian_s2.5``; None for what is none.

        The scales of `layer_keys` are those of ilastik; others may be chosen as well.
        """
        found = filter_of(key)
        if found is None or found[0] not in FILTERS or found[2:] != ("px", 3):
            return None
        return found[0] + scale_suffix(found[1])

    @classmethod
    def from_layers(cls, layers: Sequence[str]) -> FilterBank:
        """Return the bank of some filters by name."""
        found = [filter_of(layer) for layer in layers]
        return cls(tuple(cell[:2] for cell in found if cell is not None))

    @property
    def halo(self) -> int:
        """Context of the filter that reaches farthest."""
        return _halo(self.matrix)

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
        return per_channel(channels, _names(self.matrix))

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Compute the features of one block, channel by channel.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        halo = self.halo
        core = core_shape(block, halo)
        counts = [len(FILTERS[name].outputs()) for name, _ in self.matrix]
        features = np.empty((len(block), sum(counts), *core), np.float32)
        for channel, out in zip(block, features, strict=True):
            for y, x in _tiles(*core):
                window = channel[y.start : y.stop + 2 * halo, x.start : x.stop + 2 * halo]
                parts = np.split(out[:, y, x], np.cumsum(counts)[:-1])
                _fill(dict(zip(self.matrix, parts, strict=True)), in_planes(window), halo)
        return [FeatureMap(features.reshape(-1, *core))]


def check_reach(halos: Mapping[str, int]) -> None:
    """Refuse kernels that reach farther than any image, given by the axes along which they do.

    Raises
    ------
    ParameterError
        If one does.
    """
    for axis, halo in halos.items():
        if halo > MOST_REACH:
            raise ParameterError(
                f"A filter would read {halo} pixels on either side along {axis}; {MOST_REACH} are "
                "possible. Choose a smaller sigma, or check the size of a voxel."
            )


@cache
def _names(matrix: Matrix) -> tuple[str, ...]:
    """Return the names of one channel's features, which are asked for block by block."""
    return tuple(
        output + scale_suffix(sigma) for name, sigma in matrix for output in FILTERS[name].outputs()
    )


@cache
def _halo(matrix: Matrix) -> int:
    return max(FILTERS[name].halo(sigma) for name, sigma in matrix)


def _tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield parts of a core whose derivatives stay in the processor's cache while in use."""
    for y in range(0, height, TILE):
        for x in range(0, width, TILE):
            yield slice(y, min(y + TILE, height)), slice(x, min(x + TILE, width))


def _fill(parts: Mapping[Cell, Float32], window: Float32, halo: int) -> None:
    """Write the features of one channel, scale by scale, since the filters share most there."""
    for scale in dict.fromkeys(sigma for _, sigma in parts):
        here = [(FILTERS[name], out) for (name, sigma), out in parts.items() if sigma == scale]
        jets = Jets(window, halo, [need for filter_, _ in here for need in filter_.needs(scale)])
        for filter_, out in here:
            filter_.compute(jets, scale, out)
