"""Rounds of painting with deep features, beside the plain path to the same labels.

    python benchmarks/deep.py            the numbers of the documentation, some minutes
    python benchmarks/deep.py --smoke    small images, to see that everything runs

The rounds are those of ``rounds.py``, with the first layer of VGG16 on three scales (192 features).
With three layers (768 features), the dense array of the plain path needs many gigabytes, so that
only our own path is run. For DINOv2, what training on strokes takes beside the network and the fit
is compared with the one pass of the network in it. The weights are random, which costs the same as
trained ones; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
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
    """Return what training takes, and training again: in the network, and beside it."""
    from stroma import ConvpaintModel
    from stroma.features.networks.vit import DINOv2

    image, strokes = scene(side, rounds.LABELLED)
    model = ConvpaintModel("dino")
    model.train(*scene(rounds.WARM_SIDE, rounds.LABELLED))
    passes, network, batch = [], Spent(), DINOv2.batch

    def timed(extractor: DINOv2, blocks: Sequence[Any]) -> Any:
        passes.extend(blocks)
        with network.running():
            return batch(extractor, blocks)

    DINOv2.batch = timed  # type: ignore[method-assign]
    first = _beside(network, lambda: model.train(image, strokes))
    computed = len(passes)
    strokes[:4, :25] = 1
    again = _beside(Spent(), lambda: model.train(image, strokes))
    found = {"the pass": vars(network), "training, beside it": first, "next training": again}
    return {**found, "windows": computed, "windows again": len(passes) - computed}


def _beside(network: Spent, train: Callable[[], object]) -> dict[str, float]:
    """Return what training takes beside the network and the fit."""
    whole, fitting = Spent(), Spent()
    rounds.time_fits(fitting)
    with whole.running():
        train()
    return vars(whole.less(fitting).less(network))


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
    for name in ("the pass", "training, beside it", "next training"):
        wall, cpu = (min(1000 * run[name][kind] for run in found) for kind in ("wall", "cpu"))
        print(f"| {name} | {wall:.0f} ms | {cpu:.0f} ms |")
    print(f"\nWindows computed: {found[0]['windows']}, then {found[0]['windows again']}.")


if __name__ == "__main__":
    main()
