"""Outputs of modules inside a network, which runs no further than it has to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import torch
from torch import nn


class _Reached(Exception):
    """The last module that is wanted has been run."""


class Tap(nn.Identity):
    """A place in a network whose value may be asked for; changes nothing.

    Parameters
    ----------
    out_channels : int
        Number of maps that pass.
    """

    def __init__(self, out_channels: int) -> None:
        super().__init__()
        self.out_channels = out_channels

    def __repr__(self) -> str:
        """Return what is written behind its name in the key of a layer."""
        return f"Tap({self.out_channels})"


class Taps:
    """A network that returns what some of its modules return.

    Outputs are taken as the modules return them, whichever others are asked for, in the order
    asked for. May be called by several threads at once.

    Parameters
    ----------
    network : nn.Module
        Modules may not change their input in place.
    names : sequence of str
        Names of modules.
    last : str
        The one of them that is run last; nothing after it is run.
    """

    def __init__(self, network: nn.Module, names: Sequence[str], last: str) -> None:
        self._network, self._names, self._last = network, tuple(names), last
        self._seen = threading.local()
        for name in dict.fromkeys(names):
            network.get_submodule(name).register_forward_hook(self._hook(name))

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the outputs for (N, C, y, x) images."""
        outputs: dict[str, torch.Tensor] = {}
        self._seen.outputs = outputs
        try:
            self._network(images)
        except _Reached:
            return [outputs[name] for name in self._names]
        finally:
            del self._seen.outputs
        raise AssertionError(f"{self._last} was not run")

    def _hook(self, name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def keep(_: nn.Module, __: object, output: torch.Tensor) -> None:
            outputs = getattr(self._seen, "outputs", None)
            if outputs is None:  # the network is run for other taps, or in another thread
                return
            outputs[name] = output
            if name == self._last:
                raise _Reached

        return keep
