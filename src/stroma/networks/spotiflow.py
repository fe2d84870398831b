"""The network of Spotiflow: a U-Net, a heat map of spots, and where the nearest lies.

Dominguez Mantes et al. 2025, doi 10.1038/s41592-025-02662-x. The nearest spot is told as a point on
a sphere, which is projected back to a vector here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.contract import BATCH, CONVOLUTIONS, MAX_POOL, cropped, padded

Tensor = torch.Tensor
NOWHERE = -30.0
"""Heat between the pixels of a grid, as it is seen through a sigmoid: none."""

FARTHEST = sqrt(2)
"""In planes, vectors that lead farther than to a neighbour, in pixels, are taken for none."""

TINY = 1e-20


class Spotiflow(nn.Module):
    """Heat, and per axis the way to the nearest spot.

    Parameters
    ----------
    channels : int
        Of images.
    outputs : int
        One for the heat, and one for every axis along which ways are told.
    ndim : {2, 3}
        Spatial axes.
    features : int
        Width of the finest stage.
    growth : float
        How many times wider every further stage is.
    steps : sequence of sequence of int
        Pixels per axis that become one, from stage to stage.
    kernels : sequence of sequence of int
        Sides of the kernels of the convolutions of every stage, odd.
    norm : bool
        Normalise by what was learned of batches.
    add : bool
        Add what comes over bridges, instead of putting it beside.
    flow : bool
        Tell ways; all are 0 otherwise.
    sigma : float
        Unit of the ways in training, in pixels of the grid.
    unit : float
        What ways are given in, in pixels.
    grid : int
        In volumes, results lie so many pixels apart.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        ndim: int = 2,
        features: int = 32,
        growth: float = 2,
        steps: Sequence[Sequence[int]] = ((2, 2),) * 4,
        kernels: Sequence[Sequence[int]] = ((3, 3),) * 3,
        norm: bool = True,
        add: bool = False,
        flow: bool = True,
        sigma: float = 1.0,
        unit: float = 3.0,
        grid: int = 1,
    ) -> None:
        super().__init__()
        self.steps, self.kernels = [tuple(s) for s in steps], [tuple(k) for k in kernels]
        _require(ndim, self.steps, self.kernels, grid)
        self.ndim, self.add, self.grid, self.ways = ndim, add, grid, outputs - 1
        self.sigma, self.unit = sigma, unit
        made, count = _Maker(ndim, self.kernels, norm), len(self.steps)
        widths = [int(features * growth**i) for i in range(count + 1)]
        leaving = [widths[0], *widths[:-1]]
        whole = CONVOLUTIONS[ndim]
        if grid > 1:
            self.first = whole(channels, features, 2 * grid + 1, grid, grid, bias=not norm)
        entering = [features if grid > 1 else channels, *widths]
        self.down = nn.ModuleList(made.row(entering[i], widths[i], widths[i]) for i in range(count))
        self.pools = [MAX_POOL[ndim](step) for step in self.steps]
        self.middle = made.row(widths[-2], widths[-1], widths[-2], last=True)
        self.up = nn.ModuleList(
            made.row(widths[i] * (1 if add else 2), widths[i], leaving[i]) for i in range(count)
        )
        self.head = made.warm(widths[0])
        self.heat = whole(widths[0], 1, 1, bias=False)
        self.flow = made.ways(widths[0], outputs) if flow and self.ways else None

    @property
    def stride(self) -> tuple[int, ...]:
        """The step of the deepest stage, and of the grid."""
        return tuple(self._along(axis)[-1] for axis in range(self.ndim))

    @property
    def halo(self) -> tuple[int, ...]:
        """Pixels that results depend on."""
        return tuple(self._halo(axis) for axis in range(self.ndim))

    def _along(self, axis: int) -> list[int]:
        """Return the size of a pixel of every stage."""
        found = [self.grid]
        for step in self.steps:
            found.append(found[-1] * step[axis])
        return found

    def _halo(self, axis: int) -> int:
        reach = [kernel[axis] // 2 for kernel in self.kernels]
        sizes = self._along(axis)
        margin = max(sum(reach), 0 if self.flow is None else 3) * self.grid
        for size, coarser in pairwise(sizes):
            margin = -(-(margin + sum(reach) * size) // coarser) * coarser
        margin += len(reach) * reach[-1] * sizes[-1]
        return margin + sum(sum(reach) * size for size in sizes[:-1]) + self.grid * (self.grid > 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, K, *space)."""
        x = padded(images, self.stride)
        x = self.first(x) if self.grid > 1 else x
        bridges = []
        for stage, pool in zip(self.down, self.pools, strict=True):
            x = stage(x)
            bridges.append(x)
            x = pool(x)
        x = self.middle(x)
        for stage, bridge, step in reversed(list(zip(self.up, bridges, self.steps, strict=True))):
            for axis, n in enumerate(step):
                x = x.repeat_interleave(n, 2 + axis) if n > 1 else x
            x = stage(x + bridge if self.add else torch.cat([x, bridge], 1))
        found = torch.cat([self.heat(self.head(x)), self._ways(x)], 1)
        return cropped(self._spread(found), images.shape[2:])

    def _ways(self, x: Tensor) -> Tensor:
        """Return the way to the nearest spot."""
        if self.flow is None:
            return x.new_zeros((x.shape[0], self.ways, *x.shape[2:]))
        sphere = functional.normalize(self.flow(x), dim=1)
        ways = self.sigma * sphere[:, 1:] / (1 + sphere[:, :1] + TINY)
        if self.ndim == 2:
            far = ways.square().sum(1, keepdim=True) > FARTHEST**2
            ways = ways.masked_fill(far, 0)
        return ways * (self.grid / self.unit)

    def _spread(self, found: Tensor) -> Tensor:
        """Return results at every pixel: those of the grid in its pixels, none between."""
        if self.grid == 1:
            return found
        sides = [n * self.grid for n in found.shape[2:]]
        whole = found.new_zeros((*found.shape[:2], *sides))
        whole[:, 0] = NOWHERE
        places = (slice(None), slice(None), *(slice(None, None, self.grid),) * self.ndim)
        whole[places] = found
        return whole


def _require(
    ndim: int,
    steps: Sequence[Sequence[int]],
    kernels: Sequence[Sequence[int]],
    grid: int,
) -> None:
    sides = [n for sizes in (*steps, *kernels) for n in sizes]
    if any(len(sizes) != ndim for sizes in (*steps, *kernels)) or min(sides, default=0) < 1:
        raise ParameterError(f"steps and kernels have {ndim} numbers from 1, one per axis.")
    if len(steps) < 1 or len(kernels) < 2 or any(k % 2 == 0 for one in kernels for k in one):
        raise ParameterError("There is a step at least, and two kernels with odd sides.")
    if grid < 1 or (grid > 1 and ndim == 2):
        raise ParameterError(f"grid is 1, or in volumes more, got {grid}.")


class _Maker:
    """Makes rows of convolutions."""

    def __init__(self, ndim: int, kernels: Sequence[Sequence[int]], norm: bool) -> None:
        self.ndim, self.kernels, self.norm = ndim, kernels, norm

    def row(self, entering: int, between: int, leaving: int, *, last: bool = False) -> nn.Module:
        """Return a stage; ``last`` where all of its kernels are as the last."""
        count = len(self.kernels)
        kernels = [self.kernels[-1]] * count if last else self.kernels
        widths = [entering, *[between] * (count - 1), leaving]
        return nn.Sequential(*map(self._unit, widths, widths[1:], kernels))

    def warm(self, width: int) -> nn.Module:
        """Return what comes before the heat."""
        return nn.Sequential(
            *(
                nn.Sequential(self._convolution(width, width, k, bias=True), nn.LeakyReLU())
                for k in self.kernels
            )
        )

    def ways(self, width: int, outputs: int) -> nn.Module:
        """Return what tells points on a sphere, of one axis more than there are ways."""
        three = (3,) * self.ndim
        units = [self._unit(width, width, three) for _ in range(2)]
        last = self._convolution(width, outputs, three, bias=True)
        return nn.Sequential(*(layer for unit in units for layer in unit), last)

    def _unit(self, entering: int, leaving: int, kernel: Sequence[int]) -> nn.Sequential:
        norm = BATCH[self.ndim](leaving) if self.norm else nn.Identity()
        made = self._convolution(entering, leaving, kernel, bias=not self.norm)
        return nn.Sequential(made, norm, nn.ReLU())

    def _convolution(
        self, entering: int, leaving: int, kernel: Sequence[int], *, bias: bool
    ) -> nn.Module:
        padding = tuple(k // 2 for k in kernel)
        made: nn.Module = CONVOLUTIONS[self.ndim](
            entering, leaving, tuple(kernel), padding=padding, bias=bias
        )
        return made
