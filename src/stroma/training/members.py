"""Several networks as one: what they predict is averaged."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def joined(networks: Sequence[nn.Module]) -> nn.Module:
    """Return networks of one kind as one module; a single one is returned as it is."""
    return networks[0] if len(networks) == 1 else nn.ModuleList(networks)


def members(module: nn.Module) -> list[nn.Module]:
    """Return the networks that `joined` put together; one network by itself."""
    return list(module) if isinstance(module, nn.ModuleList) else [module]
