"""Learning from noisy images alone: pixels are hidden, and foretold from those around them.

Noise2Void (Krull et al. 2019, arXiv:1811.10980); hidden pixels show the median of their
neighbours, as in Noise2Void 2 (Höck et al. 2022, arXiv:2211.08512). Noise that goes on along lines
is hidden along them (structN2V: Broaddus et al. 2020, Removing structured noise with
self-supervised blind-spot networks, ISBI).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.contract import resolutions
from stroma.targets.contract import Target
from stroma.training.contract import Batch, Step

AXES = ("y", "x")

MOVED = 4
"""Pixels beside hidden ones show what is at most so many pixels farther away."""

EDGE = 6
"""So near the border of a patch a network may see the pixel itself, repeated beyond it."""


@dataclass(frozen=True)
class BlindSpot:
    """The loss of a target at hidden pixels, of images that are their own truth.

    Parameters
    ----------
    target : Target
        Of images.
    every : int
        One pixel is hidden in each square of so many pixels a side, in every plane.
    along : sequence of {"y", "x"}
        Axes along which noise goes on, as stripes do: the pixels beside a hidden one along these
        show what is elsewhere, so that noise cannot be told from them.
    span : int
        So many of them on each side.
    """

    target: Target
    every: int = 8
    along: Sequence[str] = ()
    span: int = 4

    def __post_init__(self) -> None:
        """Check."""
        if self.target.result != "image":
            raise ParameterError(
                "Blind spots are for targets whose results are images, such as denoise."
            )
        if self.every < 3:
            raise ParameterError(f"every is a number of pixels from 3, got {self.every}.")
        if not set(self.along) <= set(AXES):
            raise ParameterError(
                f"along is a list of axes, y, x or both, such as [x], got {self.along!r}."
            )
        if self.along and not 1 <= self.span < self.every:
            raise ParameterError(
                f"span is a number of pixels from 1 to {self.every - 1} (less than every), got "
                f"{self.span}."
            )

    @property
    def directed(self) -> bool:
        """Whether images may not be turned, as noise goes along one axis."""
        return 0 < len(set(self.along)) < len(AXES)

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss at hidden pixels; at all, of a network that sees none of its own."""
        images = batch.images
        if getattr(getattr(model, "module", model), "blind", False):
            if self.along:
                raise ParameterError(
                    "The network 'blind' sees the pixels beside each, and noise that goes on along "
                    "lines (along) with them. Give another, such as network='unet'."
                )
            hidden, shown = inner(images), images
        elif self.along:
            hidden = spots(images, self.every)
            lines = lined(hidden, self.along, self.span)
            shown = torch.where(lines > 0, elsewhere(images, self.along, self.span), images)
        else:
            hidden = spots(images, self.every)
            shown = torch.where(hidden > 0, around(images), images)
        finest = resolutions(model(shown))[0]
        loss, logs = self.target.loss(finest, images, hidden)
        return Step(loss, {"loss": loss.detach(), **logs})


def inner(images: torch.Tensor) -> torch.Tensor:
    """Return (B, 1, *space), 1 but near the border, beyond which pixels are repeated."""
    found = torch.zeros_like(images[:, :1])
    middle = found
    for axis, n in enumerate(images.shape[2:], start=2):
        edge = min(EDGE, (n - 1) // 2)
        middle = middle.narrow(axis, edge, n - 2 * edge)
    middle.fill_(1)
    return found


def spots(images: torch.Tensor, every: int) -> torch.Tensor:
    """Return (B, 1, *space), 1 at one pixel drawn from each square of every plane."""
    height, width = images.shape[-2:]
    count = images[:, 0].reshape(-1, height, width).shape[0]
    rows, columns = -(-height // every), -(-width // every)
    chosen = torch.randint(every * every, (count, rows, columns), device=images.device)
    cells = functional.one_hot(chosen, every * every).reshape(count, rows, columns, every, every)
    whole = cells.permute(0, 1, 3, 2, 4).reshape(count, rows * every, columns * every)
    cut = whole[:, :height, :width].to(images.dtype)
    return cut.reshape(images.shape[0], 1, *images.shape[2:])


def lined(hidden: torch.Tensor, along: Sequence[str], span: int) -> torch.Tensor:
    """Return hidden pixels with those beside them along some axes of their plane."""
    planes = hidden.reshape(-1, 1, *hidden.shape[-2:])
    found = planes
    for axis in along:
        sides = [2 * span + 1 if one == axis else 1 for one in AXES]
        line = functional.max_pool2d(planes, sides, 1, [n // 2 for n in sides])
        found = torch.maximum(found, line)
    return found.reshape(hidden.shape)


def elsewhere(images: torch.Tensor, along: Sequence[str], span: int) -> torch.Tensor:
    """Return images moved by a few pixels, drawn at random: no pixel is on a line through it."""
    crossed = set(along) == set(AXES)
    steps = []
    for axis in AXES:
        near = span if crossed else 0
        step = int(torch.randint(1, MOVED + 1, ())) + near
        steps.append(0 if axis in along and not crossed else step)
    signs = [1 if torch.rand(()) < 0.5 else -1 for _ in AXES]
    return images.roll([s * n for s, n in zip(signs, steps, strict=True)], (-2, -1))


def around(images: torch.Tensor) -> torch.Tensor:
    """Return the median of the eight neighbours of every pixel, within its plane."""
    *lead, height, width = images.shape
    planes = functional.pad(images.reshape(-1, 1, height, width), (1, 1, 1, 1), mode="reflect")
    sides = functional.unfold(planes, 3)
    others = torch.cat([sides[:, :4], sides[:, 5:]], 1)
    middle = others.sort(1).values[:, 3:5].mean(1)
    return middle.reshape(*lead, height, width)
