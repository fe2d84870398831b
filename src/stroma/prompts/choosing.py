"""Which of several answers is meant: users click in the middle of the largest wrong part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stroma.prompts.contract import Prompts
from stroma.prompts.refine import depth
from stroma.prompts.seeds import Seeds, tidy

Bools = NDArray[np.bool_]
Places = NDArray[np.int64]

SIDES = {2: 128, 3: 32}
"""Pixels along each axis, at most, that are looked at, of planes and of volumes."""

LEAST = 0.03
"""How central a click is at least: people do not measure."""

KEPT = 1.0
"""How much it says against an answer that it loses a part of the one before."""

FEW = 0.02
"""Of the answer before, that is kept at least."""


def middle(mask: Bools, click: NDArray[np.int64]) -> float:
    """Return how likely a click is of a mask: 0 in its middle, less at its border, a logarithm.

    Parameters
    ----------
    mask : (*space) bool
        What may be meant.
    click : (d,) int64
        The pixel.
    """
    place = tuple(click)
    if not mask[place]:
        return float(np.log(LEAST))
    inside = depth(mask, beyond=False)
    return float(np.log(max(LEAST, inside[place] / inside.max())))


def coarse(shape: tuple[int, ...]) -> int:
    """Return every how many pixels of a part are looked at."""
    return max(1, -(-max(shape) // SIDES[len(shape)]))


def every(step: int, axes: int) -> tuple[slice, ...]:
    """Return an index of every so many pixels."""
    return (slice(None, None, step),) * axes


def best(
    masks: Sequence[Bools], known: Sequence[float], before: Bools, given: Prompts, seeds: Seeds
) -> int:
    """Return which of several answers to clicks is the likeliest, by its number.

    The last click lies in the middle of what differs between the answer before and the object, and
    an object keeps most of what it was taken for.

    Parameters
    ----------
    masks : sequence of (*space) bool
        Answers.
    known : sequence of float
        What speaks for each beforehand, as logarithms.
    before : (*space) bool
        The answer to all clicks but the last.
    given, seeds
        The clicks.
    """
    clicks = np.concatenate([seeds.on_pixels, seeds.beside_pixels])
    box = _around([*masks, before], clicks)
    low = np.array([s.start for s in box])
    step = coarse(tuple(s.stop - s.start for s in box))
    some = every(step, before.ndim)
    on, beside = ((p - low) // step for p in (seeds.on_pixels, seeds.beside_pixels))
    small = replace(seeds, on_pixels=on, beside_pixels=beside)
    was, click = before[box][some], (np.rint(given.points[-1]).astype(np.int64) - low) // step
    click = np.clip(click, 0, np.array(was.shape) - 1)
    scores = []
    for mask, own in zip(masks, known, strict=True):
        now = tidy(mask[box][some].copy(), given, small)
        kept = (now & was).sum() / max(1, was.sum())
        scores.append(own + middle(now ^ was, click) + KEPT * np.log(max(kept, FEW)))
    return int(np.argmax(scores))


def _around(masks: Sequence[Bools], clicks: Places) -> tuple[slice, ...]:
    """Return the box that holds masks and clicks."""
    low, high = clicks.min(0), clicks.max(0) + 1
    axes = range(masks[0].ndim)
    for mask in masks:
        for axis in axes:
            held = np.flatnonzero(mask.any(axis=tuple(a for a in axes if a != axis)))
            if len(held):
                low[axis], high[axis] = min(low[axis], held[0]), max(high[axis], held[-1] + 1)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
