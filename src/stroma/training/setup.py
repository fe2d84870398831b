"""What is trained, how large its patches are, and how many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stroma.targets.contract import Facts


@dataclass(frozen=True)
class Setup:
    """A network and its batches.

    Parameters
    ----------
    network : str
        Its name.
    params : mapping
        What it is built with.
    patch : tuple of int
        Sides of patches.
    batch : int
        Patches per step.
    flat : bool
        Whether volumes are turned and bent within planes only.
    """

    network: str
    params: Mapping[str, Any] = field(default_factory=dict)
    patch: tuple[int, ...] = ()
    batch: int = 4
    flat: bool = False


def decide(
    shapes: Sequence[tuple[int, ...]],
    facts: Facts,
    *,
    outputs: int,
    memory_gb: float,
    network: str = "auto",
    options: Mapping[str, Any] | None = None,
    patch: Sequence[int] | None = None,
    batch: int | None = None,
) -> Setup:
    """Return the setup for some data and a budget."""
    most = 256 if facts.ndim == 2 else 64
    median = np.median(np.array(shapes), axis=0)
    side = [int(min(most, -(-n // 16) * 16)) for n in median] if patch is None else list(patch)
    params = {"features": [16, 32, 64, 128, 256], **(options or {})}
    return Setup(
        "unet" if network == "auto" else network, params, tuple(side), 4 if batch is None else batch
    )
