"""A trained network with the statistics of one image: the prediction of a block of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stroma.blocks.predictor import Sides
from stroma.data.statistics import Statistics
from stroma.targets.contract import Target
from stroma.targets.turns import Turn, mirrors
from stroma.training.feeding.normalise import Normalisation
from stroma.training.feeding.resample import CUBIC, LINEAR, Grid
from stroma.training.feeding.windows import (
    Cube,
    common,
    cube,
    meet,
    read_mirrored,
    relative,
    shape_of,
    surroundings,
)
from stroma.training.predicting.guide import Guide
from stroma.training.predicting.members import members

Array = NDArray[np.float32]
CPU = torch.device("cpu")

HALF = 0.5
"""Tiles overlap by so much, unless the network says otherwise, as nnU-Net has it."""


@dataclass(frozen=True, eq=False)
class NetworkPredictor:
    """A network with the statistics of one image; a `stroma.blocks.predictor.Predictor`.

    Parameters
    ----------
    module : nn.Module
        In use, not in training; of several (`stroma.training.predicting.members`) the mean is
        taken.
    target : Target
        What its channels mean.
    scale : Normalisation
        Of intensities.
    statistics : Statistics
        Of the image.
    patch : tuple of int
        Sides of the tiles that are blended, where results depend on the whole window.
    mirror : bool
        Take the mean over all mirror images.
    device : torch.device
        Where it runs.
    grid : Grid, optional
        Pixels of the size that was learned from, over an image whose pixels have another.
    crop : Cube, optional
        The part of the image that is looked at; everything else is of the first class.
    first : NetworkPredictor, optional
        Of the coarser network of a cascade, with the grid that it looks at the image on.
    guide : Guide, optional
        What that said of the image.
    """

    module: nn.Module
    target: Target
    scale: Normalisation
    statistics: Statistics
    patch: tuple[int, ...]
    mirror: bool = False
    device: torch.device = CPU
    grid: Grid | None = None
    crop: Cube | None = None
    first: NetworkPredictor | None = None
    guide: Guide | None = None

    @property
    def ndim(self) -> int:
        """Spatial axes of the network."""
        return len(self.patch)

    @property
    def halo(self) -> Sides | None:
        """Pixels around a core that its result depends on; None where it is the whole window."""
        found = members(self.module)[0].halo
        return None if found is None else _three(found, 0)  # type: ignore[arg-type]

    @property
    def stride(self) -> Sides:
        """What windows are aligned with."""
        return _three(members(self.module)[0].stride, 1)  # type: ignore[arg-type]

    @property
    def least(self) -> tuple[int, ...]:
        """Sides that windows have at least, where images are as large."""
        return tuple(getattr(members(self.module)[0], "least", (0,) * self.ndim))

    @property
    def step(self) -> float:
        """How far apart tiles are, in parts of a tile, where results depend on all of it."""
        return float(getattr(members(self.module)[0], "step", HALF))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the channels."""
        return self.target.channels()

    def predict(self, block: Array, /) -> Array:
        """Return the (K, z, y, x) prediction of the (C, z, y, x) pixels of a window."""
        if self.ndim == 3:
            return self.window(block)
        return np.stack([self.window(plane) for plane in block.swapaxes(0, 1)], axis=1)

    def window(self, pixels: NDArray[Any]) -> Array:
        """Return the (K, *space) prediction of (C, *space) pixels, with the network's axes."""
        ready = self._ready(pixels)
        if not self.mirror:
            return self._run(ready)
        every = list(mirrors(self.ndim))
        total = sum(self._mirrored(ready, turn) for turn in every)
        return np.asarray(total / len(every), np.float32)

    def _ready(self, pixels: NDArray[Any]) -> Array:
        """Return pixels scaled, followed by what a coarser network said as it is."""
        count = len(self.scale.schemes)
        ready = self.scale(pixels[:count], self.statistics)
        return ready if len(pixels) == count else np.concatenate([ready, pixels[count:]])

    def _mirrored(self, ready: Array, turn: Turn) -> Array:
        found = self._run(np.ascontiguousarray(turn.apply(ready)))
        return self.target.turned_back(found, turn)

    def _run(self, ready: Array) -> Array:
        with torch.inference_mode():
            images = torch.from_numpy(ready)[None].to(self.device)
            every = [self.target.activate(one(images))[0] for one in members(self.module)]
            mean = every[0] if len(every) == 1 else torch.stack(every).mean(0)
            found: Array = mean.float().cpu().numpy()
        return found


