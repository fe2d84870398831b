"""A volume of which the truth is known: touching balls, tubes and sheets, blurred and noisy.

All of them are equally bright, so that only their shape in space tells them apart: the cut through
a tube may be as round as that through a ball, and that through a sheet as long as one along a tube.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

CLASSES = ("background", "balls", "tubes", "sheets")


def phantom(
    shape: tuple[int, int, int], *, anisotropy: int = 1, noise: float = 0.5, rng: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a volume and its classes, 1 to 4.

    Parameters
    ----------
    shape : (int, int, int)
        Planes, rows and columns.
    anisotropy : int
        How many times further apart planes are than rows.
    noise : float
        Deviation of the noise; structures are brighter by 1.
    rng : int
        Seed.
    """
    random = np.random.default_rng(rng)
    size = (shape[0] * anisotropy, *shape[1:])
    zyx = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij", sparse=False)).astype(
        np.float32
    )
    truth = np.ones(size, np.uint8)
    count = max(2, int(np.prod(size) / 55**3))
    for _ in range(2 * count):
        _ball(truth, zyx, random)
    for _ in range(count):
        _tube(truth, zyx, random)
    for _ in range(count):
        _sheet(truth, zyx, random)
    bright = ndimage.gaussian_filter((truth > 1).astype(np.float32), (1.5 * anisotropy, 1, 1))
    bright, truth = bright[anisotropy // 2 :: anisotropy], truth[anisotropy // 2 :: anisotropy]
    return (bright + random.normal(0, noise, bright.shape)).astype(np.float32), truth


def strokes(truth: NDArray[np.uint8], planes: tuple[int, ...], rng: int = 0) -> NDArray[np.uint8]:
    """Return spots of a pen, three pixels wide, in every class on some planes."""
    random = np.random.default_rng(rng)
    painted = np.zeros_like(truth)
    for z in planes:
        for label in np.unique(truth[z]):
            own = truth[z] == label
            inner = np.argwhere(ndimage.binary_erosion(own, iterations=1))
            spots = np.zeros(own.shape, bool)
            chosen = inner[random.choice(len(inner), min(len(inner), 25), replace=False)]
            spots[tuple(chosen.T)] = True
            painted[z][ndimage.binary_dilation(spots, iterations=3) & own] = label
    return painted


def mean_iou(found: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the mean over all classes of the intersection divided by the union."""
    labels = np.unique(truth)
    both = [((found == k) & (truth == k)).sum() for k in labels]
    either = [((found == k) | (truth == k)).sum() for k in labels]
    return float(np.mean(np.divide(both, either)))


def _ball(truth: NDArray[np.uint8], zyx: NDArray[np.float32], random: np.random.Generator) -> None:
    """Draw two balls that touch."""
    radius = random.uniform(6, 9)
    centre = random.uniform(0, truth.shape)
    way = random.normal(size=3)
    for at in (centre, centre + 2 * radius * way / np.linalg.norm(way)):
        inside = np.square(zyx - at.astype(np.float32)[:, None, None, None]).sum(axis=0)
        truth[(inside < radius**2) & (truth == 1)] = 2


def _tube(truth: NDArray[np.uint8], zyx: NDArray[np.float32], random: np.random.Generator) -> None:
    """Draw a straight tube of the balls' width through the volume."""
    centre, way = random.uniform(0, truth.shape), random.normal(size=3)
    way /= np.linalg.norm(way)
    away = zyx - centre.astype(np.float32)[:, None, None, None]
    along = np.tensordot(way.astype(np.float32), away, 1)
    distance = np.square(away).sum(axis=0) - along**2
    truth[(distance < random.uniform(3, 5) ** 2) & (truth == 1)] = 3


def _sheet(truth: NDArray[np.uint8], zyx: NDArray[np.float32], random: np.random.Generator) -> None:
    """Draw a sheet of some pixels through a part of the volume."""
    centre, normal = random.uniform(0, truth.shape), random.normal(size=3)
    normal /= np.linalg.norm(normal)
    away = zyx - centre.astype(np.float32)[:, None, None, None]
    across = np.tensordot(normal.astype(np.float32), away, 1)
    near = np.square(away).sum(axis=0) < 30**2
    truth[(np.abs(across) < random.uniform(2, 3)) & near & (truth == 1)] = 4
