"""Several networks as one, whose predictions are averaged; and one network as several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def joined(networks: Sequence[nn.Module]) -> nn.Module:
    """Return networks of one kind as one module; a single one is returned as it is."""
    return networks[0] if len(networks) == 1 else nn.ModuleList(networks)


def members(module: nn.Module) -> list[nn.Module]:
    """Return the networks that `joined` put together; one network by itself."""
    return list(module) if isinstance(module, nn.ModuleList) else [module]


class Head(nn.Module):
    """Some channels of a network.

    Parameters
    ----------
    module : nn.Module
        The network.
    start, stop : int
        The first channel, and that after the last.
    """

    def __init__(self, module: nn.Module, start: int, stop: int) -> None:
        super().__init__()
        self.module, self.start, self.stop = module, start, stop

    @property
    def halo(self) -> Any:
        """As that of the network."""
        return self.module.halo

    @property
    def stride(self) -> Any:
        """As that of the network."""
        return self.module.stride

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return these channels."""
        found: torch.Tensor = self.module(images)[:, self.start : self.stop]
        return found
