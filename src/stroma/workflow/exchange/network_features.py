"""Trained networks as feature extractors for strokes: those of packages, of others, and ours."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stroma.backbones import device
from stroma.errors import ParameterError
from stroma.features.build import register_extractor
from stroma.features.contract import FeatureMap, Wants
from stroma.features.networks.deep import inference
from stroma.training.model import Network
from stroma.training.predicting.members import members
from stroma.workflow.applying.load import load
from stroma.workflow.exchange.network_files import digest, place_of
from stroma.zoo.packages.programs import Program

Which = Literal["inner", "outputs"]

NORMALISED = {"zscore": "default", "percentile": "percentile", "rescale": "percentile"}
"""How a network's images are scaled, and what of that a model of strokes feeds."""

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class NetworkFeatures:
    """What a trained network sees: its channels, or what its last convolution makes them of.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "mps"}
        Where the network runs.
    """

    device: device.Device = "auto"

    network: ClassVar[Network]
    called: ClassVar[str]
    path: ClassVar[str]
    which: ClassVar[Which]
    trust: ClassVar[tuple[str, ...]]
    digest: ClassVar[str]
    axes: ClassVar[str] = "yx"

    def __post_init__(self) -> None:
        """Check the parameters."""
        device.check(self.device)

    def __reduce__(self) -> Any:
        """Pickle as where the network is, and the parameters."""
        return _again, (self.called, self.path, self.which, self.trust, self.device)

    @property
    def halo(self) -> int | tuple[int, int, int] | None:
        """What the network's results depend on, in whole steps; None where it is the window."""
        found = members(self.network.module)[0].halo
        if found is None:
            return None
        sides = [math.ceil(h / s) * s for h, s in zip(found, self._strides, strict=True)]  # type: ignore[arg-type]
        return (sides[0], sides[1], sides[2]) if self.axes == "zyx" else max(sides)

    @property
    def stride(self) -> int | tuple[int, int, int]:
        """What windows of the network are aligned with."""
        sides = self._strides
        return (sides[0], sides[1], sides[2]) if self.axes == "zyx" else max(sides)

    @property
    def _strides(self) -> list[int]:
        """Return steps along all axes; along y and x the same."""
        every = [int(s) for s in members(self.network.module)[0].stride]  # type: ignore[union-attr]
        plane = math.lcm(*every[-2:])
        return [*every[:-2], plane, plane]

    @property
    def wants(self) -> Wants:
        """The channels and the scaling of the network's training."""
        [scheme] = set(self.network.about.scale().schemes)
        return Wants(NORMALISED[scheme], self.network.about.channels)  # type: ignore[arg-type]

    def provenance(self) -> dict[str, str]:
        """Return what identifies the network: name, repository, revision, file, digest."""
        file = Path(self.path).name
        known = {"name": self.called, "repository": "a file of yours", "revision": ""}
        return {**known, "file": file, "digest": self.digest}

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``nuclei.3``."""
        return [f"{self.called}.{name}" for name in self._names]

    @property
    def _names(self) -> list[str]:
        network = self.network
        if self.which == "outputs":
            return list(network.target.channels())
        return [str(i) for one in members(network.module) for i in range(_last(one).in_channels)]

    def __call__(self, block: NDArray[np.float32]) -> list[FeatureMap]:
        """Return the features of the core of a (C, *space) block."""
        place = device.resolve(self.device)
        module = self.network.module.to(place)
        given = torch.from_numpy(np.ascontiguousarray(block))[None].to(place)
        with inference(place):
            every = [self._seen(one, given) for one in members(module)]
            joined = torch.stack(every).mean(0) if self.which == "outputs" else torch.cat(every)
            found = joined.float().cpu().numpy()
        return [FeatureMap(np.ascontiguousarray(found[(slice(None), *self._core(block))]))]

    def _seen(self, module: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Return the (F, *space) features that one network gives."""
        if self.which == "outputs":
            found: torch.Tensor = self.network.target.activate(module(images))[0]
            return found
        seen: list[torch.Tensor] = []
        hook = _last(module).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            module(images)
        finally:
            hook.remove()
        space = images.shape[2:]
        return seen[-1][0][(slice(None), *(slice(0, n) for n in space))]

    def _core(self, block: NDArray[np.float32]) -> tuple[slice, ...]:
        halo = self.halo
        count = block.ndim - 1
        sides = (0,) * count if halo is None else (halo,) * count if isinstance(halo, int) else halo
        return tuple(slice(h, n - h) for h, n in zip(sides, block.shape[1:], strict=True))


def register_network(
    name: str,
    model: str | Path,
    *,
    which: Which = "outputs",
    trust: str | Collection[str] = (),
) -> type[NetworkFeatures]:
    """Make a trained network a feature extractor, known by name until this process ends.

    Parameters
    ----------
    name : str
        What models of strokes call it (``fe_name``).
    model : str or Path
        Whatever `stroma.load` takes as a network: a package, its id, a file of ours or of others.
    which : {"outputs", "inner"}
        Its channels, activated, or what its last convolution makes them of: more features, that
        say less of what the network was trained for. Programs of others have only channels.
    trust : str or collection of str
        Programs in the package that may run; see `stroma.load`.

    Raises
    ------
    ParameterError
        If the name is taken, the model is of strokes, or its features cannot be had.
    ConsentError
        If it is a program that is not among those to trust.
    """
    trusted = (trust,) if isinstance(trust, str) else tuple(trust)
    kind = _kind(name, str(model), which, trusted)
    register_extractor(name, kind)
    return kind


@lru_cache(maxsize=16)
def _kind(name: str, path: str, which: Which, trust: tuple[str, ...]) -> type[NetworkFeatures]:
    network = load(path, trust=trust)
    if not isinstance(network, Network):
        raise ParameterError(f"{path} is a model of strokes, which has features, but is none.")
    _require_fit(network, path, which)
    said = {
        "network": network,
        "called": name,
        "path": path,
        "which": which,
        "trust": trust,
        "digest": digest(place_of(path)),
        "axes": "yx" if network.ndim == 2 else "zyx",
        "__doc__": f"What the network in {path} sees.",
    }
    return type(f"Features_{name}", (NetworkFeatures,), said)


def _again(
    name: str, path: str, which: Which, trust: tuple[str, ...], place: device.Device
) -> NetworkFeatures:
    return _kind(name, path, which, trust)(place)


def _require_fit(network: Network, path: str, which: Which) -> None:
    """Refuse networks that are fed what models of strokes do not have, or hide what is asked."""
    schemes = set(network.about.scale().schemes)
    if len(schemes) != 1 or not schemes <= set(NORMALISED):
        raise ParameterError(
            f"{path}: its network takes intensities scaled as {', '.join(sorted(schemes))}, and "
            f"models of strokes feed {', '.join(NORMALISED)}."
        )
    if network.about.zoom != 1:
        raise ParameterError(
            f"{path}: its network takes images made larger or smaller, which features are not."
        )
    if which == "outputs":
        return
    for one in members(network.module):
        if any(isinstance(part, Program) for part in one.modules()) or _last(one) is None:
            raise ParameterError(
                f"{path}: its network is a program of others, of which only channels are to be "
                "had. Leave :inner (which='inner') out."
            )


def _last(module: nn.Module) -> Any:
    """Return the last convolution of a network, as it was built; None where there is none."""
    found = [part for part in module.modules() if isinstance(part, CONVOLUTIONS)]
    return found[-1] if found else None
