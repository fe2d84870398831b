"""Pixel values as an extractor wants them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.statistics import Statistics
from stroma.features.contract import Normalisation
from stroma.features.imagenet import like_imagenet

LEAST_DEVIATION = 1e-6


def normalise(
    values: NDArray[Any], statistics: Statistics | None, kind: Normalisation, *, rgb: bool
) -> NDArray[np.float32]:
    """Return the values of a block as float32, normalised by statistics of the whole image.

    Parameters
    ----------
    values : (C, y, x) array
        Raw pixel values.
    statistics : Statistics or None
        Per channel, of the whole image; None leaves the values as they are.
    kind : {"default", "percentile", "imagenet"}
        Z-score; 1st to 99th percentile to [0, 1], clipped; or, for rgb images, the mean and
        deviation of ImageNet (z-score for all others).
    rgb : bool
        Whether the channels are red, green and blue.
    """
    if statistics is None:
        return values.astype(np.float32, copy=False)
    if kind == "imagenet" and rgb:
        return like_imagenet(values, statistics)
    if kind == "percentile":
        low, span = _columns(statistics.low), _spans(statistics.low, statistics.high)
        return np.clip((values - low) / span, 0, 1).astype(np.float32)
    mean, scale = _columns(statistics.mean), _spans((0,) * len(statistics.std), statistics.std)
    if values.dtype == np.float64:
        return ((values - mean) / scale).astype(np.float32)
    return (values - mean.astype(np.float32)) * (1 / scale).astype(np.float32)


def _columns(numbers: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array(numbers)[:, None, None]


def _spans(low: tuple[float, ...], high: tuple[float, ...]) -> NDArray[np.float64]:
    return np.maximum(_columns(high) - _columns(low), LEAST_DEVIATION)
