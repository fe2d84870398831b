"""Pixel values as an extractor wants them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.color import LAB, rgb_to_lab
from stroma.data.statistics import Statistics, black_and_white
from stroma.features.contract import Normalisation
from stroma.features.networks.imagenet import like_imagenet

LEAST_DEVIATION = 1e-6

OF_LAB = {"lightness": slice(1), "color": slice(1, 3), "lab": slice(3)}
"""Which channels of CIELAB are fed."""


def fed_channels(channels: tuple[str, ...], kind: Normalisation, *, rgb: bool) -> tuple[str, ...]:
    """Return the names of the channels that `normalise` gives for these."""
    if kind == "lightness" and rgb:
        return LAB[:1]
    if kind == "lab" and rgb:
        return LAB
    if kind == "color":
        return LAB[1:] if rgb else ()
    return channels


def normalise(
    values: NDArray[Any], statistics: Statistics | None, kind: Normalisation, *, rgb: bool
) -> NDArray[np.float32]:
    """Return the values of a block as float32, normalised by statistics of the whole image.

    Parameters
    ----------
    values : (C, ..., y, x) array
        Raw pixel values.
    statistics : Statistics or None
        Per channel, of the whole image; None leaves the values as they are (as colours from 0 to
        1, where lightness or opponent colours are asked for).
    kind : {"default", "percentile", "imagenet", "lightness", "color", "lab"}
        As for `Wants`.
    rgb : bool
        Whether the channels are red, green and blue.
    """
    if kind in OF_LAB and rgb:
        return _lab(values, statistics)[OF_LAB[kind]]
    if kind == "color":
        return np.zeros((0, *values.shape[1:]), np.float32)
    if statistics is None:
        return values.astype(np.float32, copy=False)
    if kind == "imagenet" and rgb:
        return like_imagenet(values, statistics)
    if kind == "percentile":
        axes = values.ndim
        low, span = _columns(statistics.low, axes), _spans(statistics.low, statistics.high, axes)
        return np.clip((values - low) / span, 0, 1).astype(np.float32)
    return _z_score(values, statistics)


def _lab(values: NDArray[Any], statistics: Statistics | None) -> NDArray[np.float32]:
    if statistics is None or statistics.lab is None:
        return rgb_to_lab(values, 0, 1)
    return _z_score(rgb_to_lab(values, *black_and_white(statistics)), statistics.lab)


def _z_score(values: NDArray[Any], statistics: Statistics) -> NDArray[np.float32]:
    axes, zero = values.ndim, (0,) * len(statistics.std)
    mean, scale = _columns(statistics.mean, axes), _spans(zero, statistics.std, axes)
    if values.dtype == np.float64:
        return ((values - mean) / scale).astype(np.float32)
    return (values - mean.astype(np.float32)) * (1 / scale).astype(np.float32)


def _columns(numbers: tuple[float, ...], axes: int) -> NDArray[np.float64]:
    """Return one number per channel for an array of channels with so many axes."""
    return np.array(numbers).reshape(-1, *(1,) * (axes - 1))


def _spans(low: tuple[float, ...], high: tuple[float, ...], axes: int) -> NDArray[np.float64]:
    return np.maximum(_columns(high, axes) - _columns(low, axes), LEAST_DEVIATION)
