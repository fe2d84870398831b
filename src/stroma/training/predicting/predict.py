"""A trained network on images of any size, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.distributed import client, run_distributed
from stroma.blocks.run import run
from stroma.data.image import Image, Index
from stroma.data.statistics import require_finite
from stroma.training.feeding.resample import CUBIC, LINEAR, resampled
from stroma.training.feeding.windows import (
    Cube,
    common,
    inside,
    lattice,
    meet,
    relative,
    shape_of,
    surroundings,
)
from stroma.training.predicting.guide import Guide
from stroma.training.predicting.predictor import NetworkPredictor, core_of, tiles

Array = NDArray[np.float32]
SIDE = {2: (512, 512), 3: (64, 256, 256)}
"""Sides of blocks, in pixels."""

MOST = 2**23
LEAST = 64
"""Blocks are made smaller, to sides of so many pixels at least, where they would have more than
so many together with what decoding sees around them: that fills memory, not the block."""

MANY = 48
"""Of more channels, such as rays in volumes, blocks are half as wide: they fill memory."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One block as it travels to a worker: how to read the image, or the pixels of the window."""

    core: Cube
    shape: tuple[int, ...]
    file: tuple[tuple[str, Any], ...] | None
    selection: Mapping[str, Index]
    image: Image | None


def predicted(
    predictor: NetworkPredictor,
    image: Image,
    cores: Sequence[Cube],
    *,
    use_dask: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Array]:
    """Yield the (K, *core) prediction of every block, in their order.

    One after the other, as the network uses all processors itself.

    Parameters
    ----------
    predictor : NetworkPredictor
        For this image.
    image : Image
        Axes (c) and those of the network.
    cores : sequence of Cube
        What is wanted.
    use_dask : bool
        Run on the workers of dask.distributed.
    cancel : callable, optional
        Asked before every block.
    """
    if predictor.crop is not None:
        axes = image.kept_axes[-predictor.ndim :]
        part = image.at(**dict(zip(axes, predictor.crop, strict=True)))
        met = [common(core, predictor.crop) for core in cores if meet(core, predictor.crop)]
        inner = predicted(
            replace(predictor, crop=None),
            part,
            [relative(one, predictor.crop) for one in met],
            use_dask=use_dask,
            cancel=cancel,
        )
        yield from _with_background(predictor, cores, inner)
        return
    if predictor.first is not None:
        guide = guided_by(predictor.first, image, use_dask=use_dask, cancel=cancel)
        predictor = replace(predictor, first=None, guide=guide)
    pieces = (_piece(predictor, image, core, use_dask) for core in cores)
    if use_dask:
        with client() as active:
            yield from run_distributed(_compute, pieces, active, shared=predictor, cancel=cancel)
        return
    yield from run(lambda p: _compute(p, predictor), pieces, workers=1, cancel=cancel)


