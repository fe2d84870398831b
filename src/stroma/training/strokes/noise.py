"""Random fields that generated images are made of; all are (n, n) float32 images."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Rng = np.random.Generator

COARSE_FROM = 5.0
"""Scale, in pixels, from which a field is made on a coarser grid and enlarged."""


def smooth(image: Float32, sigma: float) -> Float32:
    """Return an image after a Gaussian of a scale in pixels."""
    if sigma < 0.3:
        return image
    side = 2 * int(np.ceil(3 * sigma)) + 1
    return np.asarray(cv2.GaussianBlur(image, (side, side), sigma), np.float32)


def standard(image: Float32) -> Float32:
    """Return an image with mean 0 and deviation 1 (0 everywhere if it is constant)."""
    mean, deviation = cv2.meanStdDev(image)
    return np.asarray((image - mean[0, 0]) * (1 / (deviation[0, 0] + 1e-6)), np.float32)


def some(rng: Rng, low: float, high: float) -> float:
    """Return a number between two, as likely to be doubled anywhere between them."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def white(rng: Rng, n: int) -> Float32:
    """Return independent normal pixels."""
    return rng.standard_normal((n, n), dtype=np.float32)


def field(rng: Rng, n: int, sigma: float) -> Float32:
    """Return smooth noise of a scale in pixels, mean 0 and deviation 1."""
    factor = max(1, int(sigma / COARSE_FROM * 2))
    if factor == 1:
        return standard(smooth(white(rng, n), sigma))
    coarse = smooth(white(rng, n // factor + 8), sigma / factor)
    large = cv2.resize(coarse, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return standard(large[2 * factor : 2 * factor + n, 2 * factor : 2 * factor + n])


def oriented(rng: Rng, n: int, sigma: float, *, angle: float, stretch: float) -> Float32:
    """Return noise that is longer along one direction (angle in radians)."""
    radius = min(14, int(np.ceil(2.5 * sigma * stretch)))
    v, u = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    along = u * np.cos(angle) + v * np.sin(angle)
    across = v * np.cos(angle) - u * np.sin(angle)
    kernel = np.exp(-(along**2) / (2 * (sigma * stretch) ** 2) - across**2 / (2 * sigma**2))
    return standard(cv2.filter2D(white(rng, n), -1, kernel.astype(np.float32)))


def grid(n: int) -> tuple[Float32, Float32]:
    """Return the coordinates (y, x) of every pixel."""
    line = np.arange(n, dtype=np.float32)
    return np.broadcast_to(line[:, None], (n, n)), np.broadcast_to(line, (n, n))


def warped(rng: Rng, image: NDArray[np.int32], *, sigma: float, amount: float) -> NDArray[np.int32]:
    """Return a label image pulled about by smooth displacements (deviation ``amount``, pixels)."""
    n = len(image)
    y, x = grid(n)
    dy, dx = (amount * field(rng, n, sigma) for _ in range(2))
    values = image.astype(np.float32)
    moved = cv2.remap(values, x + dx, y + dy, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.int32)


def nearest(
    rng: Rng, n: int, seeds: int, *, even: bool = False
) -> tuple[NDArray[np.int32], Float32]:
    """Return the index of the nearest of random seeds, and the distance to it in pixels."""
    empty = np.full((n, n), 255, np.uint8)
    if even:
        side = max(3, round(n / np.sqrt(seeds)))
        centres = np.mgrid[0:n:side, 0:n:side].reshape(2, -1).T + rng.uniform(0, side, (1, 2))
        jitter = rng.normal(0, side * rng.uniform(0.05, 0.3), centres.shape)
        points = np.clip(centres + jitter, 0, n - 1).astype(int)
    else:
        points = rng.integers(0, n, (seeds, 2))
    empty[points[:, 0], points[:, 1]] = 0
    distance, index = cv2.distanceTransformWithLabels(
        empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    return np.asarray(index, np.int32) - 1, np.asarray(distance, np.float32)


def borders(parts: NDArray[np.int32], width: int) -> NDArray[np.bool_]:
    """Return where pixels lie within a few pixels of another part."""
    values = parts.astype(np.float32)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width + 1, width + 1))
    return np.asarray(cv2.dilate(values, kernel) != cv2.erode(values, kernel))
