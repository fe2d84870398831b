"""Images as Segment Anything is shown them: colours around 0, of one size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from stroma.errors import ImageError, ShapeError
from stroma.features.networks.imagenet import DEVIATION, MEAN
from stroma.prompts.sam.windows import Window


def reader(
    image: NDArray[Any],
    *,
    rgb: bool,
    mean: Sequence[float] = MEAN,
    deviation: Sequence[float] = DEVIATION,
) -> Callable[[Window], NDArray[np.float32]]:
    """Return what reads a window as (3, y, x) colours around 0, as the network was trained with.

    One channel is shown as all three colours, two as red and green; of more, their mean.

    Parameters
    ----------
    image : (C, y, x) array
        Pixel values.
    rgb : bool
        Whether its three channels are red, green and blue.
    mean, deviation : sequence of float
        Of the colours, from 0 to 1, that the network was trained with.

    Raises
    ------
    ShapeError
        If the image is not (C, y, x), or empty.
    ImageError
        If it has values that are NaN or infinite.
    """
    if image.ndim != 3 or not image.size:
        raise ShapeError(f"This engine takes planes, (C, y, x); got shape {image.shape}.")
    if not np.isfinite(image).all():
        raise ImageError("The image has values that are NaN or infinite. Replace them first.")
    low, high = _black_and_white(image, rgb)
    middle, wide = (np.array(v, np.float32)[:, None, None] for v in (mean, deviation))

    def read(window: Window) -> NDArray[np.float32]:
        values = image[(slice(None), *window.slices)].astype(np.float32)
        values = np.clip((values - low) / np.maximum(high - low, 1e-6), 0, 1)
        return np.asarray((_three(values) - middle) / wide, np.float32)

    return read


def _three(values: NDArray[np.float32]) -> NDArray[np.float32]:
    count = len(values)
    if count == 2:
        return np.concatenate([values, np.zeros_like(values[:1])])
    return values if count == 3 else np.repeat(values.mean(0, keepdims=True), 3, axis=0)


def _black_and_white(image: NDArray[Any], rgb: bool) -> tuple[NDArray[np.float32], ...]:
    """Return the values of channels that become 0 and 1; colours share them."""
    if rgb and image.dtype == np.uint8:
        low, high = np.zeros((1, 1, 1)), np.full((1, 1, 1), 255.0)
    else:
        few = image[:, :: max(1, image.shape[1] // 512), :: max(1, image.shape[2] // 512)]
        axes = None if rgb else (1, 2)
        low, high = np.percentile(few, (0.1, 99.9), axis=axes, keepdims=True)
    return low.astype(np.float32), high.astype(np.float32)


def input_of(values: NDArray[np.float32], window: Window, side: int) -> torch.Tensor:
    """Return the (1, 3, side, side) input: resized, and padded below and at the right."""
    rows, columns = window.inner
    resized = torch.from_numpy(np.ascontiguousarray(values))[None]
    if (rows, columns) != window.shape:
        resized = F.interpolate(resized, (rows, columns), mode="bilinear", antialias=True)
    return F.pad(resized, (0, side - columns, 0, side - rows))
