"""Networks with their pretrained weights, loaded once per process."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stroma import weights
from stroma.backbones import BACKBONES
from stroma.errors import FormatError
from stroma.weights.keymaps import KEYMAPS

RGB = 3

_lock = threading.Lock()


@dataclass(frozen=True)
class Pretrained:
    """A network and what its weights are.

    Parameters
    ----------
    network : nn.Module
        Ready to run; parts whose tensors were not asked for are not.
    origin : Origin
        Where the weights came from.
    digest : str
        Hash of the tensors that are used.
    """

    network: nn.Module
    origin: weights.Origin
    digest: str


def pretrained(
    name: str,
    needed: Iterable[str] | None = None,
    *,
    path: str | None = None,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    channels: int = RGB,
) -> Pretrained:
    """Return a network with its weights; from the second time on, the same one.

    Parameters
    ----------
    name : str
        Name of the backbone.
    needed : iterable of str, optional
        Names of the tensors that will be used; all, unless given.
    path : str, optional
        File or folder to take weights from.
    device, dtype : torch.device, torch.dtype
        Where the network runs, and in which precision.
    channels : int
        3 for colours; 1 for one channel, which is to give what its threefold repetition gives.
    """
    with _lock:
        stamp = weights.stamp(name, path)
        chosen = None if needed is None else frozenset(needed)
        return _pretrained(name, chosen, path, stamp, device, dtype, channels)


@lru_cache(maxsize=8)
def _pretrained(
    name: str,
    needed: frozenset[str] | None,
    path: str | None,
    stamp: str,
    device: torch.device,
    dtype: torch.dtype,
    channels: int,
) -> Pretrained:
    network: nn.Module = BACKBONES[name](channels)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    ours = _canonical(name, shapes if needed is None else needed)
    loaded = weights.load(name, ours, path=path)
    state = {
        key: torch.tensor(_fitted(loaded.values[our], shapes[key], f"{name} {key}"), device=device)
        for our, key in ours.items()
    }
    network.load_state_dict(state, strict=False, assign=True)
    if not any(tensor.is_meta for tensor in network.state_dict().values()):
        network.to(device)
    network.to(dtype)
    return Pretrained(network.eval().requires_grad_(False), loaded.origin, loaded.digest)


def _canonical(name: str, keys: Collection[str]) -> dict[str, str]:
    """Return the tensors' names in this version of ``transformers``, by our names."""
    keymap = KEYMAPS[weights.CATALOGUE[name].keymap]
    return {piece.name: key for key in keys for piece in keymap.pieces(key)}


def _fitted(values: NDArray[Any], shape: tuple[int, ...], where: str) -> NDArray[np.float32]:
    """Return a tensor of a file in the shape the network gives it.

    A first convolution for one channel gets the sum of the kernels for red, green and blue.
    """
    if values.ndim == len(shape) == 4 and values.shape[1] == RGB and shape[1] == 1:
        values = values.sum(axis=1, keepdims=True)
    if values.size != np.prod(shape, dtype=int):
        raise FormatError(
            f"The weights for {where} have shape {values.shape}, the network needs {shape}."
        )
    return values.reshape(shape).astype(np.float32)
