"""Small examples of what users give, on which targets are tried: see `check_target`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.targets.contract import Target

SIDES = {2: (16, 20), 3: (15, 16, 18)}
SHARE = 0.25
"""Of the last axis of an example that is hidden."""

POINTS = ((3.3, 4.2, 9.1), (11.6, 12.3, 3.7), (6.1, 14.8, 15.2))
LEVELS = (0.3, 1.0, 3.0)
"""How noisy predictions are, in deviations of their channels."""

SPECKS = (0.6, 0.9, 1.3)
"""How wide patches are, in pixels."""

Shape = tuple[int, ...]


def examples(target: Target) -> list[tuple[Any, Shape]]:
    """Return truths with their sides, in planes and volumes unless the target says which."""
    said = getattr(target, "ndim", None) or len(getattr(target, "spacing", ()))
    return [(_example(target, SIDES[n]), SIDES[n]) for n in ((said,) if said else (2, 3))]


def _example(target: Target, shape: Shape) -> Any:
    labels: Sequence[int] = getattr(target, "labels", (0, 1, 2))
    if target.truth == "points":
        return np.array(POINTS)[:, : len(shape)]
    if target.truth == "image":
        count = len(target.channels()) - getattr(target, "spreads", 0)
        return np.random.default_rng(1).normal(size=(count, *shape)).astype(np.float32)
    if target.truth == "category":
        return np.full(shape, labels[-1], np.int32)
    found = blobs(shape)
    kinds, divisor = getattr(target, "classes", ()), getattr(target, "divisor", 0)
    if divisor and kinds:
        return np.where(found > 0, np.take(kinds, found % len(kinds)) * divisor + found, 0)
    return np.take(labels, found % len(labels)) if target.truth == "classes" else found


def blobs(shape: Shape) -> NDArray[np.int32]:
    """Return 0, 1, 2 in places that no turn maps to themselves; 1 and 2 touch."""
    labels = np.zeros(shape, np.int32)
    labels[(slice(2, 9), *[slice(3, 12)] * (len(shape) - 1))] = 1
    labels[(slice(9, 14), *[slice(5, 17)] * (len(shape) - 1))] = 2
    return labels


def hidden(
    target: Target, truth: Any, shape: Shape
) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Return a truth of which the end of the last axis is unknown, and where; None of points."""
    if target.truth == "points":
        return None
    where = np.zeros(shape, bool)
    where[..., -max(1, round(SHARE * shape[-1])) :] = True
    part = np.array(truth)
    part[..., where] = np.nan if target.truth == "image" else -1
    return part, where


def worse(values: NDArray[np.float32], rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Yield predictions as a network makes them that is less than perfect.

    Blurred and noisy ones, then some of which only patches of several sizes are there.
    """
    axes = tuple(range(1, values.ndim))
    size = values.std(axes, keepdims=True)
    for level in LEVELS:
        for smooth in (0.0, 1.5):
            noise = rng.normal(size=values.shape)
            blurred = ndimage.gaussian_filter(values, (0, *(smooth,) * len(axes)))
            rough = ndimage.gaussian_filter(noise, (0, *(smooth / 2,) * len(axes)))
            yield (blurred + level * size * rough).astype(np.float32)
    for sigma in SPECKS:
        cloud = ndimage.gaussian_filter(rng.normal(size=values.shape[1:]), sigma)
        yield np.where(cloud > np.quantile(cloud, 0.6), values, 0).astype(np.float32)