def _three(values: Sequence[int], first: int) -> Sides:
    padded = (first,) * (3 - len(values)) + tuple(int(v) for v in values)
    return padded[0], padded[1], padded[2]


def core_of(
    predictor: NetworkPredictor,
    read: Callable[[Cube], NDArray[Any]],
    shape: Sequence[int],
    core: Cube,
) -> Array:
    """Return the (K, *core) prediction of a block.

    With a halo, it is that of the whole image: windows show what the block depends on, and end
    where the image does, so that the network sees its border as in training. Without one, tiles
    of the size of the training patches on a lattice that is fixed by the image are blended,
    weighted by a Gaussian of an eighth of their sides, as nnU-Net does.

    Parameters
    ----------
    predictor : NetworkPredictor
        For this image.
    read : callable
        Returns the (C, *space) values of a box inside the image.
    shape : sequence of int
        Sides of the image.
    core : Cube
        What is wanted.
    """
    if predictor.grid is not None:
        return _on_grid(predictor, predictor.grid, read, core)
    if predictor.guide is not None:
        read = _guided(predictor.guide, read, shape)
    if predictor.halo is None:
        return _blended(predictor, read, shape, core)
    ndim = len(core)
    halo, stride = predictor.halo[-ndim:], predictor.stride[-ndim:]
    window = surroundings(core, halo, stride, shape, least=predictor.least)
    found = predictor.window(read_mirrored(read, shape, window))
    return found[(slice(None), *relative(core, window))]


def _guided(
    guide: Guide, read: Callable[[Cube], NDArray[Any]], shape: Sequence[int]
) -> Callable[[Cube], NDArray[Any]]:
    """Return what reads an image followed by what a coarser network said of it."""

    def both(box: Cube) -> NDArray[Any]:
        values = read(box)
        return np.concatenate([values.astype(np.float32), guide.read(box, shape)])

    return both


def _on_grid(
    predictor: NetworkPredictor, grid: Grid, read: Callable[[Cube], NDArray[Any]], core: Cube
) -> Array:
    """Predict on pixels of another size, and follow that back to those of the image."""
    plain = replace(predictor, grid=None)

    def there(box: Cube) -> Array:
        return grid.read(read, box, order=CUBIC)

    def found(box: Cube) -> Array:
        return core_of(plain, there, grid.new, box)

    return grid.back().read(found, core, order=LINEAR)


def _blended(
    predictor: NetworkPredictor,
    read: Callable[[Cube], NDArray[Any]],
    shape: Sequence[int],
    core: Cube,
) -> Array:
    total = np.zeros((len(predictor.outputs), *shape_of(core)), np.float32)
    weights = np.zeros(shape_of(core), np.float32)
    importance = gaussian(predictor.patch)
    for tile in tiles(shape, predictor.patch, step=predictor.step):
        if not meet(core, tile):
            continue
        both = common(core, tile)
        found = predictor.window(read_mirrored(read, shape, tile))
        weight = importance[relative(both, tile)]
        total[(slice(None), *relative(both, core))] += (
            found[(slice(None), *relative(both, tile))] * weight
        )
        weights[relative(both, core)] += weight
    return total / weights


def tiles(shape: Sequence[int], size: Sequence[int], *, step: float = HALF) -> list[Cube]:
    """Return tiles spread evenly, no further apart than the step; larger images need more.

    The step is a part of a tile. Along an axis shorter than the tile there is one, in the middle.
    """
    starts = []
    for n, side in zip(shape, size, strict=True):
        if n <= side:
            starts.append([-((side - n) // 2)])
            continue
        count = ceil((n - side) / (side * step)) + 1
        starts.append([round(i * (n - side) / (count - 1)) for i in range(count)])
    return [cube(start, size) for start in product(*starts)]


def gaussian(size: Sequence[int]) -> Array:
    """Return the weight of every pixel of a tile: 1 in the middle, above 0 everywhere."""
    result = np.ones(tuple(size), np.float32)
    for axis, n in enumerate(size):
        place = (np.arange(n) - (n - 1) / 2) / (n / 8)
        profile = np.exp(-(place**2) / 2).astype(np.float32)
        shape = [1] * len(size)
        shape[axis] = n
        result *= profile.reshape(shape)
    result /= result.max()
    return np.maximum(result, max(float(result[result > 0].min()), 1e-6))
