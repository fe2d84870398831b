"""Patches as they might have been: turned, scaled, bent, lighter, noisier, blurred.

Kinds, probabilities and ranges are nnU-Net's (Isensee et al. 2021, doi 10.1038/s41592-020-01008-z)
with turns by right angles and gentle bending in addition; images of several kinds are inverted and
their colours mixed as well. Labels are cut by the same geometry and
encoded afterwards. All randomness comes from the generator that is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.targets.turns import Turn
from stroma.training.feeding.geometry import Geometry, rotation

Array = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Augmentation:
    """What happens to patches, and how often.

    Parameters
    ----------
    rotate, scale, bend : float
        Probability of a rotation (by any angle in planes, by up to 30 degrees about every axis in
        volumes), of a scale from 0.7 to 1.4, of bending.
    turn : bool
        Mirror, and turn by right angles where sides are equal.
    exchange : bool
        Whether turns exchange axes; otherwise they mirror alone.
    noise, blur, brightness, contrast, low_resolution, gamma, inverted_gamma : float
        Probability of each change of intensities.
    invert : float
        Probability that bright becomes dark.
    mix : float
        Probability that every colour becomes a mixture of all, or that they become one grey.
    flat : bool
        Rotate, scale and bend volumes within planes only, for thick slices ("dummy 2-D").
    widest : float
        Largest scale; the smallest is its inverse, more or less.
    worsen : bool
        Show what a coarser network said as a worse one might have said it.
    """

    rotate: float = 0.2
    scale: float = 0.2
    bend: float = 0.1
    turn: bool = True
    exchange: bool = True
    noise: float = 0.1
    blur: float = 0.2
    brightness: float = 0.15
    contrast: float = 0.15
    low_resolution: float = 0.25
    gamma: float = 0.3
    inverted_gamma: float = 0.1
    invert: float = 0.0
    mix: float = 0.0
    flat: bool = False
    widest: float = 1.4
    worsen: bool = True

    def geometry(self, centre: Sequence[float], size: tuple[int, ...], rng: Rng) -> Geometry:
        """Draw how a patch is cut."""
        ndim = len(size)
        matrix = np.eye(ndim)
        if rng.random() < self.rotate:
            matrix = matrix @ self._rotation(ndim, rng)
        if rng.random() < self.scale:
            factor = np.full(ndim, _between(rng, 0.98 / self.widest, self.widest))
            factor[: ndim - 2] = 1 if self.flat else factor[: ndim - 2]
            matrix = matrix / factor[:, None]
        bend = self._bend(size, rng) if rng.random() < self.bend else None
        turn = (
            _turn(size, rng, self.exchange)
            if self.turn
            else Turn(tuple(range(ndim)), (False,) * ndim)
        )
        return Geometry(np.asarray(centre, float), matrix, bend, turn, size)

    def _rotation(self, ndim: int, rng: Rng) -> NDArray[np.float64]:
        if ndim == 2:
            return rotation([rng.uniform(-np.pi, np.pi)], 2)
        if self.flat:
            return rotation([rng.uniform(-np.pi, np.pi), 0, 0], 3)
        return rotation(rng.uniform(-np.pi / 6, np.pi / 6, 3).tolist(), 3)

    def _bend(self, size: tuple[int, ...], rng: Rng) -> NDArray[np.float64]:
        """Draw displacements every 32 pixels or so, of 2 to 6 pixels."""
        coarse = [max(2, round(n / 32) + 1) for n in size]
        strength = rng.uniform(2, 6)
        bend = rng.normal(0, 0.5, (len(size), *coarse)) * strength
        if self.flat:
            bend[: len(size) - 2] = 0
        return bend

    def intensities(self, image: Array, rng: Rng) -> Array:
        """Return a (C, *space) patch, changed."""
        image = image.copy()
        if self.mix and rng.random() < self.mix:
            image = _mixed(image, rng)
        if self.invert and rng.random() < self.invert:
            image = -image
        if rng.random() < self.noise:
            sigma = np.sqrt(rng.uniform(0, 0.1))
            image += rng.normal(0, sigma, image.shape).astype(np.float32)
        if rng.random() < self.blur:
            _each(image, rng, _blurred)
        if rng.random() < self.brightness:
            image *= np.float32(rng.uniform(0.75, 1.25))
        if rng.random() < self.contrast:
            image = _contrasted(image, rng)
        if rng.random() < self.low_resolution:
            _each(image, rng, _coarsened)
        if rng.random() < self.inverted_gamma:
            image = -_gamma(-image, rng)
        if rng.random() < self.gamma:
            image = _gamma(image, rng)
        return image


SHAPES = Augmentation(rotate=0.5, scale=0.5, widest=1.6)
"""For objects and points, which come in all directions and sizes."""

NONE = Augmentation(0, 0, 0, False, True, 0, 0, 0, 0, 0, 0, 0, worsen=False)
"""Patches as they are."""

TURNS = replace(NONE, turn=True)
"""Patches mirrored and turned by right angles, every pixel as it is."""


def _turn(size: tuple[int, ...], rng: Rng, exchange: bool) -> Turn:
    """Mirror every axis, and exchange those that are alike if so wanted, half of the time."""
    order = list(range(len(size)))
    if exchange and size[-1] == size[-2] and rng.random() < 0.5:
        order[-1], order[-2] = order[-2], order[-1]
    return Turn(tuple(order), tuple(bool(rng.random() < 0.5) for _ in size))


def _between(rng: Rng, low: float, high: float) -> float:
    """Draw a factor; below and above 1 are equally likely."""
    return float(rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high))


def _each(image: Array, rng: Rng, change: object) -> None:
    for channel in image:
        if rng.random() < 0.5:
            channel[...] = change(channel, rng)  # type: ignore[operator]


def _blurred(channel: Array, rng: Rng) -> Array:
    found: Array = ndimage.gaussian_filter(channel, rng.uniform(0.5, 1), truncate=3)
    return found


def _mixed(image: Array, rng: Rng) -> Array:
    """Return every channel as a mixture of all, one time in three the same one."""
    count = len(image)
    weights = rng.dirichlet(np.ones(count), 1 if rng.random() < 1 / 3 else count)
    mixed = np.tensordot(weights, image, 1).astype(np.float32)
    return np.array(np.broadcast_to(mixed, image.shape))


def _contrasted(image: Array, rng: Rng) -> Array:
    """Stretch around the mean, within the range there is."""
    axes = tuple(range(1, image.ndim))
    mean = image.mean(axis=axes, keepdims=True)
    low, high = image.min(axis=axes, keepdims=True), image.max(axis=axes, keepdims=True)
    factor = np.float32(_between(rng, 0.75, 1.25))
    found: Array = np.clip((image - mean) * factor + mean, low, high)
    return found


def _coarsened(channel: Array, rng: Rng) -> Array:
    """Take the nearest pixels at a lower resolution, and interpolate between them."""
    zoom = rng.uniform(0.5, 1)
    places = [_resampled_places(n, zoom) for n in channel.shape]
    small = channel[np.ix_(*(np.rint(p).astype(int).clip(0) for p in places))]
    back = [
        np.interp(np.arange(n), p, np.arange(len(p)))
        for n, p in zip(channel.shape, places, strict=True)
    ]
    grid = np.meshgrid(*back, indexing="ij")
    found: Array = ndimage.map_coordinates(small, grid, order=1, mode="nearest")
    return found


def _resampled_places(length: int, zoom: float) -> NDArray[np.float64]:
    count = max(1, round(length * zoom))
    return (np.arange(count) + 0.5) * length / count - 0.5


def _gamma(image: Array, rng: Rng) -> Array:
    """Raise to a power within the range, keeping mean and deviation of every channel."""
    axes = tuple(range(1, image.ndim))
    power = np.float32(_between(rng, 0.7, 1.5))
    low = image.min(axis=axes, keepdims=True)
    span = np.maximum(image.max(axis=axes, keepdims=True) - low, 1e-7)
    mean, std = image.mean(axis=axes, keepdims=True), image.std(axis=axes, keepdims=True)
    changed = ((image - low) / span) ** power
    centred = changed - changed.mean(axis=axes, keepdims=True)
    spread = np.maximum(changed.std(axis=axes, keepdims=True), 1e-7)
    return np.asarray(centred / spread * std + mean, np.float32)
