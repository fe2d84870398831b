"""How much memory a training step takes, foretold without taking it."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from stroma.networks.contract import resolutions

COPIES = 5
"""Of weights: themselves, their gradients, two moments of the optimiser, and their average."""

PASSING = 1.75
"""Times what layers keep for their gradients, gradients in passing and space to work in included:
1.5 to 1.9 as it was measured, with a residual network and a U-Net."""

GB = 2**30


def step_gigabytes(module: nn.Module, channels: int, patch: Sequence[int], batch: int) -> float:
    """Return about how much memory a step takes; computes nothing, on tensors without values.

    Parameters
    ----------
    module : nn.Module
        The network.
    channels : int
        Of images.
    patch : sequence of int
        Sides of patches.
    batch : int
        Patches per step.
    """
    empty = copy.deepcopy(module).to("meta").requires_grad_(True).train()
    kept = _kept(empty, torch.zeros(batch, channels, *patch, device="meta"))
    weights = sum(p.numel() * p.element_size() for p in module.parameters())
    return (PASSING * kept + COPIES * weights) / GB


def _kept(module: nn.Module, images: torch.Tensor) -> int:
    """Return the bytes that layers keep for their gradients, each memory once."""
    held: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            held[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = resolutions(module(images))
    del outputs
    return sum(storage.nbytes() for storage in held.values())
