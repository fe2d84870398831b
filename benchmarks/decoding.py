"""How long every target takes to find thousands of objects in what a network predicted.

    python benchmarks/decoding.py --side 2048 --objects 2000

Objects that touch are encoded, blurred and made noisy as predictions are, and decoded with the
usual options, each target in a process of its own: seconds of the processor, the memory of arrays
that decoding adds at most, and how many of the objects are found at an IoU of 0.5.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from math import sqrt
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

TARGETS = ("distances", "boundary", "flows", "rays", "affinities", "spots")
FILLED = 0.62
"""Radius of objects, as a share of the distance between their middles: most touch."""


def objects(side: int, count: int, seed: int = 0) -> NDArray[np.int32]:
    """Return about so many objects: every pixel near enough belongs to the nearest middle."""
    rng = np.random.default_rng(seed)
    apart = side / sqrt(count)
    grid = np.arange(apart / 2, side, apart)
    middles = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    middles += rng.uniform(-0.2, 0.2, middles.shape) * apart
    places = np.rint(middles).astype(int).clip(0, side - 1)
    empty = np.ones((side, side), bool)
    empty[tuple(places.T)] = False
    far, nearest = ndimage.distance_transform_edt(empty, return_indices=True)
    labels = np.zeros((side, side), np.int32)
    labels[tuple(places.T)] = np.arange(1, len(places) + 1)
    found: NDArray[np.int32] = np.where(far < FILLED * apart, labels[tuple(nearest)], 0)
    return found


def predicted(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return encoded truth as a network might predict it."""
    noise = np.random.default_rng(1).normal(0, 0.05, values.shape)
    rough = ndimage.gaussian_filter(noise, (0, 1, 1))
    soft = ndimage.gaussian_filter(values, (0, 0.7, 0.7)) + rough
    return soft.astype(np.float32)


def measured(name: str, side: int, count: int) -> dict[str, Any]:
    """Return what decoding takes."""
    from stroma.metrics.detection import detection_scores
    from stroma.metrics.instances import instance_scores
    from stroma.targets import TARGETS as KNOWN
    from stroma.targets.contract import Facts

    labels = objects(side, count)
    sizes = np.sqrt(np.bincount(labels.ravel())[1:] * 4 / np.pi)
    facts = Facts(2, {0: 1, 1: 1}, (1.0, 1.0), diameters=tuple(np.sort(sizes).tolist()))
    target = KNOWN[name].made_for(facts)
    truth: Any = labels
    if target.truth == "points":
        numbers = np.arange(1, labels.max() + 1)
        truth = np.array(ndimage.center_of_mass(labels > 0, labels, numbers))
    prediction = predicted(target.encode(truth, shape=labels.shape).values)
    target.decode(prediction[:, :256, :256])  # compiles
    began = time.process_time()
    found = target.decode(prediction)
    seconds = time.process_time() - began
    tracemalloc.start()
    target.decode(prediction)
    added = tracemalloc.get_traced_memory()[1] / 2**20
    if target.truth == "points":
        score = detection_scores(found[:, :2], truth, cutoff=5)["f1"]
    else:
        score = instance_scores(found, labels)["f1"]
    return {"objects": int(labels.max()), "seconds": seconds, "memory": added, "f1": score}


def main() -> None:
    """Print one row per target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--smoke", action="store_true", help="small, to see that it runs")
    given = parser.parse_args()
    names = TARGETS
    if given.smoke:
        given.side, given.objects, names = 256, 16, TARGETS[:1]
    print("| target | objects | seconds | memory added | F1 |\n|---|---|---|---|---|")
    for name in names:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            row = alone.submit(measured, name, given.side, given.objects).result()
        print(
            f"| `{name}` | {row['objects']} | {row['seconds']:.1f} | {row['memory']:.0f} MB "
            f"| {row['f1']:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
