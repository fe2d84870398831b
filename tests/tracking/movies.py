"""Movies of disks whose tracks are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

SIDE = 96

Path = Sequence[tuple[float, float, float] | None]
"""Row, column and radius of a disk in every frame, None where it is missing."""


def movie(disks: Mapping[int, Path], side: int = SIDE) -> np.ndarray:
    """Return the (t, y, x) label images of disks, each drawn with its number."""
    length = max(len(path) for path in disks.values())
    frames = np.zeros((length, side, side), np.uint16)
    y, x = np.indices((side, side))
    for number, path in disks.items():
        for frame, place in zip(frames, path, strict=False):
            if place is not None:
                frame[np.hypot(y - place[0], x - place[1]) < place[2]] = number
    return frames


def family() -> np.ndarray:
    """Return a mother (1) that divides into 2 and 3 at frame 3, and a bystander (4)."""
    mother = [(48, 40 + 2 * t, 10) for t in range(3)]
    up = [None] * 3 + [(38 - 3 * t, 48, 7) for t in range(3)]
    down = [None] * 3 + [(58 + 3 * t, 48, 7) for t in range(3)]
    return movie({1: mother, 2: up, 3: down, 4: [(15, 80 - t, 8) for t in range(6)]})
