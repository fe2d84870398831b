"""What channels of a package mean to our targets, where it says how objects are made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from stroma.errors import FormatError, short
from stroma.zoo.packages.operations import ARROWS, STARS
from stroma.zoo.packages.tensors import Entering, Leaving

LARGEST = {2: 64, 3: 32}
"""Diameters that objects are taken to have at most, in pixels of the output; no file says it."""

SURE = 1e-7
NOWHERE = -30.0
"""Depth between the pixels of a coarser output, as it is seen through a sigmoid: no object."""


@dataclass(frozen=True)
class Meaning:
    """A target of ours for the channels of a package.

    Parameters
    ----------
    target : str
        Its name.
    params : mapping
        What it is made of.
    options : mapping
        Of its ``decode``.
    turned : callable
        Makes of the package's channels what the target's ``activate`` takes.
    nothing : float, optional
        What lies between the pixels of a coarser output.
    """

    target: str
    params: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    turned: Any = None
    nothing: float | None = None


def meaning(
    step: Mapping[str, Any], outputs: Sequence[Leaving], given: Entering, path: Path
) -> Meaning:
    """Return the target that does what the format calls a way to make objects.

    Raises
    ------
    FormatError
        If the outputs are not what it takes.
    """
    made = stars if step["name"] == STARS else arrows
    if len(outputs) != 1:
        raise FormatError(f"{path}: {step['name']} takes one output, and there are {len(outputs)}.")
    try:
        return made(step, outputs[0], len(given.space))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: {step['name']} goes with {short(step)}.") from error


def stars(step: Mapping[str, Any], told: Leaving, ndim: int) -> Meaning:
    """Return the target of StarDist, whose channels are a probability and lengths of rays."""
    rays = int(step["n_rays"])
    if told.channels and len(told.channels) != rays + 1:
        raise ValueError("one probability and the rays")
    params = {
        "diameter": float(LARGEST[ndim] * max(told.factors)),
        "smallest": 1,
        "radius": 1.0,
        "rays": rays,
        "ndim": ndim,
        "spacing": [float(n) for n in step.get("anisotropy") or ()],
    }
    options = {
        "probability": float(step["prob_threshold"]),
        "overlap": float(step["nms_threshold"]),
        "smallest": 1,
    }
    return Meaning("rays", params, options, Doubted(), NOWHERE)


def arrows(step: Mapping[str, Any], told: Leaving, ndim: int) -> Meaning:
    """Return the target of Cellpose, whose channels are arrows and a logit of the foreground."""
    if step.get("do_3D") or ndim != 2 or (told.channels and len(told.channels) != ndim + 1):
        raise ValueError("arrows along y and x, and the foreground")
    smallest = int(step.get("min_size", 15))
    options = {
        "foreground": 1 / (1 + math.exp(-float(step["cellprob_threshold"]))),
        "flow_error": float(step["flow_threshold"]),
        "smallest": smallest,
    }
    params = {"diameter": float(LARGEST[ndim]), "smallest": smallest, "ndim": ndim}
    return Meaning("flows", params, options, LastFirst())


@dataclass(frozen=True)
class Doubted:
    """Makes a logit of the first channel, a probability: the target has a sigmoid of its own."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (B, K, *space) values."""
        depth = torch.logit(x[:, :1].double(), eps=SURE).to(x.dtype)
        return torch.cat([depth, x[:, 1:]], 1)


@dataclass(frozen=True)
class LastFirst:
    """Puts the last channel first."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (B, K, *space) values."""
        return torch.cat([x[:, -1:], x[:, :-1]], 1)


DECODERS = (STARS, ARROWS)
