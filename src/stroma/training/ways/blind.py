"""Learning from noisy images alone: pixels are hidden, and foretold from those around them.

Noise2Void (Krull et al. 2019, arXiv:1811.10980); hidden pixels show the median of their
neighbours, as in Noise2Void 2 (Höck et al. 2022, arXiv:2211.08512).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.networks.contract import resolutions
from stroma.targets.contract import Target
from stroma.training.contract import Batch, Step

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
    """

    target: Target
    every: int = 8

    def __post_init__(self) -> None:
        """Check."""
        if self.target.result != "image":
            raise ParameterError(
                "Blind spots are for targets whose results are images, such as denoise."
            )
        if self.every < 3:
            raise ParameterError(f"every is a number of pixels from 3, got {self.every}.")

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss at hidden pixels; at all, of a network that sees none of its own."""
        images = batch.images
        if getattr(getattr(model, "module", model), "blind", False):
            hidden, shown = inner(images), images
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


def around(images: torch.Tensor) -> torch.Tensor:
    """Return the median of the eight neighbours of every pixel, within its plane."""
    *lead, height, width = images.shape
    planes = functional.pad(images.reshape(-1, 1, height, width), (1, 1, 1, 1), mode="reflect")
    sides = functional.unfold(planes, 3)
    others = torch.cat([sides[:, :4], sides[:, 5:]], 1)
    middle = others.sort(1).values[:, 3:5].mean(1)
    return middle.reshape(*lead, height, width)
