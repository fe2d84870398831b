"""Images without labels beside a few with labels, and what a ladder network gains from them.

    python benchmarks/few_labels.py FOLDER --set wbc_ds1_dev

FOLDER holds one folder per set, as for ``quality.py``. Drawn by a seed, two images of a set are
given with every label, and twenty without. The same convolutional ladder network learns from the
labels of the two alone, which is the network with its noise and no denoising cost; from the two
with denoising; and from the two and the twenty. It is scored by the mean intersection over union of
the classes that occur in all images but the two, of which it has seen twenty without their labels,
and in those alone that it has not seen at all.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from learn import IGNORED, mean_iou, read

LABELLED, UNLABELLED = 2, 20
PATCHES = 8
"""Labelled patches per step, always; beside them as many without labels, where there are some."""

NETWORK: dict[str, Any] = {"features": [16, 16, 16]}
ALONE = (0.0,) * 5


def learned(images: list[Any], labels: list[Any], weights: tuple[float, ...], how: Any) -> Any:
    """Return a ladder network that learned from images, of which some have labels."""
    import stroma

    return stroma.learn(
        images,
        labels,
        network="ladder",
        objective="ladder",
        network_options={**NETWORK, "weights": weights},
        ignore=IGNORED,
        device="cpu",
        **how,
    )


def ways(weights: tuple[float, ...]) -> dict[str, tuple[int, tuple[float, ...]]]:
    """Return how many images without labels there are, and weights, by what is compared."""
    return {
        "labels of 2": (0, ALONE),
        "2, denoised": (0, weights),
        "2 and 20": (UNLABELLED, weights),
    }


def row(folder: Path, seed: int, weights: tuple[float, ...], how: Any) -> dict[str, Any]:
    """Return the scores of every way for one draw of images."""
    names = sorted(f.name for f in (folder / "masks").iterdir())
    order = np.random.default_rng(seed).permutation(len(names))
    images, truths = zip(*[read(folder, names[i]) for i in order], strict=True)
    seen = LABELLED + UNLABELLED
    found: dict[str, Any] = {}
    for name, (count, chosen) in ways(weights).items():
        began = time.process_time()
        network = learned(
            list(images[: LABELLED + count]),
            [*truths[:LABELLED], *[None] * count],
            chosen,
            {**how, "seed": seed, "batch": PATCHES * (2 if count else 1)},
        )
        busy = time.process_time() - began
        results = [network.segment(image, device="cpu") for image in images[LABELLED:]]
        others = mean_iou(results, truths[LABELLED:])
        unseen = seen - LABELLED
        new = mean_iou(results[unseen:], truths[seen:]) if len(names) > seen else float("nan")
        found[name] = (others, new, busy)
        print(f"| {seed} | {name} | {others:.3f} | {new:.3f} | {busy:.0f} s |", flush=True)
    return found


def main(args: list[str] | None = None) -> None:
    """Compare for several draws, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", default="wbc_ds1_dev")
    parser.add_argument("--seeds", default="0,1,2", help="joined by commas")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--weights", default="0,0,0,0,1", help="of denoising, joined by commas")
    given = parser.parse_args(args)
    weights = tuple(float(w) for w in given.weights.split(","))
    how = {"steps": given.steps, "patch": [32, 32], "rate": 5e-3}
    print("| seed | learned from | mean IoU of all others | of those not seen | of processors |")
    print("|---|---|---|---|---|")
    every = [row(given.data / given.set, int(s), weights, how) for s in given.seeds.split(",")]
    for name in every[0]:
        print(f"| mean | {name} | {np.mean([found[name][0] for found in every]):.3f} | | |")


if __name__ == "__main__":
    main()
