"""Filters made by hand that features may be learned beside, so that they add to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.features.filtering.texture import Texture

TEXTURE = Texture()

COUNT = len(TEXTURE.names(["one"]))


def companions(image: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return the filters of the first channel of an episode, each with mean 0 and deviation 1.

    Parameters
    ----------
    image : (C, n, n) float32

    Returns
    -------
    (COUNT, n, n) float16
    """
    halo = TEXTURE.halo
    wide = np.pad(image[0], halo, mode="reflect")
    maps = [m.values for m in TEXTURE(wide[None])]
    values = np.concatenate(maps)
    mean = values.mean((1, 2), keepdims=True)
    deviation = values.std((1, 2), keepdims=True)
    return np.asarray((values - mean) / (deviation + 1e-3), np.float16)
