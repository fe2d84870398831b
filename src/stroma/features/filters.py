"""The filters of the filter bank, one entry in ``FILTERS`` each.

A filter at scale sigma is a pointwise function of Gaussian derivatives. It says which ones it
needs; what several filters need is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.features.derivatives import Derivatives, jet, planes, smooth
from stroma.features.kernels import reach
from stroma.features.pointwise import eigenvalues, magnitude

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Jet:
    """All Gaussian derivatives up to an order, on the core and ``margin`` pixels around it."""

    sigma: float
    order: int
    margin: int = 0

    @property
    def halo(self) -> int:
        """Pixels around the core that are read."""
        return self.margin + reach(self.sigma, self.order)

    def covers(self, other: Jet) -> bool:
        """Tell whether this one contains the other."""
        return (
            self.sigma == other.sigma and self.order >= other.order and self.margin >= other.margin
        )


class Jets(dict[Jet, Derivatives]):
    """The derivatives of one window, each computed once.

    Parameters
    ----------
    window : (y, x) float32
        From ``derivatives.planes``.
    halo : int
        Pixels of context around the core of the window.
    wanted : iterable of Jet
    """

    def __init__(self, window: Float32, halo: int, wanted: Iterable[Jet]) -> None:
        for need in sorted(set(wanted), key=lambda j: (j.order, j.margin), reverse=True):
            if not any(have.covers(need) for have in self):
                self[need] = jet(_trim(window, halo - need.halo), need.sigma, need.order)

    def __missing__(self, need: Jet) -> Derivatives:
        """Return the part of a larger jet."""
        have = next(have for have in self if have.covers(need))
        cut = have.margin - need.margin
        return {order: _trim(values, cut) for order, values in self[have].items()}


def _trim(image: Float32, cut: int) -> Float32:
    height, width = image.shape
    return image[cut : height - cut, cut : width - cut]


@dataclass(frozen=True)
class Filter:
    """One filter.

    Parameters
    ----------
    outputs : tuple of str
        Names of its features, without the scale.
    needs : callable
        ``sigma -> jets``; the filter's halo follows from them.
    compute : callable
        ``(jets, sigma, out)`` writes the features of the core to ``out`` (n, y, x).
    """

    outputs: tuple[str, ...]
    needs: Callable[[float], tuple[Jet, ...]]
    compute: Callable[[Jets, float, Float32], None]

    def halo(self, sigma: float) -> int:
        """Return the context, in pixels, that a scale needs."""
        return max(need.halo for need in self.needs(sigma))


def _gaussian(jets: Jets, sigma: float, out: Float32) -> None:
    out[0] = jets[Jet(sigma, 0)][0, 0]


def _laplacian(jets: Jets, sigma: float, out: Float32) -> None:
    second = jets[Jet(sigma, 2)]
    np.add(second[2, 0], second[0, 2], out=out[0])


def _gradient(jets: Jets, sigma: float, out: Float32) -> None:
    first = jets[Jet(sigma, 1)]
    magnitude(first[1, 0], first[0, 1], out=out[0])


def _dog(jets: Jets, sigma: float, out: Float32) -> None:
    np.subtract(jets[Jet(sigma, 0)][0, 0], jets[Jet(sigma / 2, 0)][0, 0], out=out[0])


def _structure(jets: Jets, sigma: float, out: Float32) -> None:
    """Average the products of the gradient (at half the scale) with itself."""
    radius = reach(sigma, 0)
    inner = jets[Jet(sigma / 2, 1, radius)]
    dy, dx = inner[1, 0], inner[0, 1]
    products = planes(3, *dy.shape)
    for product, (a, b) in zip(products, ((dy, dy), (dy, dx), (dx, dx)), strict=True):
        np.multiply(a, b, out=product)
    eigenvalues(*(smooth(product, sigma, radius) for product in products), out=out)


def _hessian(jets: Jets, sigma: float, out: Float32) -> None:
    second = jets[Jet(sigma, 2)]
    eigenvalues(second[2, 0], second[1, 1], second[0, 2], out=out)


FILTERS = {
    "gaussian": Filter(("gaussian",), lambda s: (Jet(s, 0),), _gaussian),
    "laplacian": Filter(("laplacian",), lambda s: (Jet(s, 2),), _laplacian),
    "gradient": Filter(("gradient",), lambda s: (Jet(s, 1),), _gradient),
    "dog": Filter(("dog",), lambda s: (Jet(s, 0), Jet(s / 2, 0)), _dog),
    "structure": Filter(
        ("structure_max", "structure_min"), lambda s: (Jet(s / 2, 1, reach(s, 0)),), _structure
    ),
    "hessian": Filter(("hessian_max", "hessian_min"), lambda s: (Jet(s, 2),), _hessian),
}
