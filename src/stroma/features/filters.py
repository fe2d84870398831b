"""The filters of the filter bank, one entry in ``FILTERS`` each.

A filter at scale sigma is a pointwise function of Gaussian derivatives. It says which ones it
needs; what several filters need is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.features.derivatives import IX, IXX, IXY, IY, IYY, SMOOTHED, jet
from stroma.features.kernels import reach

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


class Jets(dict[Jet, Float32]):
    """The derivatives of one window, each computed once.

    Parameters
    ----------
    window : (y, x) float32
    halo : int
        Pixels of context around the core of the window.
    wanted : iterable of Jet
    """

    def __init__(self, window: Float32, halo: int, wanted: Iterable[Jet]) -> None:
        for need in sorted(set(wanted), key=lambda j: (j.order, j.margin), reverse=True):
            if not any(have.covers(need) for have in self):
                cut = halo - need.halo
                cropped = window[cut : window.shape[0] - cut, cut : window.shape[1] - cut]
                self[need] = jet(cropped, need.sigma, need.order)

    def __missing__(self, need: Jet) -> Float32:
        """Return the part of a larger jet."""
        have = next(have for have in self if have.covers(need))
        cut = have.margin - need.margin
        values = self[have]
        return values[:, cut : values.shape[1] - cut, cut : values.shape[2] - cut]


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
    compute: Callable[[Mapping[Jet, Float32], float, Float32], None]

    def halo(self, sigma: float) -> int:
        """Return the context, in pixels, that a scale needs."""
        return max(need.halo for need in self.needs(sigma))


def _gaussian(jets: Mapping[Jet, Float32], sigma: float, out: Float32) -> None:
    out[0] = jets[Jet(sigma, 0)][SMOOTHED]


def _laplacian(jets: Mapping[Jet, Float32], sigma: float, out: Float32) -> None:
    second = jets[Jet(sigma, 2)]
    np.add(second[IYY], second[IXX], out=out[0])


def _gradient(jets: Mapping[Jet, Float32], sigma: float, out: Float32) -> None:
    first = jets[Jet(sigma, 1)]
    np.hypot(first[IY], first[IX], out=out[0])


def _dog(jets: Mapping[Jet, Float32], sigma: float, out: Float32) -> None:
    np.subtract(jets[Jet(sigma, 0)][SMOOTHED], jets[Jet(sigma / 2, 0)][SMOOTHED], out=out[0])


def _structure(jets: Mapping[Jet, Float32], sigma: float, out: Float32) -> None:
    _, gy, gx = jets[Jet(sigma / 2, 1, reach(sigma, 0))]
    yy, xy, xx = (jet(a * b, sigma, 0)[0] for a, b in ((gy, gy), (gy, gx), (gx, gx)))
    _eigenvalues(yy, xy, xx, out)


def _hessian(jets: Mapping[Jet, Float32], sigma: float, out: Float32) -> None:
    second = jets[Jet(sigma, 2)]
    _eigenvalues(second[IYY], second[IXY], second[IXX], out)


def _eigenvalues(yy: Float32, xy: Float32, xx: Float32, out: Float32) -> None:
    """Write the larger and the smaller eigenvalue of [[yy, xy], [xy, xx]]."""
    mean, half = (yy + xx) / 2, np.hypot((yy - xx) / 2, xy)
    np.add(mean, half, out=out[0])
    np.subtract(mean, half, out=out[1])


FILTERS: dict[str, Filter] = {
    "gaussian": Filter(("gaussian",), lambda s: (Jet(s, 0),), _gaussian),
    "laplacian": Filter(("laplacian",), lambda s: (Jet(s, 2),), _laplacian),
    "gradient": Filter(("gradient",), lambda s: (Jet(s, 1),), _gradient),
    "dog": Filter(("dog",), lambda s: (Jet(s, 0), Jet(s / 2, 0)), _dog),
    "structure": Filter(
        ("structure_max", "structure_min"), lambda s: (Jet(s / 2, 1, reach(s, 0)),), _structure
    ),
    "hessian": Filter(("hessian_max", "hessian_min"), lambda s: (Jet(s, 2),), _hessian),
}
