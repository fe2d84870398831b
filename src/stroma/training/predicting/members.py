"""Several networks as one, whose predictions are averaged; and one with something around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def joined(networks: Sequence[nn.Module]) -> nn.Module:
    """Return networks of one kind as one module; a single one is returned as it is."""
    return networks[0] if len(networks) == 1 else nn.ModuleList(networks)


class Cascade(nn.Module):
    """A network with a coarser one, which says to it where things are.

    Parameters
    ----------
    first : nn.Module
        Sees coarse pixels, and so more of an image at once; or several, `joined`.
    second : nn.Module
        Sees the image, and a channel for every class but the first; or several, `joined`.
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second


def members(module: nn.Module) -> list[nn.Module]:
    """Return the networks that `joined` put together; one network by itself.

    Of a cascade, those that see the image as it is.
    """
    if isinstance(module, Cascade):
        return members(module.second)
    return list(module) if isinstance(module, nn.ModuleList) else [module]


TOLD = ("halo", "stride", "step", "least", "blind")
"""What networks tell of themselves that decides which blocks they see; not all tell all of it."""


class Around(nn.Module):
    """A network with something before or after it, which sees the same blocks.

    Parameters
    ----------
    module : nn.Module
        The network.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def __getattr__(self, name: str) -> Any:
        """Return what the network tells of itself."""
        return getattr(self.module, name) if name in TOLD else super().__getattr__(name)


class Head(Around):
    """Some channels of a network.

    Parameters
    ----------
    module : nn.Module
        The network.
    start, stop : int
        The first channel, and that after the last.
    """

    def __init__(self, module: nn.Module, start: int, stop: int) -> None:
        super().__init__(module)
        self.start, self.stop = start, stop

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return these channels."""
        found: torch.Tensor = self.module(images)[:, self.start : self.stop]
        return found


class Inverted(Around):
    """A network that sees bright as dark, and dark as bright."""

    def forward(self, images: torch.Tensor) -> Any:
        """Return what the network says of the inverted images."""
        return self.module(-images)
