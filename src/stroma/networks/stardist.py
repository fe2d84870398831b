"""The U-Net of StarDist, in planes and volumes, whose results lie on a coarser grid.

Schmidt et al. 2018, doi 10.1007/978-3-030-00934-2_30; Weigert et al. 2020,
doi 10.1109/WACV45572.2020.9093435. Images are pooled to the grid first; a U-Net and one more
convolution follow. Pixels between those of the grid offer no object.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.contract import BATCH, CONVOLUTIONS, cropped, padded

Tensor = torch.Tensor

DEEPEST = 16
"""Stages, and convolutions of each, that a network has at most."""

NOWHERE = -30.0
"""Output between the pixels of the grid: a depth of nothing, as it is seen through a sigmoid."""


class StarDist(nn.Module):
    """Convolutions at falling resolution and back, after pooling to a grid.

    Parameters
    ----------
    channels, outputs : int
        Channels of images, and of what is predicted.
    ndim : {2, 3}
        Spatial axes.
    features : int
        Width of the finest stage; every coarser one has twice as many.
    depth : int
        How often resolution falls.
    convolutions : int
        Per stage.
    kernel, pool, grid : sequence of int, optional
        Per axis: sides of kernels (3), steps between stages (2), pixels between those of the
        results (1).
    last : int
        Channels of the convolution after the U-Net; 0 for none.
    norm : bool
        Whether convolutions of the U-Net are normalised by the batch.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: int = 32,
        depth: int = 3,
        convolutions: int = 2,
        kernel: Sequence[int] = (),
        pool: Sequence[int] = (),
        grid: Sequence[int] = (),
        last: int = 128,
        norm: bool = False,
    ) -> None:
        super().__init__()
        if not (1 <= depth <= DEEPEST and 1 <= convolutions <= DEEPEST):
            raise ParameterError(
                f"depth and convolutions are 1 to {DEEPEST}, got {depth} and {convolutions}."
            )
        self.ndim, self.depth, self.count = ndim, depth, convolutions
        self.kernel = _sides(kernel, 3, ndim)
        self.pool = _sides(pool, 2, ndim)
        self.grid = _sides(grid, 1, ndim)
        self.last = last
        self.steps = _steps(self.grid)
        widths = [features * 2**n for n in range(depth + 1)]

        def chain(*numbers: int, norm: bool = norm) -> nn.Sequential:
            parts: list[nn.Module] = []
            for entering, leaving in pairwise(numbers):
                parts += self._unit(entering, leaving, norm)
            return nn.Sequential(*parts)

        self.first = nn.ModuleList()
        entering = channels
        for _ in self.steps:
            self.first.append(chain(entering, *[features] * convolutions, norm=False))
            entering = features
        self.down = nn.ModuleList()
        for width in widths[:-1]:
            self.down.append(chain(entering, *[width] * convolutions))
            entering = width
        below = widths[max(0, depth - 1)]
        self.middle = chain(entering, *[widths[-1]] * (convolutions - 1), below)
        self.up = nn.ModuleList()
        for n in range(depth):
            leaving = widths[max(0, n - 1)]
            self.up.append(chain(2 * widths[n], *[widths[n]] * (convolutions - 1), leaving))
        self.features = chain(features, *[last] * (last > 0), norm=False)
        one = (1,) * ndim
        self.heads = CONVOLUTIONS[ndim](last or features, outputs, one)

    def _unit(self, entering: int, leaving: int, norm: bool) -> list[nn.Module]:
        sides = tuple(k // 2 for k in self.kernel)
        made = [CONVOLUTIONS[self.ndim](entering, leaving, self.kernel, padding=sides)]
        made += [BATCH[self.ndim](leaving, eps=1e-3)] if norm else []
        return [*made, nn.ReLU()]

    @property
    def stride(self) -> tuple[int, ...]:
        """Per axis, the product of all steps."""
        return tuple(g * p**self.depth for g, p in zip(self.grid, self.pool, strict=True))

    @property
    def halo(self) -> tuple[int, ...]:
        """Per axis, what results depend on."""
        return tuple(self._halo(axis) for axis in range(self.ndim))

    def _halo(self, axis: int) -> int:
        """Add up what every convolution sees, down and up; pooling and rising see cells."""
        reach, step, found = self.kernel[axis] // 2, 1, 0
        for pool in self.steps:
            found += self.count * reach * step + (pool[axis] - 1) * step
            step *= pool[axis]
        found += (self.last > 0) * reach * step
        for n in range(self.depth + 1):
            twice = 1 if n == self.depth else 2
            found += twice * self.count * reach * step
            step *= self.pool[axis]
            found += 2 * step * (n < self.depth)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, *space)."""
        x = padded(images, self.stride)
        for block, step in zip(self.first, self.steps, strict=True):
            x = _pooled(block(x), step)
        bridges: list[Tensor] = []
        for block in self.down:
            x = block(x)
            bridges.append(x)
            x = _pooled(x, self.pool)
        x = self.middle(x)
        for n in reversed(range(self.depth)):
            for axis, p in enumerate(self.pool):
                x = x.repeat_interleave(p, 2 + axis) if p > 1 else x
            x = self.up[n](torch.cat([x, bridges[n]], 1))
        return cropped(self._spread(self.heads(self.features(x))), images.shape[2:])

    def _spread(self, found: Tensor) -> Tensor:
        """Return results at every pixel: those of the grid in its pixels, none between."""
        if prod(self.grid) == 1:
            return found
        sides = [n * g for n, g in zip(found.shape[2:], self.grid, strict=True)]
        whole = found.new_full((*found.shape[:2], *sides), NOWHERE)
        places: tuple[Any, ...] = (..., *(slice(None, None, g) for g in self.grid))
        whole[places] = found
        return whole


def _pooled(x: Tensor, step: Sequence[int]) -> Tensor:
    pooling = functional.max_pool2d if len(step) == 2 else functional.max_pool3d
    return pooling(x, tuple(step))


def _sides(given: Sequence[int], usual: int, ndim: int) -> tuple[int, ...]:
    found = tuple(int(n) for n in given) or (usual,) * ndim
    if len(found) != ndim or min(found) < 1:
        raise ParameterError(f"Sides are {ndim} numbers from 1, one per axis; got {found}.")
    return found


def _steps(grid: Sequence[int]) -> list[tuple[int, ...]]:
    """Return how images are pooled to the grid, by 2 at a time."""
    done, found = [1] * len(grid), []
    while tuple(done) != tuple(grid):
        step = tuple(1 + (g > d) for g, d in zip(grid, done, strict=True))
        done = [d * s for d, s in zip(done, step, strict=True)]
        if any(d > g for d, g in zip(done, grid, strict=True)):
            raise ParameterError(f"A grid has powers of 2, got {tuple(grid)}.")
        found.append(step)
    return found