def guided_by(
    first: NetworkPredictor,
    image: Image,
    *,
    use_dask: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> Guide:
    """Return what a coarser network says of a whole image, on its own pixels.

    It is as large as a few of its patches where an image is like those that were learned from.
    """
    grid = first.grid
    assert grid is not None, "a coarser network looks at coarser pixels"
    coarse = resampled(image, grid, image.spacing)
    plain = replace(first, grid=None)
    classes = np.zeros(grid.new, np.uint8)
    cores = blocks_in(grid.new, plain)
    every = predicted(plain, coarse, cores, use_dask=use_dask, cancel=cancel)
    for core, values in zip(cores, every, strict=True):
        classes[core] = values.argmax(0)
    return Guide(classes, len(first.outputs), grid.nearest)


def _with_background(
    predictor: NetworkPredictor, cores: Sequence[Cube], found: Iterator[Array]
) -> Iterator[Array]:
    """Yield blocks of the whole image, given what was found in those that meet the crop."""
    assert predictor.crop is not None, "only of a crop there is an outside"
    for core in cores:
        result = np.zeros((len(predictor.outputs), *shape_of(core)), np.float32)
        result[0] = 1
        if meet(core, predictor.crop):
            inner = relative(common(core, predictor.crop), core)
            result[(slice(None), *inner)] = next(found)
        yield result


def _piece(predictor: NetworkPredictor, image: Image, core: Cube, use_dask: bool) -> Piece:
    shape, axes = image.shape[-len(core) :], image.kept_axes
    if not use_dask:
        return Piece(core, shape, None, {}, image)
    if image.read_with is not None:
        return Piece(core, shape, tuple(image.read_with.items()), image.selection, None)
    return Piece(core, shape, None, {}, Image(_part(image, _needed(predictor, shape, core)), axes))


@dataclass(frozen=True, eq=False)
class _Part:
    """An array of which only one box is here; the rest is never asked for."""

    values: NDArray[Any]
    box: Cube
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        count = len(self.box)
        return self.values[(*key[:-count], *relative(key[-count:], self.box))]


def _part(image: Image, box: Cube) -> _Part:
    axes = image.kept_axes[-len(box) :]
    return _Part(image.read(dict(zip(axes, box, strict=True))), box, image.shape)


def _needed(predictor: NetworkPredictor, shape: tuple[int, ...], core: Cube) -> Cube:
    """Return the pixels of the image that a block depends on."""
    if predictor.grid is not None:
        grid, plain = predictor.grid, replace(predictor, grid=None)
        there = _needed(plain, grid.new, grid.back().seen(core, order=LINEAR))
        return grid.seen(there, order=CUBIC)
    if predictor.halo is None:
        touching = [t for t in tiles(shape, predictor.patch, step=predictor.step) if meet(t, core)]
        around = tuple(
            slice(min(t[a].start for t in touching), max(t[a].stop for t in touching))
            for a in range(len(core))
        )
        return inside(around, shape)
    ndim = len(core)
    halo, stride = predictor.halo[-ndim:], predictor.stride[-ndim:]
    # What completes a window beyond the border mirrors as many pixels within it.
    wide = [h + s for h, s in zip(halo, stride, strict=True)]
    return inside(surroundings(core, wide, stride, shape, least=predictor.least), shape)


def _compute(piece: Piece, predictor: NetworkPredictor) -> Array:
    image = piece.image
    if image is None:
        from stroma.io import read_image

        image = read_image(**dict(piece.file or ())).at(**piece.selection)
    return core_of(predictor, reader(image, len(piece.core)), piece.shape, piece.core)


def reader(image: Image, ndim: int) -> Callable[[Cube], NDArray[Any]]:
    """Return what reads (C, *space) values of boxes, checked to be finite."""
    axes = image.kept_axes[-ndim:]

    def read(box: Cube) -> NDArray[Any]:
        values = image.read(dict(zip(axes, box, strict=True)))
        require_finite(values, image.source)
        return values if "c" in image.sizes else values[None]

    return read


def blocks_in(
    shape: Sequence[int],
    predictor: NetworkPredictor,
    region: Cube | None = None,
    *,
    context: int = 0,
) -> list[Cube]:
    """Return the blocks of an image that touch a region, in reading order.

    Parameters
    ----------
    shape : sequence of int
        Sides of the image.
    predictor : NetworkPredictor
        For this image.
    region : Cube, optional
        All, unless given.
    context : int
        Pixels around each block that are predicted too.
    """
    ndim = len(shape)
    few = len(predictor.outputs) <= MANY
    sides = [n if few else n // 2 for n in SIDE[ndim]]
    while prod(n + 2 * context for n in sides) > MOST and max(sides) > LEAST:
        sides[sides.index(max(sides))] //= 2
    every = lattice(shape, sides, predictor.stride[-ndim:])
    if region is None:
        return every
    wanted = inside(region, shape)
    return [box for box in every if meet(box, wanted)]
