"""Time and memory of bringing the features of a transformer to pixels, on random weights.

    python benchmarks/upsampling.py jafar:dinov2_vits14_reg naf:dinov2_vits14_reg --side 448

Each extractor runs in a process of its own: an image of that side is trained on with a few strokes,
and segmented. The time of the transformer alone, and the most memory beyond that of the process
before, are said beside.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

NAMES = (
    "dinov2_vits14_reg",
    "jafar:dinov2_vits14_reg",
    "anyup:dinov2_vits14_reg",
    "naf:dinov2_vits14_reg",
    "featup:dinov2_vits14",
)


def measured(name: str, side: int, folder: str, answers: multiprocessing.Queue) -> None:
    """Put seconds of training, of segmenting, and megabytes."""
    os.environ["STROMA_WEIGHTS"] = folder
    from stroma import ConvpaintModel

    random = np.random.default_rng(0)
    image = random.normal(size=(side, side)).astype(np.float32)
    strokes = np.zeros(image.shape, np.uint8)
    strokes[side // 8, 8:-8], strokes[side // 2, 8:-8] = 1, 2
    model = ConvpaintModel(fe_name=name, clf="logistic")
    small = image[:56, :56]
    model.get_feature_image(small)  # networks are loaded, kernels compiled
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    model.train(image, strokes)
    trained = time.perf_counter()
    model.segment(image)
    ended = time.perf_counter()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answers.put((trained - start, ended - trained, (most - before) / 1024))


def write_random(folder: Path, names: list[str]) -> None:
    """Write weights without meaning for the networks of extractors."""
    from safetensors.numpy import save_file

    from stroma.backbones import BACKBONES
    from stroma.features.build import weights_of

    random = np.random.default_rng(0)
    for name in sorted({network for one in names for network in weights_of(one)}):
        state = BACKBONES[name]().state_dict()
        drawn = {k: random.standard_normal(v.shape, np.float32) for k, v in state.items()}
        values = {k: np.asarray(0.05 * v + ("periods" in k)) for k, v in drawn.items()}
        save_file(values, folder / f"{name}.safetensors")


def main(args: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=list(NAMES))
    parser.add_argument("--side", type=int, default=448)
    parser.add_argument("--smoke", action="store_true", help="one extractor on a small image")
    given = parser.parse_args(args)
    if given.smoke:
        given.names, given.side = ["naf:dino_vits8"], 64
    print("| extractor | training s | segmenting s | most memory beyond before, MB |")
    print("|---|---|---|---|")
    spawned = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        write_random(Path(folder), given.names)
        for name in given.names:
            answers = spawned.Queue()
            process = spawned.Process(target=measured, args=(name, given.side, folder, answers))
            process.start()
            trained, segmented, megabytes = answers.get()
            process.join()
            print(f"| `{name}` | {trained:.1f} | {segmented:.1f} | {megabytes:.0f} |", flush=True)


if __name__ == "__main__":
    main()
