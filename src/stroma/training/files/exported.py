"""A trained network as one module: pixels in, activated channels out, as other programs run it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from stroma.errors import ParameterError
from stroma.training.feeding.normalise import Normalisation
from stroma.training.files.about import About
from stroma.training.predicting.members import members

TOLERANCE = 1e-4


class Exported(nn.Module):
    """Members of a network, averaged after activation.

    Parameters
    ----------
    module : nn.Module
        The network, or several.
    target : Target
        Whose activation it is.
    scale : Normalisation, optional
        Done inside, where it differs from channel to channel; with the statistics of the window.
    """

    def __init__(self, module: nn.Module, target: Any, scale: Normalisation | None = None) -> None:
        super().__init__()
        self.module, self.target, self.scale = module, target, scale

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the (B, K, *space) prediction of (B, C, *space) pixels."""
        ready = images if self.scale is None else scaled(images, self.scale)
        every = [self.target.activate(one(ready)) for one in members(self.module)]
        return torch.stack(every).mean(0)


def build(**about: Any) -> Exported:
    """Return a network to load weights into; what a model package names as its architecture."""
    return exported(About(**about), None)


def exported(about: About, module: nn.Module | None) -> Exported:
    """Return a network as one module; with weights yet to be loaded where none is given."""
    if about.first:
        raise ParameterError(
            "This network is a cascade of two, the second of which sees what the first said of a "
            "whole image; a package holds one network. Train one without cascade."
        )
    made = about.built() if module is None else module
    inner = about.scale() if by_channel(about) else None
    return Exported(made, about.built_target(), inner).eval().requires_grad_(False)


def by_channel(about: About) -> bool:
    """Tell whether intensities are scaled inside: packages have one rule for all channels."""
    schemes = about.scale().schemes
    several = len(set(schemes)) > 1 or (len(schemes) > 1 and schemes[0] == "clip")
    return several or bool({"nonzero", "given"} & set(schemes))


def arguments(about: About) -> dict[str, Any]:
    """Return what `build` makes the network of, as plain values."""
    names = ("network", "params", "target", "target_params", "ndim", "channels", "normalisation")
    said = asdict(about)
    return {name: said[name] for name in (*names, "patch", "members")}


def scaled(images: torch.Tensor, scale: Normalisation) -> torch.Tensor:
    """Return (B, C, *space) pixels, each channel scaled as its scheme says."""
    found = []
    filled = (images != 0).any(1, keepdim=True)
    for c, scheme in enumerate(scale.schemes):
        one = images[:, c : c + 1]
        axes = tuple(range(2, images.ndim))
        if scheme == "zscore":
            deviation = one.std(axes, correction=0, keepdim=True)
            one = (one - one.mean(axes, keepdim=True)) / deviation.clamp_min(1e-8)
        elif scheme == "nonzero":
            count = filled.sum(axes, keepdim=True).clamp_min(1)
            centred = (one - (one * filled).sum(axes, keepdim=True) / count) * filled
            deviation = (centred.square().sum(axes, keepdim=True) / count).sqrt()
            one = centred / deviation.clamp_min(1e-8)
        elif scheme == "rescale":
            low, high = one.amin(axes, keepdim=True), one.amax(axes, keepdim=True)
            one = (one - low) / (high - low).clamp_min(1e-8)
        elif scheme == "clip":
            one = (one.clamp(scale.low[c], scale.high[c]) - scale.mean[c]) / scale.std[c]
        elif scheme == "given":
            one = (one - scale.mean[c]) / max(scale.std[c], 1e-8)
        elif scheme == "percentile":
            shares = torch.tensor(scale.ranks, dtype=one.dtype, device=one.device) / 100
            low, high = torch.quantile(one.flatten(1), shares, 1).view(2, -1, *(1,) * len(axes), 1)
            one = (one - low) / (high - low).clamp_min(1e-8)
        elif scheme == "rgb":
            one = one / 255
        found.append(one)
    return torch.cat(found, 1)


def traced(module: Exported, sides: Sequence[Sequence[int]], channels: int) -> Any:
    """Return a module as TorchScript; None where it does not do the same for all sides.

    Parameters
    ----------
    module : Exported
        The network.
    sides : sequence of sequence of int
        Sides of images, all of which must come out as the module itself has them.
    channels : int
        Of images.
    """
    rng = torch.Generator().manual_seed(0)
    images = [torch.rand((1, channels, *side), generator=rng) for side in sides]
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of what is fixed by tracing; the comparison below says
        trace: Any = torch.jit.trace
        script = trace(module, images[0], check_trace=False)
    for image in images:
        try:
            found = script(image)
        except RuntimeError:
            return None
        wanted = module(image)
        if found.shape != wanted.shape or not torch.allclose(found, wanted, atol=TOLERANCE):
            return None
    return script
