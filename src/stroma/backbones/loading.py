"""Networks with their pretrained weights, loaded once per process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache, partial
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

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of tensors by their names."""

Describe = Callable[[], Mapping[str, Any]]
"""Reads the settings beside a file of weights; who needs none does not ask."""

_lock = threading.Lock()


def pretrained(
    name: str,
    needed: Iterable[str] | None = None,
    *,
    path: str | None = None,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    channels: int = RGB,
) -> nn.Module:
    """Return a network with its weights; from the second time on, the same one.

    Parts whose tensors were not asked for cannot be run.

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
        stamp = weights.stamp(_weights(name), path)
        chosen = None if needed is None else frozenset(needed)
        return _pretrained(name, chosen, path, stamp, device, dtype, channels)


def identity(name: str, needed: Iterable[str] | None, path: str | None) -> dict[str, str]:
    """Return what identifies weights, as text: where they are from, and a hash of their values."""
    with _lock:
        chosen = None if needed is None else frozenset(needed)
        return dict(_identity(name, chosen, path, weights.stamp(_weights(name), path)))


def is_here(name: str, needed: Iterable[str], path: str | None) -> bool:
    """Tell whether tensors are on this machine."""
    return weights.holds(_weights(name), _canonical(name, frozenset(needed)), path)


def fetch(
    name: str, needed: Iterable[str], path: str | None, progress: weights.Progress | None = None
) -> None:
    """Get tensors ahead of time; as `stroma.weights.load`."""
    weights.load(_weights(name), _canonical(name, frozenset(needed)), path=path, progress=progress)


@lru_cache(maxsize=32)
def _identity(
    name: str, needed: frozenset[str] | None, path: str | None, stamp: str
) -> tuple[tuple[str, str], ...]:
    keys = _built(name, path).state_dict() if needed is None else needed
    loaded = weights.load(_weights(name), _canonical(name, keys), path=path)
    return (*asdict(loaded.origin).items(), ("digest", loaded.digest))


@lru_cache(maxsize=8)
def _pretrained(
    name: str,
    needed: frozenset[str] | None,
    path: str | None,
    stamp: str,
    device: torch.device,
    dtype: torch.dtype,
    channels: int,
) -> nn.Module:
    network = _built(name, path, channels)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    ours = _canonical(name, shapes if needed is None else needed)
    loaded = weights.load(_weights(name), ours, path=path)
    state = {
        key: torch.tensor(_fitted(loaded.values[our], shapes[key], f"{name} {key}"), device=device)
        for our, key in ours.items()
    }
    network.load_state_dict(state, strict=False, assign=True)
    if not any(tensor.is_meta for tensor in network.state_dict().values()):
        network.to(device)
    network.to(dtype)
    return network.eval().requires_grad_(False)


def tensor_names(name: str, path: str | None, *, start: str = "") -> frozenset[str]:
    """Return the names of the tensors of a network that begin with a text; no value is read."""
    with _lock:
        return frozenset(
            k
            for k in _names(name, path, weights.stamp(_weights(name), path))
            if k.startswith(start)
        )


@lru_cache(maxsize=32)
def _names(name: str, path: str | None, stamp: str) -> tuple[str, ...]:
    return tuple(_built(name, path).state_dict())


def _weights(name: str) -> str:
    """Return the name in the catalogue of a network's weights."""
    return getattr(BACKBONES[name], "weights", name)


def _built(name: str, path: str | None, channels: int = RGB) -> nn.Module:
    """Return a network on the meta device; some are built in the size that a file has."""
    builder = BACKBONES[name]
    like: Callable[[Shapes, Describe, int], nn.Module] | None = getattr(builder, "like", None)
    if like and (shapes := weights.shapes(_weights(name), path)):
        return like(shapes, partial(weights.described, _weights(name), path), channels)
    network: nn.Module = builder(channels)
    return network


def _canonical(name: str, keys: Collection[str]) -> dict[str, str]:
    """Return the tensors' names in this version of ``transformers``, by our names."""
    keymap = KEYMAPS[weights.CATALOGUE[_weights(name)].keymap]
    found = {piece.name: key for key in keys for piece in keymap.pieces(key)}
    return found | {key: key for key in keys if key in keymap.shared}


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
