"""Deep features beside the plain way to the same result, in the same run.

    python benchmarks/deep.py            the whole of it, a few minutes
    python benchmarks/deep.py --smoke    small images, to see that everything runs

The plain way computes one dense stack of float32 features and asks the library to classify it. The
weights are random, which costs the same as trained ones; nothing is downloaded. Every case runs in
a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALES = (1, 2, 4)
STROKES = 12
TREES = {"iterations": 100, "learning_rate": 0.1, "depth": 5, "random_seed": 0}


def scene(side: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return an image of blobs with noise, and strokes on blobs and between them."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(0)
    blobs = gaussian_filter(random.standard_normal((side, side)), 6)
    image = blobs * 2000 + 1000 + random.standard_normal((side, side)) * 20
    strokes = np.zeros((side, side), np.uint8)
    for y, x in random.integers(0, side - 40, (STROKES, 2)):
        strokes[y : y + 3, x : x + 40] = np.where(blobs[y : y + 3, x : x + 40] > 0, 1, 2)
    return image.astype(np.float32), strokes


def random_weights(name: str, folder: Path) -> None:
    """Write weights without meaning for all layers up to a middling size."""
    from safetensors.numpy import save_file

    from stroma.backbones import BACKBONES

    random = np.random.default_rng(0)
    shapes = {k: tuple(v.shape) for k, v in BACKBONES[name]().state_dict().items()}
    tensors = {
        key: random.standard_normal(shape, np.float32) / np.sqrt(np.prod(shape[1:], dtype=float))
        for key, shape in shapes.items()
    }
    kept = {key: value.astype(np.float32) for key, value in tensors.items()}
    save_file(kept, folder / f"{name}.safetensors")


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds a call takes, and what it returns."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def peak_memory() -> float:
    """Return the most memory this process had, in GB (on Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e6


def ours(alias: str, side: int) -> dict[str, float]:
    """Train, segment; paint once more, train, segment."""
    import torch  # noqa: F401 - counted among the imports

    from stroma import ConvpaintModel

    image, strokes = scene(side)
    model, before = ConvpaintModel(alias), peak_memory()
    first = timed(lambda: model.train(image, strokes))[0] + timed(lambda: model.segment(image))[0]
    strokes[10:13, 10:50] = 1
    train, _ = timed(lambda: model.train(image, strokes))
    segment, _ = timed(lambda: model.segment(image))
    return {
        "first round": first,
        "next training": train,
        "next segmentation": segment,
        "memory": peak_memory() - before,
    }


def plain_vgg(side: int) -> dict[str, float]:
    """Do the same for one layer on three scales, the plain way."""
    import torch
    from catboost import CatBoostClassifier
    from safetensors.numpy import load_file
    from torch.nn import functional

    stored = load_file(Path(os.environ["STROMA_WEIGHTS"]) / "vgg16.safetensors")
    weight, bias = (torch.tensor(stored[f"features.0.{kind}"]) for kind in ("weight", "bias"))
    image, strokes = scene(side)
    before = peak_memory()

    def features() -> NDArray[np.float32]:
        standard = torch.tensor((image - image.mean()) / image.std()).expand(1, 3, side, side)
        levels = [functional.avg_pool2d(standard, s) if s > 1 else standard for s in SCALES]
        maps = [functional.conv2d(level, weight, bias, padding=1) for level in levels]
        return np.concatenate(
            [functional.interpolate(m, size=(side, side))[0].detach().numpy() for m in maps]
        )

    def train() -> Any:
        chosen = features()[:, strokes > 0].T
        forest = CatBoostClassifier(**TREES, verbose=False, allow_writing_files=False)
        return forest.fit(chosen, strokes[strokes > 0])

    def segment() -> Any:
        rows = np.ascontiguousarray(features().reshape(len(SCALES) * 64, -1).T)
        return forest.predict_proba(rows)

    training, forest = timed(train)
    segmenting, _ = timed(segment)
    return {"first round": training + segmenting, "memory": peak_memory() - before}


def dino(side: int) -> dict[str, float]:
    """Compare training on strokes with one pass through the network."""
    from stroma import ConvpaintModel
    from stroma.features.vit import DINOv2

    image, strokes = scene(side)
    standard = ((image - image.mean()) / image.std())[None]
    DINOv2()(standard[:, :28, :28])  # loads the network
    once, _ = timed(lambda: DINOv2()(standard))
    model = ConvpaintModel("dino")
    train, _ = timed(lambda: model.train(image, strokes))
    strokes[10:13, 10:50] = 1
    again, _ = timed(lambda: model.train(image, strokes))
    return {"one pass": once, "training": train, "next training": again}


def alone(function: Callable[..., dict[str, float]], *args: Any) -> dict[str, float]:
    """Run a function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, args)


def main() -> None:
    """Run all cases and show them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="small images")
    side, window = (128, 140) if parser.parse_args().smoke else (1024, 1036)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STROMA_WEIGHTS"] = folder
        for name in ("vgg16", "dinov2_vits14_reg"):
            random_weights(name, Path(folder))
        cases = {
            "plain vgg": alone(plain_vgg, side),
            "vgg": alone(ours, "vgg", side),
            "vgg-m": alone(ours, "vgg-m", side),
            "dino": alone(dino, window),
        }
    for case, numbers in cases.items():
        print(f"{case:>10}: " + ", ".join(f"{key} {value:.2f}" for key, value in numbers.items()))
    ratio = cases["plain vgg"]["first round"] / cases["vgg"]["first round"]
    print(f"first round of vgg: {ratio:.1f} times faster than the plain way (s, GB above imports)")


if __name__ == "__main__":
    main()
