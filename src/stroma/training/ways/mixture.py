"""The mixture of smooth images that foretells an image best: fitted to every image by itself.

How much is to be smoothed depends on the noise, and images that were not learned from may have
another one. Predictions of a pixel that do not depend on the pixel can be compared with it, noise
and all: what is nearest to the noisy image is nearest to the clean one (Batson and Royer 2019,
arXiv:1901.11365). So the least squares of a handful of such predictions are taken over the whole
image, with weights that change with the variance around a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]

SIGMAS = (1.0, 1.5, 2.2, 3.2, 4.5, 6.5)
"""Deviations of Gaussians without their middle, in pixels."""

GATES = (3.2, 6.5)
"""Deviations of those within which the variance around a pixel is taken."""

LIMITS = (1e-3, -5.0, 1.0)
"""Least variance, and the range of its logarithm, in units of the variance of the image."""

REACH = 3.0
CONTEXT = ceil(REACH * max(*SIGMAS, *GATES))
"""Pixels around a block that the mixture depends on."""

EDGE = 6
"""So near the border of an image a pixel is repeated in its own surroundings: it counts not."""

SLAB = 2**18
"""Pixels whose predictions are held at once, or about."""

RIDGE = 1e-7


@dataclass(frozen=True, eq=False)
class Sums:
    """What least squares need to know of some pixels, per channel; those of others are added.

    Parameters
    ----------
    gram : (C, n, n) float array
        Products of predictions.
    moment : (C, n) float array
        Products with what is to be foretold.
    """

    gram: NDArray[np.float64]
    moment: NDArray[np.float64]

    def __add__(self, other: Sums) -> Sums:
        """Return those of the pixels of both."""
        return Sums(self.gram + other.gram, self.moment + other.moment)

    def solved(self) -> NDArray[np.float64]:
        """Return the (C, n) weights of the predictions."""
        count = self.gram.shape[-1]
        size = np.trace(self.gram, axis1=1, axis2=2)[:, None, None] / count
        ready = self.gram + np.maximum(RIDGE * size, 1e-12) * np.eye(count)
        found: NDArray[np.float64] = np.linalg.solve(ready, self.moment[..., None])[..., 0]
        return found


def sums(noisy: Array, predicted: Array, core: Sequence[slice], counts: NDArray[np.bool_]) -> Sums:
    """Return the sums of the pixels of a block.

    Parameters
    ----------
    noisy : (C, *window) float32 array
        The block with `CONTEXT` pixels around it, as far as the image goes, in units of the image.
    predicted : (C, *core) float32 array
        By a network that is blind.
    core : sequence of slice
        The block in the window.
    counts : (*core) bool array
        Which pixels to take.
    """
    gram, moment = [], []
    for values, own in zip(noisy, predicted, strict=True):
        maps, gates = _maps(values, own, core)
        true = values[tuple(core)]
        total: Any = 0.0
        product: Any = 0.0
        for part in _slabs(true.shape):
            rows = _rows(maps, gates, part)[counts[part].ravel()]
            total = total + rows.T @ rows
            product = product + rows.T @ true[part].ravel()[counts[part].ravel()]
        gram.append(total)
        moment.append(product)
    return Sums(np.array(gram), np.array(moment))


def mixed(
    noisy: Array, predicted: Array, core: Sequence[slice], weights: NDArray[np.float64]
) -> Array:
    """Return the (C, *core) mixture of the predictions of a block; see `sums`."""
    found = np.empty_like(predicted)
    for c, (values, own) in enumerate(zip(noisy, predicted, strict=True)):
        maps, gates = _maps(values, own, core)
        for part in _slabs(own.shape):
            found[c][part] = (_rows(maps, gates, part) @ weights[c]).reshape(found[c][part].shape)
    return found


def counting(core: Sequence[slice], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Return which pixels of a block are far enough from the border of the image."""
    found = np.ones([s.stop - s.start for s in core], bool)
    for axis, (part, n) in enumerate(zip(core, shape, strict=True)):
        at = np.arange(part.start, part.stop)
        edge = min(EDGE, (n - 1) // 2)
        inside = (at >= edge) & (at < n - edge)
        found &= inside.reshape([-1 if a == axis else 1 for a in range(len(core))])
    return found


def ring(values: Array, sigma: float) -> Array:
    """Return what a Gaussian makes of every pixel's surroundings, without the pixel itself."""
    radius = ceil(REACH * sigma)
    kernel = np.exp(-((np.arange(-radius, radius + 1) / sigma) ** 2) / 2)
    own = float(kernel[radius] / kernel.sum()) ** values.ndim
    smooth = ndimage.gaussian_filter(values, sigma, radius=radius, mode="nearest")
    return np.asarray((smooth - own * values) / (1 - own), np.float32)


def _maps(values: Array, own: Array, core: Sequence[slice]) -> tuple[list[Array], list[Array]]:
    """Return the predictions of every pixel of a block, and what their weights change with."""
    inside = tuple(core)
    rings = {s: ring(values, s) for s in dict.fromkeys((*SIGMAS, *GATES))}
    maps = [rings[s][inside] for s in SIGMAS]
    least, low, high = LIMITS
    gates = []
    for s in GATES:
        variance = ring(values**2, s)[inside] - rings[s][inside] ** 2
        gates.append(np.clip(np.log(np.maximum(variance, least)), low, high))
    return [*maps, own, np.ones_like(own)], gates


def _rows(
    maps: Sequence[Array], gates: Sequence[Array], part: tuple[slice, ...]
) -> NDArray[np.float64]:
    """Return (pixels, n) predictions: each by itself, and times every gate."""
    factors = [np.ones(1), *(g[part].ravel().astype(np.float64) for g in gates)]
    return np.stack([m[part].ravel() * f for m in maps for f in factors], 1)


def _slabs(shape: Sequence[int]) -> list[tuple[slice, ...]]:
    """Return parts along the first axis."""
    rows = max(1, SLAB // max(1, int(np.prod(shape[1:]))))
    return [(slice(i, min(i + rows, shape[0])),) for i in range(0, shape[0], rows)]
