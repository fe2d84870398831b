"""How long every target takes to find thousands of objects in what a network predicted.

    python benchmarks/decoding.py --shape 2048 2048 --objects 2000
    python benchmarks/decoding.py --shape 128 256 256 --objects 200

Objects that touch are encoded, blurred and made noisy as predictions are, and decoded with the
usual options, each target that finds classes, objects or points in a process of its own: seconds
of the processor, the memory of arrays that decoding adds at most, and F1 of objects at an IoU of
0.5, of points within 5 pixels; of classes the first of the target's own scores.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from math import prod
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

FOUND = ("classes", "instances", "points")
"""Results that take finding; images and categories are what the network says."""

FILLED = 0.62
"""Radius of objects, as a share of the distance between their middles: most touch."""

PART = {2: 256, 3: 48}
"""Sides of what is decoded first, so that nothing is compiled while time is taken."""


def objects(shape: Sequence[int], count: int, seed: int = 0) -> NDArray[np.int32]:
    """Return about so many objects: every pixel near enough belongs to the nearest middle."""
    rng = np.random.default_rng(seed)
    ndim = len(shape)
    apart = (prod(shape) / count) ** (1 / ndim)
    grid = (np.arange(apart / 2, side, apart) for side in shape)
    middles = np.stack(np.meshgrid(*grid, indexing="ij"), -1).reshape(-1, ndim)
    middles += rng.uniform(-0.2, 0.2, middles.shape) * apart
    places = np.rint(middles).astype(int).clip(0, np.array(shape) - 1)
    empty = np.ones(shape, bool)
    empty[tuple(places.T)] = False
    far, nearest = ndimage.distance_transform_edt(empty, return_indices=True)
    labels = np.zeros(shape, np.int32)
    labels[tuple(places.T)] = np.arange(1, len(places) + 1)
    found: NDArray[np.int32] = np.where(far < FILLED * apart, labels[tuple(nearest)], 0)
    return found


def predicted(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return encoded truth as a network might predict it; it is changed, as it may be large."""
    rng = np.random.default_rng(1)
    for channel in values:
        noise = rng.normal(0, 0.05, channel.shape).astype(np.float32)
        channel[:] = ndimage.gaussian_filter(channel, 0.7) + ndimage.gaussian_filter(noise, 1)
    return values


def measured(name: str, shape: Sequence[int], count: int) -> dict[str, Any]:
    """Return what decoding takes."""
    from stroma.targets import TARGETS
    from stroma.targets.contract import Facts

    labels, ndim = objects(shape, count), len(shape)
    space = np.bincount(labels.ravel())[1:]
    sizes = np.sqrt(space * 4 / np.pi) if ndim == 2 else np.cbrt(space * 6 / np.pi)
    known = Facts(ndim, {0: 1, 1: 1}, (1.0,) * ndim, diameters=tuple(np.sort(sizes).tolist()))
    target = TARGETS[name].made_for(known)
    truth = seen_by(target, labels)
    prediction = predicted(target.encode(truth, shape=labels.shape).values)
    part = tuple(slice(0, PART[ndim]) for _ in shape)
    target.decode(np.ascontiguousarray(prediction[(slice(None), *part)]))  # compiles
    began = time.process_time()
    found = target.decode(prediction)
    seconds = time.process_time() - began
    tracemalloc.start()
    target.decode(prediction)
    added = tracemalloc.get_traced_memory()[1] / 2**20
    return {
        "objects": int(labels.max()),
        "seconds": seconds,
        "memory": added,
        "f1": scored(target, found, labels),
    }


def seen_by(target: Any, labels: NDArray[np.int32]) -> Any:
    """Return what a target learns from: objects, where they are, or their middles."""
    if target.truth == "classes":
        return (labels > 0).astype(np.int32)
    return middles(labels) if target.truth == "points" else labels


def middles(labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the mean places of objects."""
    numbers = np.arange(1, labels.max() + 1)
    return np.array(ndimage.center_of_mass(labels > 0, labels, numbers))


def scored(target: Any, found: Any, labels: NDArray[np.int32]) -> float:
    """Return how good a result is."""
    from stroma.metrics.detection import detection_scores
    from stroma.metrics.instances import instance_scores

    if target.result == "points":
        return float(detection_scores(found[:, : labels.ndim], middles(labels), cutoff=5)["f1"])
    if target.result == "instances":
        return float(instance_scores(found, labels)["f1"])
    return float(next(iter(target.score([found], [seen_by(target, labels)]).values())))


def finding() -> list[str]:
    """Return the names of all targets that find something."""
    from stroma.targets import TARGETS

    return [name for name in TARGETS if TARGETS[name].result in FOUND]


def main() -> None:
    """Print one row per target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", type=int, nargs="+", default=[2048, 2048])
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--targets", nargs="+", default=finding())
    parser.add_argument("--smoke", action="store_true", help="small, to see that it runs")
    given = parser.parse_args()
    if given.smoke:
        given.shape, given.objects = [128, 128], 9
    print("| target | objects | seconds | memory added | F1 |\n|---|---|---|---|---|")
    for name in given.targets:
        if given.smoke:
            row = measured(name, given.shape, given.objects)
        else:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                row = alone.submit(measured, name, given.shape, given.objects).result()
        print(
            f"| `{name}` | {row['objects']} | {row['seconds']:.1f} | {row['memory']:.0f} MB "
            f"| {row['f1']:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
