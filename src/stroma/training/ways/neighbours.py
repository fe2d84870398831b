"""Learning from noisy images alone: of two pixels side by side, one foretells the other.

Neighbor2Neighbor (Huang et al. 2021, arXiv:2101.02824). Of every 2 x 2 pixels two that touch are
drawn, so that an image becomes two of half the size which show the same and differ in their noise;
one is the clean image for the other. Every pixel is learned from, not one in 64 as at blind spots.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError, ShapeError
from stroma.networks.contract import resolutions
from stroma.targets.contract import Target
from stroma.training.contract import Batch, Step

PAIRS = ((0, 1), (0, 2), (1, 3), (2, 3), (1, 0), (2, 0), (3, 1), (3, 2))
"""Places in a square, numbered row by row, that touch."""

Tensor = torch.Tensor


@dataclass(frozen=True)
class Neighbours:
    """The loss of a target between halves of an image that is its own truth.

    Parameters
    ----------
    target : Target
        Of images.
    alike : float
        Weight of what the halves of the result may differ in no more than those of the image:
        neighbours do not show quite the same, and what they do not share is not to be smoothed.
    """

    target: Target
    alike: float = 1.0

    def __post_init__(self) -> None:
        """Check."""
        if self.target.result != "image":
            raise ParameterError(
                "Neighbours foretell each other for targets whose results are images, such as "
                "denoise."
            )

    def step(self, model: nn.Module, batch: Batch, /) -> Step:
        """Return the loss, and how much halves differ that should not."""
        images = batch.images
        if min(images.shape[-2:]) < 4:
            raise ShapeError(f"Patches have 4 pixels a side at least, got {images.shape[-2:]}.")
        even = images[..., : images.shape[-2] // 2 * 2, : images.shape[-1] // 2 * 2]
        chosen = drawn(even)
        one, other = halves(even, chosen)
        found = resolutions(model(one))[0]
        known = torch.ones_like(other[:, :1])
        loss, logs = self.target.loss(found, other, known)
        if self.alike:
            with torch.no_grad():
                whole = resolutions(model(even))[0]
            first, second = halves(whole, chosen)
            wrong = (found - other - (first - second)).square().mean()
            loss = loss + self.alike * wrong
            logs = {**logs, "alike": wrong.detach()}
        return Step(loss, {"loss": loss.detach(), **logs})


def drawn(images: Tensor) -> Tensor:
    """Return (2, planes, y / 2, x / 2), which two places of every square are taken."""
    height, width = images.shape[-2] // 2, images.shape[-1] // 2
    planes = images[:, 0].numel() // (4 * height * width)
    pairs = torch.tensor(PAIRS, device=images.device)
    number = torch.randint(len(PAIRS), (planes, height, width), device=images.device)
    return pairs[number].movedim(-1, 0)


def halves(images: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two (B, C, ..., y / 2, x / 2) images of the places that were drawn."""
    batch, channels, *deep = images.shape[:-2]
    height, width = chosen.shape[-2:]
    planes = images.movedim(1, -3).reshape(-1, channels, *images.shape[-2:])
    squares = functional.pixel_unshuffle(planes, 2).reshape(-1, channels, 4, height, width)
    found = []
    for places in chosen:
        index = places[:, None, None].expand(-1, channels, 1, -1, -1)
        taken = squares.gather(2, index)[:, :, 0]
        found.append(taken.reshape(batch, *deep, channels, height, width).movedim(-3, 1))
    return found[0], found[1]
