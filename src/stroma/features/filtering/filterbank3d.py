"""The filters of ilastik in three dimensions, as they are in the sample."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import PerAxis
from stroma.errors import ParameterError, ShapeError, UnknownNameError
from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.derivatives import Room
from stroma.features.filtering.filterbank import FULL, FilterBank, check_reach
from stroma.features.filtering.filterbank import Matrix as FlatMatrix
from stroma.features.filtering.filters import FILTERS
from stroma.features.filtering.jets import Slab
from stroma.features.half import not_finite, to_half
from stroma.features.naming import filter_of, per_channel, scale_suffix
from stroma.registry import suggestion

Float32 = NDArray[np.float32]

Values = NDArray[Any]
"""Features in single or half precision."""

Cell = tuple[str, float, int]
"""A filter at a scale, in 3 axes or within planes (2)."""

Matrix = tuple[Cell, ...]
"""What is computed, in this order."""

Voxel = tuple[float, float, float]
"""Size along z, y and x."""

CUBE: Voxel = (1.0, 1.0, 1.0)

TILE = 128
"""Largest sides along y and x that are computed at once."""

DEPTH = 32
"""Largest side along z that is computed at once."""


def solid(cells: FlatMatrix, axes: int = 3) -> Matrix:
    """Return the cells of a matrix for planes (see `filterbank.grid`) as some of volumes."""
    return tuple((name, sigma, axes) for name, sigma in cells)


FULL3 = solid(FULL)
"""Every filter at every scale of ilastik, in three dimensions."""


@dataclass(frozen=True)
class VolumeFilterBank:
    """Filters of every channel at selected scales, in three dimensions or within planes.

    The filters are those of `FilterBank`; ``structure`` and ``hessian`` give three eigenvalues.
    Lengths are those of the sample: where the distance of planes is not that of pixels, a kernel
    reaches over fewer or more of them, and derivatives are per pixel along x.

    Parameters
    ----------
    matrix : tuple of (str, float, int)
        Filters with their sigma and the number of axes, 3, or 2 for filters of each plane alone.
        Default: all six at seven scales from 0.3 to 10 in three dimensions, which are 70 features
        per channel.
    unit : {"px", "µm"}
        What sigma is given in: pixels along x, or micrometres.
    voxel : (float, float, float)
        Size of a voxel along z, y and x, in µm; only ratios matter where sigma is in pixels. A
        model takes it from the image, see `sized`.
    """

    matrix: Matrix = FULL3
    unit: str = "px"
    voxel: Voxel = CUBE

    axes = "zyx"

    def __post_init__(self) -> None:
        """Check the cells and bring them into one form (saved ones come as lists)."""
        cells = tuple((str(name), float(sigma), int(axes)) for name, sigma, axes in self.matrix)
        for name, sigma, axes in cells:
            if name not in FILTERS:
                hint = suggestion(name, list(FILTERS))
                raise UnknownNameError(f"No filter named {name!r}. {hint}")
            if not (math.isfinite(sigma) and sigma > 0):
                raise ParameterError(f"The sigma of {name!r} is a length above 0, got {sigma}.")
            if axes not in (2, 3):
                raise ParameterError(f"The filter {name!r} has 2 or 3 axes, got {axes}.")
        if not cells or len(set(cells)) < len(cells):
            raise ParameterError(f"Select at least one filter, and each once; got {cells}.")
        if self.unit not in ("px", "µm"):
            raise ParameterError(f"The unit of sigma is 'px' or 'µm', got {self.unit!r}.")
        object.__setattr__(self, "matrix", cells)
        object.__setattr__(self, "voxel", checked_voxel(self.voxel))
        check_reach(dict(zip("zyx", self.halo, strict=True)))

    @classmethod
    def layer_keys(cls) -> list[str]:
        """Return filters at scales by name, like ``hessian_s1.6``, and ``hessian_s1.6_2d``."""
        return [_called(name, sigma, "", axes) for axes in (3, 2) for name, sigma in FULL]

    @classmethod
    def layer_of(cls, key: str) -> str | None:
        """Return what a filter at any scale is called, as ``hessian_s0.5um_2d``; None for none.

        Scales are in pixels along x, or, with "um", in the sample.
        """
        found = filter_of(key)
        if found is None or found[0] not in FILTERS:
            return None
        name, sigma, unit, axes = found
        return _called(name, sigma, "um" if unit == "µm" else "", axes)

    @classmethod
    def from_layers(cls, layers: Sequence[str]) -> VolumeFilterBank:
        """Return the bank of some filters by name.

        Raises
        ------
        ParameterError
            If some sigmas are in pixels and others in µm.
        """
        found = [cell for cell in map(filter_of, layers) if cell is not None]
        units = {unit for _, _, unit, _ in found}
        if len(units) > 1:
            raise ParameterError(
                f"Sigmas are all in pixels or all in µm, got {', '.join(layers)}. Leave out 'um' "
                "everywhere, or add it everywhere."
            )
        cells = tuple((name, sigma, axes) for name, sigma, _, axes in found)
        return cls(cells, next(iter(units), "px"))

    def sized(self, voxel: Voxel | None) -> VolumeFilterBank:
        """Return the bank for images with voxels of that size, in µm; None where it is unknown.

        Raises
        ------
        ParameterError
            If it must be known.
        """
        if voxel is None and self.unit == "µm":
            raise ParameterError(
                "Filters with sigmas in µm need images that know the size of their voxels. Set "
                "the parameter voxel_size to [z, y, x] in µm, or use sigmas in pixels."
            )
        return replace(self, voxel=voxel or CUBE)

    @property
    def units(self) -> tuple[float, float, float]:
        """Voxels in the unit of length along z, y and x."""
        z, y, x = self.voxel
        length = 1.0 if self.unit == "µm" else x
        return length / z, length / y, length / x

    @property
    def halo(self) -> PerAxis:
        """Context of the filter that reaches farthest, along every axis."""
        return _halo(self.matrix, self.units)

    @property
    def stride(self) -> int:
        """Any core will do."""
        return 1

    @property
    def wants(self) -> Wants:
        """Any number of channels."""
        return Wants()

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``hessian_mid_s1.6``, after ``channel:`` where there are several."""
        return per_channel(channels, _names(self.matrix, "um" if self.unit == "µm" else ""))

    def __call__(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block, channel by channel.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        return [FeatureMap(self._computed(block, np.float32))]

    def halved(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block in half precision.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        ImageError
            If a feature is not finite.
        """
        return [FeatureMap(self._computed(block, np.float16))]

    def _computed(self, block: Float32, dtype: type[np.floating]) -> Values:
        halo = self.halo
        core = core_sides(block, halo)
        counts = [len(FILTERS[name].outputs(axes)) for name, _, axes in self.matrix]
        features = np.empty((len(block), sum(counts), *core), dtype)
        room = Room()
        for channel, out in zip(block, features, strict=True):
            for tile in tiles(core):
                parts = np.split(out[(slice(None), *tile)], np.cumsum(counts)[:-1])
                window = channel[with_halo(tile, halo)]
                self._fill(dict(zip(self.matrix, parts, strict=True)), window, room)
        found: Values = features.reshape(-1, *core)
        return found

    def _fill(self, parts: Mapping[Cell, Values], window: Float32, room: Room) -> None:
        """Write the features of one tile, the largest scale first, which needs most room."""
        flat = {(name, sigma): out for (name, sigma, axes), out in parts.items() if axes == 2}
        if flat:
            self._fill_planes(flat, window)
        solid_parts = {(name, sigma): out for (name, sigma, n), out in parts.items() if n == 3}
        if not solid_parts:
            return
        first = next(iter(solid_parts.values()))
        half = first.dtype == np.float16
        scratch = np.empty((3, *first.shape[2:]), np.float32) if half else None
        [copy] = room.solids("window", 1, *window.shape)
        copy[:] = window
        for scale in sorted({sigma for _, sigma in solid_parts}, reverse=True):
            here = [(FILTERS[n], out) for (n, sigma), out in solid_parts.items() if sigma == scale]
            needs = [need for filter_, _ in here for need in filter_.needs(scale)]
            slab = Slab(copy, self.halo, needs, self.units, room)
            for z in range(here[0][1].shape[1]):
                plane = slab.plane(z)
                for filter_, out in here:
                    if scratch is None:
                        filter_.compute(plane, scale, out[:, z])
                    else:
                        filter_.compute(plane, scale, scratch[: len(out)])
                        _put(scratch[: len(out)], out[:, z])

    def _fill_planes(self, parts: Mapping[tuple[str, float], Values], window: Float32) -> None:
        """Write the features of filters within planes."""
        depth, rows, columns = self.halo
        length = self.units[2]  # planes are taken to have square pixels
        bank = FilterBank(tuple((name, sigma * length) for name, sigma in parts))
        top, left = rows - bank.halo, columns - bank.halo
        for z in range(window.shape[0] - 2 * depth):
            plane = window[depth + z, top : window.shape[1] - top, left : window.shape[2] - left]
            [found] = bank(plane[None])
            first = 0
            for out in parts.values():
                _put(found.values[first : first + len(out)], out[:, z])
                first += len(out)


def _put(values: Float32, out: Values) -> None:
    """Write features of a plane (n, y, x), in single or half precision."""
    if out.dtype == np.float32:
        out[:] = values
    elif not to_half(values, out)[1]:
        raise not_finite()


def _called(name: str, sigma: float, unit: str, axes: int) -> str:
    """Return the name of a filter, or of one of its outputs, at a scale."""
    return name + scale_suffix(sigma) + unit + ("_2d" if axes == 2 else "")


@cache
def _names(matrix: Matrix, unit: str) -> tuple[str, ...]:
    """Return the names of one channel's features, which are asked for block by block."""
    return tuple(
        _called(output, sigma, unit, axes)
        for name, sigma, axes in matrix
        for output in FILTERS[name].outputs(axes)
    )


@cache
def _halo(matrix: Matrix, units: tuple[float, float, float]) -> PerAxis:
    z, y, x = (
        max((FILTERS[name].halo(sigma, unit) for name, sigma, n in matrix if n >= least), default=0)
        for unit, least in zip((units[0], units[2], units[2]), (3, 2, 2), strict=True)
    )
    if units[1] == units[2]:
        return z, y, x
    own = (FILTERS[name].halo(sigma, units[1]) for name, sigma, n in matrix if n == 3)
    flat = (FILTERS[name].halo(sigma, units[2]) for name, sigma, n in matrix if n == 2)
    return z, max((*own, *flat)), x


def checked_voxel(voxel: Sequence[float]) -> Voxel:
    """Return the size of a voxel as three floats, if it is one.

    Raises
    ------
    ParameterError
        If it is not three lengths above 0.
    """
    sizes = [float(v) for v in voxel]
    if len(sizes) != 3 or not all(math.isfinite(v) and v > 0 for v in sizes):
        raise ParameterError(
            f"The size of a voxel is three lengths above 0, along z, y and x; got {voxel!r}."
        )
    z, y, x = sizes
    return z, y, x


def core_sides(block: Float32, halo: PerAxis) -> PerAxis:
    """Return the sides of what is left of a block (C, z, y, x) without its halo.

    Raises
    ------
    ShapeError
        If nothing is left.
    """
    depth, height, width = (n - 2 * h for n, h in zip(block.shape[1:], halo, strict=True))
    if min(depth, height, width) < 1:
        raise ShapeError(
            f"A block (C, z, y, x) is larger than its halo of {halo} voxels on every side; "
            f"got the shape {block.shape}."
        )
    return depth, height, width


def tiles(core: PerAxis) -> Iterator[tuple[slice, slice, slice]]:
    """Yield parts of a core whose derivatives stay near the processor while in use."""
    depth, height, width = core
    for z in range(0, depth, DEPTH):
        for y in range(0, height, TILE):
            for x in range(0, width, TILE):
                yield (
                    slice(z, min(z + DEPTH, depth)),
                    slice(y, min(y + TILE, height)),
                    slice(x, min(x + TILE, width)),
                )


def with_halo(tile: Sequence[slice], halo: PerAxis) -> tuple[slice, ...]:
    """Return where a part of a core lies, with its context, in the block."""
    return tuple(slice(t.start, t.stop + 2 * h) for t, h in zip(tile, halo, strict=True))
