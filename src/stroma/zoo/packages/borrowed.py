"""The network of a package, as one of ours: blocks in, channels over every pixel out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, lcm
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import FormatError
from stroma.zoo.packages.operations import Fixed
from stroma.zoo.packages.programs import Program
from stroma.zoo.packages.tensors import Entering, Leaving, Side

TILE = {2: 512, 3: 96}
"""Sides of tiles of networks that do not say what their results depend on, in pixels."""

HALF = 0.5


@dataclass(frozen=True)
class Part:
    """One output, and what is done to its values.

    Parameters
    ----------
    told : Leaving
        What the package says of it.
    after : sequence of callable
        What is done to its (B, K, *space) values.
    nothing : float, optional
        What lies between the pixels of a coarser output; they are repeated where left out.
    """

    told: Leaving
    after: tuple[Callable[[torch.Tensor], torch.Tensor], ...]
    nothing: float | None = None


class Borrowed(nn.Module):
    """A program between what a package does before it and after it.

    Parameters
    ----------
    program : Program
        Takes and gives tensors with the axes of the package.
    given : Entering
        What goes into it.
    before : sequence of Fixed
        What is done to values first.
    parts : sequence of Part
        What comes out, in the order of the outputs of the program; None for what is left.
    path : Path
        The package, for people.
    """

    def __init__(
        self,
        program: Program,
        given: Entering,
        before: Sequence[Fixed],
        parts: Sequence[Part | None],
        path: Path,
    ) -> None:
        super().__init__()
        self.program, self.given, self.before = program, given, tuple(before)
        self.parts, self.path = tuple(parts), path

    @property
    def ndim(self) -> int:
        """Spatial axes."""
        return len(self.given.space)

    @property
    def told(self) -> list[Leaving]:
        """The outputs that are used."""
        return [part.told for part in self.parts if part is not None]

    @property
    def stride(self) -> tuple[int, ...]:
        """Per axis, the steps in which sides grow, and whole pixels of the outputs."""
        every = zip(self.given.sides, *(one.factors for one in self.told), strict=True)
        return tuple(lcm(max(side.step, 1), *factors) for side, *factors in every)

    @property
    def least(self) -> tuple[int, ...]:
        """Sides of the smallest windows that are taken."""
        return tuple(
            max(0, side.least - lost)
            for side, lost in zip(self.given.sides, self.lost, strict=True)
        )

    @property
    def fixed(self) -> bool:
        """Whether only windows of one size are taken."""
        return any(side.step == 0 for side in self.given.sides)

    @property
    def halo(self) -> tuple[int, ...] | None:
        """What the package says that results depend on; None where it does not say it."""
        lost = self.lost
        found = tuple(
            max(*(one.halo[i] for one in self.told), ceil(lost[i] / 2)) for i in range(self.ndim)
        )
        return None if self.fixed or not any(found) else found

    @property
    def lost(self) -> tuple[int, ...]:
        """Pixels that outputs have less than the image, in all."""
        return tuple(max(one.lost[i] for one in self.told) for i in range(self.ndim))

    @property
    def patch(self) -> tuple[int, ...]:
        """Sides of tiles where results depend on the whole of a tile."""
        return tuple(
            max(1, (side.least if side.step == 0 else fitting(TILE[self.ndim], side)) - lost)
            for side, lost in zip(self.given.sides, self.lost, strict=True)
        )

    @property
    def step(self) -> float:
        """How far apart tiles are, so that what is to be cut off is never needed."""
        inner = [
            (n - 2 * max(one.halo[i] for one in self.told)) / n for i, n in enumerate(self.patch)
        ]
        return max(min(HALF, *inner), 1 / min(self.patch))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (B, K, *space) values of (B, C, *space) images."""
        space = images.shape[2:]
        wide = self._widened(images)
        for one in self.before:
            wide = one(wide)
        outputs = self.program(self._arranged(wide))
        if len(outputs) < len(self.parts):
            raise FormatError(
                f"The network of the package gives {len(outputs)} results where its description "
                f"names {len(self.parts)}. Ask who made it for a package that is whole."
            )
        found = []
        for part, values in zip(self.parts, outputs, strict=False):
            if part is not None:
                found.append(self._over(values, part, space))
        return torch.cat(found, 1)

    def _widened(self, images: torch.Tensor) -> torch.Tensor:
        """Return images with what outputs lack at each side, and sides that are taken."""
        pads: list[int] = []
        for n, side, lost in zip(images.shape[2:], self.given.sides, self.lost, strict=True):
            needed = fitting(n + lost, side)
            if needed < n + lost:
                raise FormatError(
                    f"{self.path}: its network takes windows of {side.least} pixels only, and was "
                    f"given {n}."
                )
            low = lost // 2
            pads = [low, needed - n - low, *pads]
        return functional.pad(images, pads, mode="replicate") if any(pads) else images

    def _arranged(self, images: torch.Tensor) -> torch.Tensor:
        """Return images with the axes of the package."""
        ours = f"bc{self.given.space}"
        dropped = [a for a in ours if a not in self.given.axes]
        values = images
        for a in dropped:
            values = values.select(ours.index(a), 0)
            ours = ours.replace(a, "")
        for a in [a for a in self.given.axes if a not in ours]:
            values, ours = values[None], a + ours
        return values.permute([ours.index(a) for a in self.given.axes]).contiguous()

    def _over(self, values: torch.Tensor, part: Part, space: Sequence[int]) -> torch.Tensor:
        """Return the values of an output at every pixel of the images."""
        ours = f"bc{self.given.space}"
        names = part.told.axes
        if values.ndim != len(names):
            raise FormatError(
                f"{self.path}: an output has {values.ndim} axes, and the package says {names!r}."
            )
        for a in [a for a in names if a not in ours]:
            values, names = values.select(names.index(a), 0), names.replace(a, "")
        values = values.permute([names.index(a) for a in ours if a in names])
        for i, a in enumerate(ours):
            values = values if a in names else values.unsqueeze(i)
        values = values.float()
        for one in part.after:
            values = one(values)
        for i, (factor, n) in enumerate(zip(part.told.factors, space, strict=True)):
            axis, start = 2 + i, (self.lost[i] - part.told.lost[i]) // 2
            values = _enlarged(values, axis, factor, part.nothing)
            if values.shape[axis] < start + n:
                raise FormatError(
                    f"{self.path}: an output has {values.shape[axis]} pixels over {start + n} of "
                    "the image. The package does not say so; it cannot be run."
                )
            values = values.narrow(axis, start, n)
        return values


def _enlarged(values: torch.Tensor, axis: int, factor: int, nothing: float | None) -> torch.Tensor:
    """Return values with as many pixels along an axis as the image."""
    if factor == 1:
        return values
    if nothing is None:
        return values.repeat_interleave(factor, axis)
    sides = list(values.shape)
    sides[axis] *= factor
    whole = values.new_full(sides, nothing)
    whole[(slice(None),) * axis + (slice(None, None, factor),)] = values
    return whole


def fitting(n: int, side: Side) -> int:
    """Return the least side of at least n samples that is taken; that of all where there is one."""
    if n <= side.least or side.step == 0:
        return side.least
    return side.least + -(-(n - side.least) // side.step) * side.step
