"""What a convolutional network does, found by sending a picture without values through it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from stroma.backbones.taps import Tap

SIDE = 224
"""Side of that picture: a multiple of every stride, and larger than all of them."""


@dataclass(frozen=True)
class Reach:
    """Which pixels one cell of a map depends on.

    The cell at position i depends on the pixels from ``i * step - before`` to
    ``i * step + after``, both included.

    Parameters
    ----------
    step : int
        Pixels from cell to cell.
    before, after : int
        Pixels ahead of, and behind, the first pixel of the cell.
    everywhere : bool
        Whether it depends on all pixels (after global pooling).
    """

    step: int = 1
    before: int = 0
    after: int = 0
    everywhere: bool = False

    @property
    def margin(self) -> int:
        """Pixels around a range of cells that the cells depend on."""
        return max(self.before, self.after - self.step + 1, 0)

    def through(self, kernel: int, stride: int, padding: int) -> Reach:
        """Return the reach after a window that slides over the cells."""
        return replace(
            self,
            step=self.step * stride,
            before=self.before + padding * self.step,
            after=self.after + (kernel - 1 - padding) * self.step,
        )


@dataclass(frozen=True)
class Convolution:
    """One convolution of a network, or a :class:`~stroma.backbones.taps.Tap`.

    Parameters
    ----------
    name : str
        Name of its module.
    description : str
        How torch writes the module.
    features : int
        Number of maps it returns.
    reach : Reach
        What a cell of its maps depends on.
    pooled : bool
        Whether its maps are a single cell, because it works on global averages.
    position : int
        Rank among all modules of the network, in the order in which they are entered.
    """

    name: str
    description: str
    features: int
    reach: Reach
    pooled: bool
    position: int

    @property
    def key(self) -> str:
        """How the convolution is called in parameters: ``features.0 Conv2d(3, 64, ...)``."""
        return f"{self.name} {self.description}"


@dataclass(frozen=True)
class Trace:
    """The convolutions of a network, and its modules in the order in which they are entered.

    Parameters
    ----------
    convolutions : tuple of Convolution
        In the order in which they are registered.
    modules : tuple of str
        Names of modules.
    """

    convolutions: tuple[Convolution, ...]
    modules: tuple[str, ...]

    def tensors(self, network: nn.Module, last: int) -> list[str]:
        """Return the names of the tensors used up to the module of that rank."""
        entered = [network.get_submodule(name) for name in self.modules[: last + 1]]
        names = {id(t): name for name, t in network.state_dict(keep_vars=True).items()}
        owned = [t for m in entered for t in (*_own(m.named_parameters), *_own(m.named_buffers))]
        return [names[id(t)] for t in owned if t.is_floating_point() and id(t) in names]


def trace(network: nn.Module) -> Trace:
    """Return what a network on the meta device does.

    It is shown three channels, or as many as its attribute ``channels`` says.

    Convolutions and pooling are taken to follow one another; a branch that goes around them
    (a residual) reaches less far than they do, and changes nothing.
    """
    names = {module: name for name, module in network.named_modules()}
    plain = all(isinstance(m, nn.Sequential) for m in names if any(True for _ in m.children()))
    entered, pooled = (list(names), set()) if plain else _run(network)
    reach, found = Reach(), dict[nn.Module, Convolution]()
    for position, module in enumerate(entered):
        reach = _after(module, reach)
        if isinstance(module, nn.Conv2d | Tap):
            found[module] = Convolution(
                name=names[module],
                description=repr(module),
                features=module.out_channels,
                reach=reach,
                pooled=module in pooled,
                position=position,
            )
    return Trace(
        tuple(found[module] for module in names if module in found),
        tuple(names[module] for module in entered),
    )


def _run(network: nn.Module) -> tuple[list[nn.Module], set[nn.Module]]:
    """Return the modules as they are entered, and those whose output is a single cell."""
    entered: list[nn.Module] = []
    pooled: set[nn.Module] = set()

    def enter(module: nn.Module, _: object) -> None:
        entered.append(module)

    def leave(module: nn.Module, _: object, output: object) -> None:
        if isinstance(output, torch.Tensor) and output.shape[-1] == 1:
            pooled.add(module)

    hooks = [module.register_forward_pre_hook(enter) for module in network.modules()]
    hooks += [module.register_forward_hook(leave) for module in network.modules()]
    with torch.inference_mode():
        channels = getattr(network, "channels", 3)
        network(torch.empty(1, channels, SIDE, SIDE, device="meta"))
    for hook in hooks:
        hook.remove()
    return entered, pooled


def _after(module: nn.Module, reach: Reach) -> Reach:
    """Return the reach after one module."""
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return replace(reach, everywhere=True)
    if isinstance(module, nn.ZeroPad2d):
        left, _, top, _ = module.padding
        assert left == top, "networks are taken to treat both axes alike"
        return reach.through(kernel=1, stride=1, padding=left)
    if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        kernel, stride = _first(module.kernel_size), _first(module.stride)
        span = _first(getattr(module, "dilation", 1)) * (kernel - 1) + 1
        return reach.through(span, stride, _padding(module.padding, span))
    return reach


def _padding(padding: Any, kernel: int) -> int:
    if isinstance(padding, str):
        return (kernel - 1) // 2 if padding == "same" else 0
    return _first(padding)


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)


def _own(tensors: Any) -> list[torch.Tensor]:
    return [tensor for _, tensor in tensors(recurse=False)]
