"""What every network must keep: the checks behind ``stroma.testing.check_network``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from stroma.errors import ContractError
from stroma.networks.contract import Dense, resolutions

CHANNELS, OUTPUTS = 2, 3
TOLERANCE = 1e-9
"""In double precision, as what is far away counts little."""


def check_network(
    build: Callable[..., Any], *, ndim: int = 2, whole: bool = True, **params: Any
) -> None:
    """Check that a network keeps every promise of its contract.

    It has a stride, and a halo that is true; it gives one value per output and pixel for sides
    that are no multiple of the stride; in training it gives the finest resolution first, and every
    parameter gets a gradient.

    Parameters
    ----------
    build : callable
        ``build(channels, outputs, ndim=, **params)``. Small ones make quick checks.
    ndim : {2, 3}
        Spatial axes.
    whole : bool
        Whether the output depends on all parameters (not on those of a decoder that only its
        objective uses).
    **params
        Passed on.

    Raises
    ------
    ContractError
        At the first promise that is not kept.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build(CHANNELS, OUTPUTS, ndim=ndim, **params)
        _check_declaration(network, ndim)
        _check_shape(network, ndim)
        _check_training(network, whole=whole)
        if network.halo is not None:
            _check_halo(network, ndim)


def _require(condition: bool, network: Any, message: str) -> None:
    if not condition:
        raise ContractError(f"{type(network).__name__}: {message}")


def _check_declaration(network: Any, ndim: int) -> None:
    _require(
        isinstance(network, torch.nn.Module) and isinstance(network, Dense),
        network,
        "not a module with ndim, stride and halo.",
    )
    _require(network.ndim == ndim, network, f"ndim is {network.ndim}, asked for was {ndim}.")
    for name in ("stride", "halo"):
        value = getattr(network, name)
        valid = value is None and name == "halo"
        valid = valid or (len(value) == ndim and all(isinstance(n, int) for n in value))
        _require(valid, network, f"{name} has one int per axis, got {value!r}.")


def _check_shape(network: Any, ndim: int) -> None:
    sides = [2 * s + 3 for s in network.stride]
    with torch.no_grad():
        output = network.eval()(torch.randn(1, CHANNELS, *sides))
    wanted = (1, OUTPUTS, *sides)
    _require(
        isinstance(output, torch.Tensor) and tuple(output.shape) == wanted,
        network,
        f"returns {wanted} for sides of {sides}, got {getattr(output, 'shape', type(output))}.",
    )


def _check_training(network: Any, *, whole: bool) -> None:
    sides = [2 * s for s in network.stride]
    several = resolutions(network.train()(torch.randn(2, CHANNELS, *sides)))
    _require(
        tuple(several[0].shape) == (2, OUTPUTS, *sides),
        network,
        f"the first of its outputs is of full resolution, got {tuple(several[0].shape)}.",
    )
    torch.stack([(o**2).mean() for o in several]).sum().backward()  # type: ignore[no-untyped-call]
    idle = [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None]
    _require(
        not (whole and idle), network, f"parameters that the output does not depend on: {idle[:3]}."
    )


def _check_halo(network: Any, ndim: int) -> None:
    """Compare a core computed with its halo to that of the whole image."""
    network = network.eval().double()
    for norm in network.modules():  # statistics as after a training, not those of nothing
        if getattr(norm, "running_mean", None) is not None:
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 2)
    for axis in range(ndim):
        _check_along(network, axis)


def _check_along(network: Any, axis: int) -> None:
    halo, stride = network.halo[axis], network.stride[axis]
    before, core = -(-halo // stride) * stride, 2 * stride
    sides = [2 * s for s in network.stride]
    sides[axis] = 2 * (stride + before) + core
    image = torch.randn(1, CHANNELS, *sides, dtype=torch.double)
    with torch.no_grad():
        whole = network(image).narrow(2 + axis, stride + before, core)
        window = image.narrow(2 + axis, stride, 2 * before + core)
        part = network(window).narrow(2 + axis, before, core)
    apart = float((whole - part).abs().max())
    _require(
        apart <= TOLERANCE * max(1.0, float(whole.abs().max())),
        network,
        f"a core with a halo of {network.halo} differs from that of the whole image by "
        f"{apart:.3g}. The halo or the stride is too small, or it looks at the whole window: then "
        "halo is None.",
    )
