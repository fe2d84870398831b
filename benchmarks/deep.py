"""Rounds of painting with deep features, beside the plain path to the same labels.

    python benchmarks/deep.py            the numbers of the documentation, some minutes
    python benchmarks/deep.py --smoke    small images, to see that everything runs

The rounds are those of ``rounds.py``, with the first layer of VGG16 on three scales (192 features).
With three layers (768 features), the dense array of the plain path needs many gigabytes, so that
only our own path is run. For DINOv2, training on strokes is compared with one pass of the network
over the image. The weights are random, which costs the same as trained ones; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rounds
from measuring import Spent, alone, scene

LARGEST = 1_000_000
"""Values of the largest tensor of VGG16 that is written; the layers in use have fewer."""

DINO_SIDE = 1036


def random_weights(name: str, folder: Path, largest: int | None = None) -> None:
    """Write weights without meaning, for tensors of no more than so many values."""
    from safetensors.numpy import save_file

    from stroma.backbones import BACKBONES

    random = np.random.default_rng(0)
    shapes = {k: tuple(v.shape) for k, v in BACKBONES[name]().state_dict().items()}
    kept = {k: s for k, s in shapes.items() if largest is None or np.prod(s) <= largest}
    tensors = {
        key: random.standard_normal(shape, np.float32)
        / np.float32(np.sqrt(np.prod(shape[1:], dtype=float)))
        for key, shape in kept.items()
    }
    save_file(tensors, folder / f"{name}.safetensors")


def dino(side: int) -> dict[str, Any]:
    """Return what one pass through the network takes, training, and training again."""
    from stroma import ConvpaintModel
    from stroma.features.pipeline import Piece, Pipeline
    from stroma.features.vit import DINOv2

    image, strokes = scene(side, rounds.LABELLED)
    standard = ((image - image.mean()) / image.std())[None]
    model, network, passes = ConvpaintModel("dino"), DINOv2(device="cpu"), []
    model.train(*scene(rounds.WARM_SIDE, rounds.LABELLED))
    network(standard)
    compute = Pipeline.compute

    def counted(pipe: Pipeline, pieces: Sequence[Piece]) -> Any:
        passes.extend(pieces)
        return compute(pipe, pieces)

    Pipeline.compute = counted  # type: ignore[method-assign]
    spent: dict[str, Spent] = {"one pass": Spent(), "training": Spent(), "next training": Spent()}
    fitting = {name: Spent() for name in spent}
    with spent["one pass"].running():
        network(standard)
    rounds.time_fits(fitting["training"])
    with spent["training"].running():
        model.train(image, strokes)
    strokes[:4, :25] = 1
    rounds.time_fits(fitting["next training"])
    computed = len(passes)
    with spent["next training"].running():
        model.train(image, strokes)
    without = {name: vars(taken.less(fitting[name])) for name, taken in spent.items()}
    return {**without, "windows": computed, "windows again": len(passes) - computed}


def main(arguments: list[str] | None = None) -> None:
    """Write weights, run everything, print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="small images, one run")
    parser.add_argument("--dino", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.dino:
        print(json.dumps(dino(given.dino)))
        return
    side, runs, window = (rounds.WARM_SIDE, 1, 140) if given.smoke else (rounds.SIDE, 3, DINO_SIDE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STROMA_WEIGHTS"] = folder
        random_weights("vgg16", Path(folder), LARGEST)
        random_weights("dinov2_vits14_reg", Path(folder))
        rounds.print_head()
        rounds.compared("vgg", side, runs)
        if not given.smoke:
            rounds.compared("vgg-m", side, runs, paths=("ours",))
        show_dino([alone(__file__, "--dino", window) for _ in range(runs)])


def show_dino(found: list[dict[str, Any]]) -> None:
    """Print the least of every time, and how often features were computed."""
    print("\n| DINOv2, without the fit | wall | cpu |\n|---|---|---|")
    for name in ("one pass", "training", "next training"):
        wall, cpu = (min(1000 * run[name][kind] for run in found) for kind in ("wall", "cpu"))
        print(f"| {name} | {wall:.0f} ms | {cpu:.0f} ms |")
    print(f"\nWindows computed: {found[0]['windows']}, then {found[0]['windows again']}.")


if __name__ == "__main__":
    main()
