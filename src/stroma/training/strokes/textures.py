"""What a class looks like from near: textures with mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from stroma.training.strokes.noise import (
    Float32,
    Rng,
    borders,
    field,
    grid,
    nearest,
    oriented,
    smooth,
    some,
    standard,
    white,
)


def texture(rng: Rng, n: int) -> Float32:
    """Return a texture of n x n pixels: one kind, or two of them added."""
    made = _one(rng, n)
    if rng.random() < 0.4:
        made = made + np.float32(rng.uniform(0.3, 1)) * _one(rng, n)
    return standard(made)


def _one(rng: Rng, n: int) -> Float32:
    return standard(TEXTURES[rng.integers(len(TEXTURES))](rng, n))


def _band(rng: Rng, n: int) -> Float32:
    """Noise between two scales."""
    sigma = some(rng, 0.4, 5)
    noise = white(rng, n)
    return smooth(noise, sigma) - smooth(noise, sigma * rng.uniform(1.5, 4))


def _smooth(rng: Rng, n: int) -> Float32:
    return field(rng, n, some(rng, 0.3, 8))


def _oriented(rng: Rng, n: int) -> Float32:
    stretch = rng.uniform(2, 7)
    return oriented(rng, n, some(rng, 0.5, 2.2), angle=rng.uniform(0, np.pi), stretch=stretch)


def _spots(rng: Rng, n: int) -> Float32:
    """Bright or dark spots of one size, sparse or dense."""
    points = (rng.random((n, n), dtype=np.float32) < some(rng, 0.002, 0.08)).astype(np.float32)
    sign = np.float32(rng.choice([-1, 1]))
    return sign * smooth(points, rng.uniform(0.6, 2.5))


def _grating(rng: Rng, n: int) -> Float32:
    """Stripes, straight or wavy."""
    y, x = grid(n)
    angle, period = rng.uniform(0, np.pi), some(rng, 2.5, 16)
    along = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(0, 3) * field(rng, n, 4)
    wave = np.sin(2 * np.pi / period * along)
    return np.asarray(np.tanh(rng.uniform(0.5, 4) * wave), np.float32)


def _cellular(rng: Rng, n: int) -> Float32:
    """Small cells with dark or bright walls."""
    parts, distance = nearest(rng, n, int(some(rng, 60, 700)), even=rng.random() < 0.5)
    if rng.random() < 0.5:
        return distance if rng.random() < 0.5 else -distance
    walls = borders(parts, 1).astype(np.float32)
    return walls if rng.random() < 0.5 else -walls


def _worms(rng: Rng, n: int) -> Float32:
    """Winding bands: a field of one wavelength, sharpened."""
    sigma = some(rng, 0.8, 4)
    noise = white(rng, n)
    band = standard(smooth(noise, sigma) - smooth(noise, 1.6 * sigma))
    return np.asarray(np.tanh(rng.uniform(0.5, 3) * band), np.float32)


def _ridges(rng: Rng, n: int) -> Float32:
    """Thin lines where a field is zero."""
    return -np.minimum(np.abs(field(rng, n, some(rng, 1, 5))), np.float32(rng.uniform(0.2, 1.5)))


def _blocks(rng: Rng, n: int) -> Float32:
    """Flat patches of random brightness."""
    parts, _ = nearest(rng, n, int(some(rng, 40, 600)))
    return rng.standard_normal(int(parts.max()) + 1).astype(np.float32)[parts]


def _speckle(rng: Rng, n: int) -> Float32:
    """Noise whose strength varies over short distances."""
    strength = np.exp(rng.uniform(0.4, 1) * field(rng, n, rng.uniform(3, 8)))
    return np.asarray(strength * field(rng, n, rng.uniform(0.3, 1)), np.float32)


def _scratches(rng: Rng, n: int) -> Float32:
    """Straight thin lines along about one direction."""
    image = np.zeros((n, n), np.float32)
    angle = rng.uniform(0, np.pi)
    count = int(some(rng, 15, 120))
    middles = rng.uniform(0, n, (count, 2))
    angles = angle + rng.normal(0, rng.choice([0.05, 0.4, 3.0]), count)
    reach = rng.uniform(3, 16) * np.stack([np.cos(angles), np.sin(angles)], 1)
    ends = np.round(16 * np.stack([middles - reach, middles + reach], 1)).astype(np.int32)
    cv2.polylines(image, list(ends), False, float(rng.choice([-1, 1])), 1, cv2.LINE_8, 4)
    return smooth(image, rng.uniform(0.4, 1.2))


TEXTURES: list[Callable[[Rng, int], Float32]] = [
    _band,
    _band,
    _smooth,
    _smooth,
    _oriented,
    _spots,
    _grating,
    _cellular,
    _worms,
    _ridges,
    _blocks,
    _speckle,
    _scratches,
]
