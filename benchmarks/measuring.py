"""What the benchmarks share: time of the clock and of the processor, memory, images to work on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

STATUS = Path("/proc/self/status")


@dataclass
class Spent:
    """Seconds that passed, and seconds the processors worked; both grow with use."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add what the statements inside take."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def less(self, other: Spent) -> Spent:
        """Return the rest after subtracting a part."""
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


def memory(key: str) -> float:
    """Return the MB a process has (``VmRSS``) or had at most (``VmHWM``)."""
    [line] = [line for line in STATUS.read_text().splitlines() if line.startswith(key)]
    return int(line.split()[1]) * 1024 / 1e6


def forget_peak() -> float:
    """Let ``VmHWM`` start again from the MB the process has now, and return these."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def alone(script: str, *args: Any) -> dict[str, Any]:
    """Run a script in a process of its own, and return the JSON on its last line."""
    command = [sys.executable, script, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def texture(shape: tuple[int, int], seed: int = 0) -> NDArray[np.float32]:
    """Return a field of blobs of about 24 pixels, mean 0 and deviation about 1."""
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), min(12, min(shape) / 8))
    return smooth / smooth.std()


def scene(side: int, labelled: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a grey image of three kinds of regions, and about so many labelled pixels.

    The kinds differ in brightness and in texture, and both are noisy. Strokes are of 25 x 4 pixels,
    and say what lies in their middle.
    """
    random = np.random.default_rng(1)
    field = texture((side, side))
    truth = np.digitize(field, (-0.4, 0.4)).astype(np.uint8)
    noise = random.standard_normal((2, side, side), np.float32)
    grain = np.choose(truth, [noise[0], cv2.GaussianBlur(noise[0], (0, 0), 1) * 2, 0 * noise[0]])
    image = 100 + 12 * truth + 10 * grain + 8 * noise[1]
    strokes = np.zeros((side, side), np.uint8)
    while np.count_nonzero(strokes) < labelled:
        paint(strokes, truth, random)
    return image.astype(np.float32), strokes


def paint(
    strokes: NDArray[np.uint8], truth: NDArray[np.uint8], random: np.random.Generator
) -> None:
    """Add one stroke where it lies within one region."""
    height, width = strokes.shape
    y, x = int(random.integers(height - 4)), int(random.integers(width - 25))
    here = (slice(y, y + 4), slice(x, x + 25))
    label = truth[y + 2, x + 12]
    strokes[here] = np.where(truth[here] == label, label + 1, strokes[here])
