"""The filters of the filter banks, one entry in ``FILTERS`` each.

A filter at scale sigma is a pointwise function of Gaussian derivatives, in planes and in volumes
alike. It says which ones it needs; what several filters need is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from stroma.features.filtering.derivatives import Derivatives
from stroma.features.filtering.kernels import reach
from stroma.features.filtering.pointwise import eigenvalues, magnitude

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Jet:
    """All Gaussian derivatives up to an order."""

    sigma: float
    order: int

    def reach(self, unit: float = 1.0) -> int:
        """Return how far it reads along an axis with so many pixels in a unit of length."""
        return reach(self.sigma * unit, self.order)


@dataclass(frozen=True)
class Tensor:
    """The structure tensor: products of the gradient at half the scale, averaged at the scale.

    Its entries have the orders of derivative that those of the Hessian have.
    """

    sigma: float

    @property
    def gradient(self) -> Jet:
        """What is multiplied with itself."""
        return Jet(self.sigma / 2, 1)

    @property
    def average(self) -> Jet:
        """What the products are averaged with."""
        return Jet(self.sigma, 0)

    def reach(self, unit: float = 1.0) -> int:
        """Return how far it reads along an axis with so many pixels in a unit of length."""
        return self.average.reach(unit) + self.gradient.reach(unit)


Need = Jet | Tensor
Found = Mapping[Need, Derivatives]


@dataclass(frozen=True)
class Filter:
    """One filter.

    Parameters
    ----------
    stem : str
        Its name.
    needs : callable
        ``sigma -> needs``; the filter's halo follows from them.
    compute : callable
        ``(found, sigma, out)`` writes the features of one plane to ``out`` (n, y, x).
    per_axis : bool
        Whether it gives one value per axis, eigenvalues, rather than one.
    """

    stem: str
    needs: Callable[[float], tuple[Need, ...]]
    compute: Callable[[Found, float, Float32], None]
    per_axis: bool = False

    def outputs(self, axes: int = 2) -> tuple[str, ...]:
        """Return the names of its features in two or three axes, without the scale."""
        if not self.per_axis:
            return (self.stem,)
        ranks = ("max", "min") if axes == 2 else ("max", "mid", "min")
        return tuple(f"{self.stem}_{rank}" for rank in ranks)

    def halo(self, sigma: float, unit: float = 1.0) -> int:
        """Return the context that a scale needs along an axis."""
        return max(need.reach(unit) for need in self.needs(sigma))


def orders(total: int, axes: int) -> list[tuple[int, ...]]:
    """Return all orders of derivative with a sum; with sum 2, the triangle of the Hessian."""
    chosen = combinations_with_replacement(range(axes), total)
    return [tuple(c.count(axis) for axis in range(axes)) for c in chosen]


def of_order(found: Derivatives, total: int) -> list[Float32]:
    """Return the derivatives of one order, as `orders` lists them."""
    return [found[o] for o in orders(total, len(next(iter(found))))]


def _gaussian(found: Found, sigma: float, out: Float32) -> None:
    [out[0]] = of_order(found[Jet(sigma, 0)], 0)


def _laplacian(found: Found, sigma: float, out: Float32) -> None:
    second = found[Jet(sigma, 2)]
    first, *rest = [second[o] for o in second if max(o) == 2]
    np.add(rest[0], first, out=out[0])
    for other in rest[1:]:
        out[0] += other


def _gradient(found: Found, sigma: float, out: Float32) -> None:
    magnitude(*of_order(found[Jet(sigma, 1)], 1), out=out[0])


def _dog(found: Found, sigma: float, out: Float32) -> None:
    [wide], [narrow] = (of_order(found[Jet(s, 0)], 0) for s in (sigma, sigma / 2))
    np.subtract(wide, narrow, out=out[0])


def _structure(found: Found, sigma: float, out: Float32) -> None:
    eigenvalues(*of_order(found[Tensor(sigma)], 2), out=out)


def _hessian(found: Found, sigma: float, out: Float32) -> None:
    eigenvalues(*of_order(found[Jet(sigma, 2)], 2), out=out)


FILTERS = {
    f.stem: f
    for f in (
        Filter("gaussian", lambda s: (Jet(s, 0),), _gaussian),
        Filter("laplacian", lambda s: (Jet(s, 2),), _laplacian),
        Filter("gradient", lambda s: (Jet(s, 1),), _gradient),
        Filter("dog", lambda s: (Jet(s, 0), Jet(s / 2, 0)), _dog),
        Filter("structure", lambda s: (Tensor(s),), _structure, per_axis=True),
        Filter("hessian", lambda s: (Jet(s, 2),), _hessian, per_axis=True),
    )
}
