"""The derivatives that filters need, of one plane or of a volume plane by plane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.features.derivatives import (
    Derivatives,
    along_z,
    jet,
    planes,
    product_along_z,
    smooth,
    solids,
)
from stroma.features.filters import Jet, Need, Tensor, of_order, orders

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class _Margined:
    """A jet on the core and ``margin`` pixels around it."""

    jet: Jet
    margin: int = 0

    @property
    def halo(self) -> int:
        return self.margin + self.jet.reach()

    def covers(self, other: _Margined) -> bool:
        """Tell whether this one contains the other."""
        mine, its = self.jet, other.jet
        return mine.sigma == its.sigma and mine.order >= its.order and self.margin >= other.margin


class Jets(dict[Need, Derivatives]):
    """The derivatives of one window of a plane, each computed once.

    Parameters
    ----------
    window : (y, x) float32
        From ``derivatives.planes``.
    halo : int
        Pixels of context around the core of the window.
    wanted : iterable of Jet or Tensor
    """

    def __init__(self, window: Float32, halo: int, wanted: Iterable[Need]) -> None:
        self._known: dict[_Margined, Derivatives] = {}
        asked = {_margined(need) for need in wanted}
        for one in sorted(asked, key=lambda m: (m.jet.order, m.margin), reverse=True):
            if not any(have.covers(one) for have in self._known):
                trimmed = _trim(window, halo - one.halo)
                self._known[one] = jet(trimmed, one.jet.sigma, one.jet.order)

    def __missing__(self, need: Need) -> Derivatives:
        """Return the part of a larger jet, or what is made of one."""
        if isinstance(need, Tensor):
            return _averaged(self._part(_margined(need)), need)
        return self._part(_margined(need))

    def _part(self, wanted: _Margined) -> Derivatives:
        have = next(have for have in self._known if have.covers(wanted))
        cut = have.margin - wanted.margin
        return {order: _trim(values, cut) for order, values in self._known[have].items()}


def _margined(need: Need) -> _Margined:
    return (
        _Margined(need.gradient, need.average.reach())
        if isinstance(need, Tensor)
        else _Margined(need)
    )


def _averaged(gradient: Derivatives, need: Tensor) -> Derivatives:
    """Average the products of the gradient with itself."""
    first = of_order(gradient, 1)
    products = planes(3, *first[0].shape)
    for product, (a, b) in zip(products, combinations_with_replacement(first, 2), strict=True):
        np.multiply(a, b, out=product)
    radius = need.average.reach()
    return {
        order: smooth(product, need.sigma, radius)
        for order, product in zip(orders(2, 2), products, strict=True)
    }


def _trim(image: Float32, *cuts: int) -> Float32:
    """Cut off the borders of the last axes, the same along y and x if one number is given."""
    cuts = cuts * image.ndim if len(cuts) == 1 else cuts
    sides = image.shape[-len(cuts) :]
    inner: Any = tuple(slice(c, n - c) for c, n in zip(cuts, sides, strict=True))
    found: Float32 = image[(..., *inner)]
    return found


class Slab:
    """The derivatives of one window of a volume, filtered along z once and then plane by plane.

    Parameters
    ----------
    window : (z, y, x) float32
        From ``derivatives.solids``.
    halo : (int, int, int)
        Voxels of context around the core of the window.
    wanted : iterable of Jet or Tensor
    units : (float, float, float)
        Voxels in a unit of length along every axis.
    """

    def __init__(
        self,
        window: Float32,
        halo: Sequence[int],
        wanted: Iterable[Need],
        units: tuple[float, float, float],
    ) -> None:
        self._units = units
        self._along: dict[Jet, Float32] = {}
        self._products: dict[Tensor, list[Float32]] = {}
        for need in sorted(set(wanted), key=_cost, reverse=True):
            cuts = (h - need.reach(unit) for h, unit in zip(halo, units, strict=True))
            trimmed = _trim(window, *cuts)
            if isinstance(need, Tensor):
                self._products[need] = self._multiplied(trimmed, need)
            elif self._holder(need) is None:
                self._along[need] = along_z(trimmed, need.sigma, need.order, units[0])

    def plane(self, z: int) -> _Plane:
        """Return what is known of one plane of the core."""
        return _Plane(self, z)

    def derivatives(self, need: Need, z: int) -> Derivatives:
        """Return the derivatives of one plane of the core."""
        if isinstance(need, Tensor):
            flat = self._units[1:]
            entries = (product[z] for product in self._products[need])
            smoothed = (jet(e, need.sigma, 0, flat)[0, 0] for e in entries)
            return dict(zip(orders(2, 3), smoothed, strict=True))
        holder = self._holder(need)
        assert holder is not None
        return self._jet(holder, self._along[holder], z)

    def _holder(self, need: Jet) -> Jet | None:
        """Return the jet that contains another."""
        fitting = (h for h in self._along if h.sigma == need.sigma and h.order >= need.order)
        return next(fitting, None)

    def _jet(self, need: Jet, along: Float32, z: int) -> Derivatives:
        """Filter one plane, or rather its derivatives along z, along y and x."""
        found: Derivatives = {}
        for order, volume in enumerate(along):
            rest = Jet(need.sigma, need.order - order)
            cuts = (need.reach(unit) - rest.reach(unit) for unit in self._units[1:])
            plane = _trim(volume[z], *cuts)
            for (y, x), values in jet(plane, rest.sigma, rest.order, self._units[1:]).items():
                found[order, y, x] = values
        return found

    def _multiplied(self, window: Float32, need: Tensor) -> list[Float32]:
        """Return the six products of the gradient with itself, averaged along z."""
        along = along_z(window, need.gradient.sigma, 1, self._units[0])
        margins = (2 * need.gradient.reach(unit) for unit in self._units[1:])
        height, width = (n - m for n, m in zip(along.shape[2:], margins, strict=True))
        gradient = solids(3, along.shape[1], height, width)
        for z in range(along.shape[1]):
            for goal, part in zip(
                gradient, of_order(self._jet(need.gradient, along, z), 1), strict=True
            ):
                goal[z] = part
        pairs = combinations_with_replacement(gradient, 2)
        return [product_along_z(a, b, need.sigma, self._units[0]) for a, b in pairs]


class _Plane(dict[Need, Derivatives]):
    """What is known of one plane of a slab; what is asked for is computed."""

    def __init__(self, slab: Slab, z: int) -> None:
        self._slab, self._z = slab, z

    def __missing__(self, need: Need) -> Derivatives:
        holder = self._slab._holder(need) if isinstance(need, Jet) else None
        key = holder or need
        if key not in self:
            self[key] = self._slab.derivatives(key, self._z)
        return self[key]


def _cost(need: Need) -> tuple[float, int]:
    """Order needs so that what contains others comes first."""
    return need.sigma, need.order if isinstance(need, Jet) else 0
