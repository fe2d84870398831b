"""Cells carved out of a volume of membranes, each with two strokes.

    python benchmarks/carving.py                 128 voxels a side
    python benchmarks/carving.py --side 256
    python benchmarks/carving.py --smoke         a small one, to see that it runs

Cells have bright membranes in noise. Of each there is a stroke of seven voxels through its middle,
and one around it on one plane. Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from stroma.objects import Carving
from stroma.objects.carving import Priority

SPACING = 32
CELLS = 8
"""Cells inside that are carved."""


def membranes(side: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return cells with bright membranes in noise, and their numbers."""
    rng = np.random.default_rng(seed)
    across = side // SPACING
    centres = (np.indices((across,) * 3).reshape(3, -1).T + 0.5) * SPACING
    centres += rng.uniform(-0.25, 0.25, centres.shape) * SPACING
    image, cells = np.empty((side,) * 3, np.float32), np.empty((side,) * 3, np.int64)
    tree, plane = cKDTree(centres), np.indices((1, side, side)).reshape(3, -1).T
    for z in range(side):
        away, cell = tree.query(plane + np.array([z, 0, 0]), k=2)
        wall = np.exp(-(((away[:, 1] - away[:, 0]) / 2) ** 2))
        image[z] = (wall + rng.normal(0, 0.2, wall.shape)).reshape(side, side)
        cells[z] = cell[:, 0].reshape(side, side)
    return image, cells


def two_strokes(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Draw along the middle of a cell, and around it on one plane."""
    strokes = np.zeros(inside.shape, np.uint8)
    z, y, x = (round(c) for c in ndimage.center_of_mass(inside))
    wide, near = (ndimage.binary_dilation(inside[z], iterations=n) for n in (9, 8))
    strokes[z][wide & ~near] = 1
    strokes[z, y, x - 3 : x + 4] = 2
    return strokes


def inner(side: int) -> list[int]:
    """Return the numbers of cells that do not lie at the border."""
    across = side // SPACING
    numbers = np.arange(across**3).reshape((across,) * 3)
    return [int(n) for n in numbers[1:-1, 1:-1, 1:-1].ravel()[:CELLS]]


def answers(carving: Carving, cells: NDArray[Any], numbers: list[int]) -> tuple[float, float]:
    """Return the mean intersection over union of cells, and the median seconds of an answer."""
    overlaps, seconds = [], []
    for number in numbers:
        truth = cells == number
        strokes = two_strokes(truth)
        start = time.process_time()
        found = carving.carve(strokes)
        seconds.append(time.process_time() - start)
        overlaps.append((found & truth).sum() / (found | truth).sum())
    return float(np.mean(overlaps)), float(np.median(seconds))


def main() -> None:
    """Print a row for each seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="a small volume")
    asked = parser.parse_args()
    side, seeds = (96, 1) if asked.smoke else (asked.side, asked.seeds)
    print("| voxels a side | regions | to cut, s | answer, s | IoU | IoU without bias |")
    print("|---|---|---|---|---|---|")
    Carving.of(membranes(SPACING)[0], boundary="bright")  # compiles
    for seed in range(seeds):
        image, cells = membranes(side, seed)
        start = time.process_time()
        carving = Carving.of(image, boundary="bright")
        cut = time.process_time() - start
        found, seconds = answers(carving, cells, inner(side))
        plain = Carving(carving.regions, carving.shape, priority=Priority(bias=1.0))
        without, _ = answers(plain, cells, inner(side))
        row = f"{side} | {carving.regions.count:,} | {cut:.1f} | {seconds:.3f}"
        print(f"| {row} | {found:.2f} | {without:.2f} |", flush=True)


if __name__ == "__main__":
    main()
