"""The derivatives that filters need, of one plane or of a volume plane by plane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.features.filtering.derivatives import (
    Derivatives,
    Room,
    jet,
    planes,
    smooth,
)
from stroma.features.filtering.derivatives3d import (
    along_plane,
    along_z,
    averaged_plane,
    averaged_products,
    jet_of_plane,
)
from stroma.features.filtering.filters import Jet, Need, Tensor, of_order, orders

Float32 = NDArray[np.float32]

NEAR = 8
"""Planes that a kernel reaches along z at most to be applied plane by plane."""


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
        From ``Room.solids``.
    halo : (int, int, int)
        Voxels of context around the core of the window.
    wanted : iterable of Jet or Tensor
    units : (float, float, float)
        Voxels in a unit of length along every axis.
    room : Room
        What they are kept in: there is one slab of a room at a time.
    """

    def __init__(
        self,
        window: Float32,
        halo: Sequence[int],
        wanted: Iterable[Need],
        units: tuple[float, float, float],
        room: Room,
    ) -> None:
        self._units, self._room = units, room
        self._windows: dict[Jet, Float32] = {}
        self._along: dict[Jet, Float32] = {}
        self._products: dict[Tensor, Float32] = {}
        for i, need in enumerate(sorted(set(wanted), key=_cost, reverse=True)):
            cuts = (h - need.reach(unit) for h, unit in zip(halo, units, strict=True))
            trimmed = _trim(window, *cuts)
            if isinstance(need, Tensor):
                self._products[need] = self._multiplied(trimmed, need)
            elif self._holder(need) is None:
                self._windows[need] = trimmed
                if need.reach(units[0]) > NEAR:
                    name = f"along {i}"
                    self._along[need] = along_z(
                        trimmed, need.sigma, need.order, units[0], room, name
                    )

    def plane(self, z: int) -> _Plane:
        """Return what is known of one plane of the core."""
        return _Plane(self, z)

    def derivatives(self, need: Need, z: int) -> Derivatives:
        """Return the derivatives of one plane of the core."""
        if isinstance(need, Tensor):
            entries = averaged_plane(
                self._products[need], z, need.sigma, self._units[1], self._room
            )
            return dict(zip(orders(2, 3), entries, strict=True))
        holder = self._holder(need)
        assert holder is not None
        sigma, name = holder.sigma, f"jet {holder}"
        if holder in self._along:
            along = self._along[holder]
        else:
            window, order = self._windows[holder], holder.order
            along, z = along_plane(window, z, sigma, order, self._units[0], self._room), 0
        return jet_of_plane(along, z, sigma, self._units[1:], self._room, name)

    def _holder(self, need: Jet) -> Jet | None:
        """Return the jet that contains another."""
        fitting = (h for h in self._windows if h.sigma == need.sigma and h.order >= need.order)
        return next(fitting, None)

    def _multiplied(self, window: Float32, need: Tensor) -> Float32:
        """Return the six products of the gradient with itself, averaged along z and x."""
        return averaged_products(window, need.gradient.sigma, need.sigma, self._units, self._room)


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
