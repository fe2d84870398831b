"""From what data is like, and what may be spent, to a network and its patches: nnU-Net's rules.

Isensee et al. 2021, doi 10.1038/s41592-020-01008-z. Every number here is theirs; `plan` is the
whole of it, as one function of a fingerprint and a budget, for any target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.training.planning.configuration import (
    REFERENCE,
    REFERENCE_BATCH,
    REFERENCE_GB,
    Configuration,
    Floats,
    Ints,
    Plan,
    Topology,
)

ANISOTROPY = 3.0
"""An axis is thick when its spacing is that many times the others'."""

LEAST_EDGE = 4
"""Sides of the coarsest resolution are at least this."""

WIDEST = {2: 512, 3: 320}
"""Most features of a stage, by spatial axes."""

VOLUME = {2: 2048**2, 3: 256**3}
"""Size of the patch that is begun with."""

LEAST_BATCH = 2
SEEN_AT_ONCE = 0.05
"""Share of all pixels that one batch has at most."""

LOW_BELOW = 0.25
"""A second, coarser configuration is planned where a patch is less than this part of an image."""

EMPTY_BELOW = 3 / 4
"""Median share of images that cropping leaves, below which intensities are of filled pixels."""

COARSER = 1.03
WORTH_IT = 2.0
"""How many times fewer voxels a coarser configuration must have."""


@dataclass(frozen=True)
class Fingerprint:
    """What data is like.

    Parameters
    ----------
    shapes : tuple of tuple of int
        Sides of every image (y, x or z, y, x), cropped to where any channel is not 0.
    spacings : tuple of tuple of float
        Size of a pixel of each.
    outputs : int
        Channels that are predicted.
    channels : int
        Channels of images.
    relative_size : float
        Median of what cropping left of images.
    """

    shapes: tuple[Ints, ...]
    spacings: tuple[Floats, ...]
    outputs: int = 2
    channels: int = 1
    relative_size: float = 1.0

    @property
    def ndim(self) -> int:
        """Spatial axes."""
        return len(self.shapes[0])


@dataclass(frozen=True)
class Budget:
    """What may be spent.

    Parameters
    ----------
    memory_gb : float
        For a training step.
    base : int
        Features of the finest stage; 32 is nnU-Net's, 16 is four times faster.
    """

    memory_gb: float = 8.0
    base: int = 32


def plan(fingerprint: Fingerprint, budget: Budget) -> Plan:
    """Return nnU-Net's plan for data and a budget.

    Volumes get a configuration for volumes, planes one for planes. A pure function: the same
    fingerprint and budget give the same plan.
    """
    spacing = target_spacing(fingerprint)
    thickest = int(np.argmax(spacing))
    order = (thickest, *(i for i in range(fingerprint.ndim) if i != thickest))
    if fingerprint.ndim == 2:
        order = (0, 1)
    shapes = [
        resampled_shape(shape, old, spacing)
        for shape, old in zip(fingerprint.shapes, fingerprint.spacings, strict=True)
    ]
    turned = np.array(spacing)[list(order)]
    median = np.median(np.array(shapes), axis=0)[list(order)]
    pixels = float(np.prod(median)) * len(shapes)
    full = configure(turned, median, pixels, fingerprint.outputs, budget)
    low = None
    if fingerprint.ndim == 3:
        low = _coarser(full, turned, median, len(shapes), fingerprint.outputs, budget)
    pooled = fingerprint.ndim == 2 or low is not None
    return Plan(
        order,
        replace(full, batch_dice=pooled),
        low,
        masked=fingerprint.relative_size < EMPTY_BELOW,
    )


def target_spacing(fingerprint: Fingerprint) -> Floats:
    """Return the spacing that images are resampled to: the median of every axis.

    An axis whose spacing is more than three times the others', and whose sides are less than a
    third of theirs, gets the 10th percentile, so that thin slices stay thin.
    """
    spacings = np.array(fingerprint.spacings, float)
    target = np.percentile(spacings, 50, axis=0)
    sizes = np.percentile(np.array(fingerprint.shapes, float), 50, axis=0)
    worst = int(np.argmax(target))
    others = [i for i in range(len(target)) if i != worst]
    widest = max(target[others])
    thick = target[worst] > ANISOTROPY * widest
    few = sizes[worst] * ANISOTROPY < min(sizes[others])
    if fingerprint.ndim == 3 and thick and few:
        low = float(np.percentile(spacings[:, worst], 10))
        target[worst] = low if low >= widest else max(widest, low) + 1e-5
    return tuple(float(v) for v in target)


def resampled_shape(shape: Sequence[int], old: Sequence[float], new: Sequence[float]) -> Ints:
    """Return the sides of an image after resampling."""
    return tuple(round(a / b * n) for n, a, b in zip(shape, old, new, strict=True))


