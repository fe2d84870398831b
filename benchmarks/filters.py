"""Time all filters of the filter bank, and OpenCV's Gaussian blur beside them.

Run ``python benchmarks/filters.py`` (``--smoke``: a small image, to see that everything runs). It
computes the 56 features of a 1024 x 1024 float32 image block by block, as a model does (so the halo
of 48 pixels is paid for), on one and two threads; and 40 calls of ``cv2.GaussianBlur(image, (0, 0),
5)``. Each row is the fastest of some rounds, with the processor time of the same round: that is
what to compare where other work shares the processor. The last rows are new processes up to their
first block, with an empty and a filled numba cache.

Expected: the shared separable passes cost about 2400 additions and multiplications a pixel, the
40 blurs 3200; at equal efficiency 0.75 of their time, and a third more for halos and square roots,
so as long as the blurs. First block: below 10 s with an empty cache, 0.3 s with a filled one.

Came, in processor time on two cores (AVX-512) shared with other work: on one thread 160 to
190 ms against 405 for the blurs, on two threads 175 to 210 ms against 230 (the blurs need less when
OpenCV divides them); blocks of 256 are the best ones, larger ones pay for memory that is written
for the first time. About half is spent in the passes. First block 1.8 s with an empty cache and
0.05 s with a filled one, after the 0.3 s in which numba starts. Before, with one call of
``cv2.sepFilter2D`` per derivative and numpy for the rest: 47 ms of wall time for a block of 256 on
two quiet cores, 9 to 10 ms now.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.features.filtering.filterbank import FilterBank

SIDE = 1024
ROUNDS = 7
STATES = ("empty", "filled")
FIRST_BLOCK = """
import time
import numba
wall, cpu = time.perf_counter(), time.process_time()
numba.njit(lambda x: x)(1)
print(time.perf_counter() - wall, time.process_time() - cpu)
wall, cpu = time.perf_counter(), time.process_time()
import numpy as np
from stroma.features.filtering.filterbank import FilterBank
FilterBank()(np.ones((1, 352, 352), np.float32))
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def main() -> None:
    bank = FilterBank()
    side = SIDE + 2 * bank.halo
    image = np.random.default_rng(0).normal(size=(1, side, side)).astype(np.float32)
    print(f"{'':28s}{'wall ms':>10s}{'cpu ms':>10s}")
    for threads in (1, 2):
        for core in (256, 512, 1024):
            report(
                f"{threads} thread(s), core {core}", lambda c=core, t=threads: bank_on(image, c, t)
            )
        report(f"{threads} thread(s), 40 blurs", lambda t=threads: blurs(image[0], t))
    with tempfile.TemporaryDirectory() as cache:
        for state in STATES:
            numba, block = first_block(cache if "empty" in STATES else "")
            show(f"start of numba, {state} cache", *numba)
            show(f"first block, {state} cache", *block)


def report(label: str, work: Callable[[], None]) -> None:
    rounds = [measured(work) for _ in range(ROUNDS)]
    wall, cpu = min(rounds)
    show(label, wall, cpu)


def show(label: str, wall: float, cpu: float) -> None:
    print(f"{label:28s}{1000 * wall:10.0f}{1000 * cpu:10.0f}")


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that pass and those that the processors work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def bank_on(image: NDArray[np.float32], core: int, threads: int) -> None:
    bank = FilterBank()
    window = core + 2 * bank.halo

    def block(y: int, x: int) -> float:
        (features,) = bank(image[:, y : y + window, x : x + window])
        return float(features.values[0, 0, 0])

    corners = [(y, x) for y in range(0, SIDE, core) for x in range(0, SIDE, core)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(block, *zip(*corners, strict=True)))


def blurs(image: NDArray[np.float32], threads: int) -> None:
    cv2.setNumThreads(threads)
    core = np.ascontiguousarray(image[:SIDE, :SIDE])
    for _ in range(40):
        cv2.GaussianBlur(core, (0, 0), 5)


def first_block(cache: str) -> list[tuple[float, ...]]:
    """Return the seconds (wall, cpu) that a new process spends in numba's start, and after it.

    Without a folder for the cache, it is the usual one.
    """
    done = subprocess.run(
        [sys.executable, "-c", FIRST_BLOCK],
        env={**os.environ, **({"NUMBA_CACHE_DIR": cache} if cache else {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(map(float, line.split())) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    if "--smoke" in sys.argv:
        SIDE, ROUNDS, STATES = 64, 1, ("filled",)
    main()
