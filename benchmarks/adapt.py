"""A network of bright nuclei gets used to dark, blurred ones, without labels of them.

    python benchmarks/adapt.py FOLDER --test 6 --steps 300 --adapt-steps 150

FOLDER has ``images/`` and ``masks/`` (objects numbered from 1), with files of the same names. Only
grey images with objects brighter than what is around them are used. The network learns from those
that are not drawn for the test; the new kind are all images with bright and dark exchanged, and
blurred. It gets used to the new kind of the training images, and is scored on that of the test
images: before, afterwards without labels, and with labels of the old kind.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from instances import grey, pairs_in, split, truth_of
from numpy.typing import NDArray
from scipy import ndimage

import stroma
from stroma.io import read_image
from stroma.training.model import Network

SIGMA = 1.5


def is_bright(image: NDArray[np.float64], truth: NDArray[Any]) -> bool:
    return bool(image[truth > 0].mean() > image[truth == 0].mean())


def is_grey(path: Path) -> bool:
    image = read_image(path)
    values = image.read()
    if "c" not in image.sizes:
        return True
    colours = np.moveaxis(values, image.kept_axes.index("c"), 0)[:3]
    return bool((colours == colours[0]).all())


def other(image: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return an image with bright and dark exchanged, and blurred."""
    changed = image.max() + image.min() - image
    return np.asarray(ndimage.gaussian_filter(changed, SIGMA), np.float32)


def scores(network: Network, images: list[Any], truths: list[Any]) -> dict[str, float]:
    return network.evaluate(images, truths)


def said(name: str, found: dict[str, float], seconds: float = 0.0) -> None:
    print(f"{name:34} AP50 {found['ap50']:.3f}  mean AP {found['mean ap']:.3f}  {seconds:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--test", type=int, default=6)
    parser.add_argument("--target", default="distances")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--adapt-steps", type=int, default=150)
    parser.add_argument("--features", type=int, nargs="*", default=[], help="of a small U-Net")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    _, pairs = pairs_in(given.folder)
    kept = [p for p in pairs if is_grey(p[0]) and is_bright(grey(p[0]), truth_of("masks", p[1]))]
    learned, tested = split(kept, given.test, given.seed, groups=False)
    print(f"{len(learned)} images to learn from, {len(tested)} to test on")
    images = [[grey(p).astype(np.float32) for p, _ in part] for part in (learned, tested)]
    truths = [[truth_of("masks", t) for _, t in part] for part in (learned, tested)]
    new = [[other(one) for one in part] for part in images]
    began = time.monotonic()
    small: dict[str, Any] = {}
    if given.features:
        small = {"network": "unet", "network_options": {"features": given.features}}
        small |= {"patch": [64, 64], "batch": 8}
    network = stroma.learn(
        images[0], truths[0], target=given.target, steps=given.steps, seed=given.seed, **small
    )
    said("as learned, old kind", scores(network, images[1], truths[1]), time.monotonic() - began)
    said("as learned, new kind", scores(network, new[1], truths[1]))
    for name, source in (("without labels", {}), ("with those of the old kind", True)):
        old = {"source": images[0], "source_labels": truths[0]} if source else {}
        began = time.monotonic()
        made = stroma.adapt(
            network, new[0], steps=given.adapt_steps, seed=given.seed, warn=print, **old
        )
        spent = time.monotonic() - began
        said(f"adapted {name}, new kind", scores(made, new[1], truths[1]), spent)
        said(f"adapted {name}, old kind", scores(made, images[1], truths[1]))


if __name__ == "__main__":
    main()