def topology(spacing: Sequence[float] | NDArray[Any], patch: Sequence[int]) -> Topology:
    """Return the stages of a network for patches of about that size.

    Axes are halved while 8 pixels are left (12 of the only one), the finest and those less than
    twice as coarse together; kernels are 3 pixels along an axis once it is less than twice as
    coarse as the finest.
    """
    sizes, steps = list(patch), [float(s) for s in spacing]
    kernel = [1] * len(sizes)
    strides: list[Ints] = [(1,) * len(sizes)]
    kernels: list[Ints] = []
    while chosen := _halved(sizes, steps):
        finest = min(steps)
        kernel = [3 if s / finest < 2 else k for k, s in zip(kernel, steps, strict=True)]
        kernels.append(tuple(kernel))
        strides.append(tuple(2 if i in chosen else 1 for i in range(len(sizes))))
        sizes = [ceil(n / 2) if i in chosen else n for i, n in enumerate(sizes)]
        steps = [s * 2 if i in chosen else s for i, s in enumerate(steps)]
    kernels.append((3,) * len(sizes))
    divisor = np.prod(strides, axis=0)
    padded = tuple(int(-(-n // d) * d) for n, d in zip(patch, divisor, strict=True))
    return Topology(padded, tuple(strides), tuple(kernels))


def _halved(sizes: Sequence[int], steps: Sequence[float]) -> list[int]:
    """Return the axes that are halved next; none at the end."""
    large = [i for i, n in enumerate(sizes) if n >= 2 * LEAST_EDGE]
    if not large:
        return []
    finest = min(steps[i] for i in large)
    chosen = [i for i in large if steps[i] / finest < 2]
    if len(chosen) == 1 and sizes[chosen[0]] < 3 * LEAST_EDGE:
        return []
    return chosen


def estimated(shape: Topology, features: Sequence[int], outputs: int) -> int:
    """Return how many values a plain U-Net makes of one patch."""
    sides = np.array(shape.patch, float)
    total = float(outputs * prod(shape.patch))
    for i, (stride, width) in enumerate(zip(shape.strides, features, strict=True)):
        sides = sides / np.array(stride)
        per_feature = 2 if i == len(features) - 1 else 5
        total += per_feature * width * float(np.prod(sides))
    return round(total)


def widths(count: int, ndim: int, base: int) -> Ints:
    """Return the features of every stage."""
    return tuple(min(WIDEST[ndim], base * 2**i) for i in range(count))


def configure(
    spacing: Sequence[float] | NDArray[Any],
    median: Sequence[float] | NDArray[Any],
    pixels: float,
    outputs: int,
    budget: Budget,
) -> Configuration:
    """Return the configuration for a spacing.

    Parameters
    ----------
    spacing, median : sequence of float
        Size of a pixel, and sides of the median image, in the order of the network.
    pixels : float
        Of all images together.
    outputs : int
        Channels that are predicted.
    budget : Budget
        What may be spent.
    """
    ndim = len(spacing)
    reference = REFERENCE[ndim] * budget.memory_gb / REFERENCE_GB
    aspect = 1 / np.array(spacing, float)
    first = aspect * (VOLUME[ndim] / np.prod(aspect)) ** (1 / ndim)
    patch = [int(min(round(a), m)) for a, m in zip(first, median, strict=True)]
    found = topology(spacing, patch)
    features = widths(len(found.strides), ndim, budget.base)
    cost = estimated(found, features, outputs)
    while cost / REFERENCE_BATCH[ndim] * 2 > reference:
        found = _smaller(found, spacing, median)
        features = widths(len(found.strides), ndim, budget.base)
        cost = estimated(found, features, outputs)
    most = round(pixels * SEEN_AT_ONCE / prod(found.patch))
    batch = max(min(round(reference / cost * REFERENCE_BATCH[ndim]), most), LEAST_BATCH)
    return Configuration(
        tuple(float(s) for s in spacing),
        tuple(float(m) for m in median),
        found,
        features,
        batch,
        cost,
    )


def _smaller(
    now: Topology, spacing: Sequence[float] | NDArray[Any], median: Sequence[float] | NDArray[Any]
) -> Topology:
    """Take a step off the axis that is largest beside the median image.

    The step is that of the network for the smaller patch: else sizes in between would be missed.
    """
    shares = [n / m for n, m in zip(now.patch, median, strict=True)]
    axis = int(np.argsort(shares)[-1])
    tried, patch = list(now.patch), list(now.patch)
    tried[axis] -= now.divisor[axis]
    patch[axis] -= topology(spacing, tried).divisor[axis]
    return topology(spacing, patch)


def _coarser(
    full: Configuration,
    spacing: NDArray[Any],
    median: NDArray[Any],
    count: int,
    outputs: int,
    budget: Budget,
) -> Configuration | None:
    """Return a configuration whose patches show a quarter of an image at least."""
    steps, found, voxels = spacing.copy(), full, float(np.prod(median))
    while prod(found.patch) / voxels < LOW_BELOW:
        finer = steps.max() / steps > 2
        steps = np.where(finer, steps * COARSER, steps) if finer.any() else steps * COARSER
        shape = spacing / steps * median
        voxels = float(np.prod(shape))
        sides = tuple(round(n) for n in shape)
        found = configure(steps, sides, voxels * count, outputs, budget)
    if found is full or float(np.prod(median)) / voxels < WORTH_IT:
        return None
    return found
