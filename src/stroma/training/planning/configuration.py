"""What a plan says: networks for one resolution, their stages, patches and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = tuple[float, ...]
Ints = tuple[int, ...]

REFERENCE = {2: 85_000_000, 3: 560_000_000}
"""What is estimated for a network that takes 8 GB, for that many patches:"""

REFERENCE_BATCH = {2: 12, 3: 2}
REFERENCE_GB = 8.0


@dataclass(frozen=True)
class Topology:
    """Stages of a network.

    Parameters
    ----------
    patch : tuple of int
        Sides of a patch, padded to whole cells of the coarsest stage.
    strides, kernels : tuple of tuple of int
        Per stage and axis.
    """

    patch: Ints
    strides: tuple[Ints, ...]
    kernels: tuple[Ints, ...]

    @property
    def divisor(self) -> Ints:
        """What sides are multiples of."""
        return tuple(int(n) for n in np.prod(self.strides, axis=0))


@dataclass(frozen=True)
class Configuration:
    """A network for one resolution.

    Parameters
    ----------
    spacing : tuple of float
        Size of a pixel that images are resampled to.
    median_shape : tuple of float
        Sides of the median image, then.
    topology : Topology
        Stages.
    features : tuple of int
        Width of every stage.
    batch : int
        Patches per step.
    estimate : int
        Values that a patch makes, on which memory was estimated.
    batch_dice : bool
        Whether Dice is of all patches of a batch together.
    """

    spacing: Floats
    median_shape: Floats
    topology: Topology
    features: Ints
    batch: int
    estimate: int
    batch_dice: bool = False

    @property
    def patch(self) -> Ints:
        """Sides of a patch."""
        return self.topology.patch

    @property
    def gigabytes(self) -> float:
        """Estimated memory of a training step."""
        ndim = len(self.patch)
        per_patch = REFERENCE_GB / REFERENCE[ndim] / REFERENCE_BATCH[ndim]
        return self.estimate * self.batch * per_patch


@dataclass(frozen=True)
class Plan:
    """What is to be done with data.

    Parameters
    ----------
    order : tuple of int
        Axes of images in the order of the network: the thickest first.
    full : Configuration
        At the target spacing.
    low : Configuration or None
        Coarser, for volumes of which a patch shows too little.
    masked : bool
        Whether intensities are normalised within what is not 0.
    """

    order: Ints
    full: Configuration
    low: Configuration | None
    masked: bool

    def in_order_of_images(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Return what is given per axis of the network, per axis of images."""
        return tuple(values[self.order.index(axis)] for axis in range(len(self.order)))

    @property
    def times(self) -> Floats:
        """How many times larger pixels of the coarser configuration are, per axis of images."""
        assert self.low is not None, "there is a coarser configuration"
        pairs = zip(self.low.spacing, self.full.spacing, strict=True)
        return self.in_order_of_images([a / b for a, b in pairs])

    def __str__(self) -> str:
        """Say it so that users understand."""
        parts = [_told("Network", self.full)]
        if self.low is not None:
            parts.append(_told("Coarser network, trained first if cascade is asked for", self.low))
        if self.masked:
            parts.append("Intensities are normalised within the part of images that is not 0.")
        return "\n".join(parts)


def _told(title: str, found: Configuration) -> str:
    patch = " x ".join(map(str, found.patch))
    spacing = " x ".join(f"{s:.4g}" for s in found.spacing)
    median = " x ".join(f"{m:.0f}" for m in found.median_shape)
    steps = "; ".join("x".join(map(str, s)) for s in found.topology.strides[1:]) or "none"
    return (
        f"{title}: {len(found.features)} stages of {', '.join(map(str, found.features))} features\n"
        f"  patches of {patch} pixels, {found.batch} per step, about {found.gigabytes:.1f} GB\n"
        f"  images resampled to a spacing of {spacing}; the median image is then {median}\n"
        f"  steps between stages: {steps}"
    )
