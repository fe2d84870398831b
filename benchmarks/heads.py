"""How much quicker several targets of one network are found together than one after the other.

    python benchmarks/heads.py --side 1536
    python benchmarks/heads.py --smoke

A U-Net with weights drawn at random learns nothing here: what is measured is the work. Seconds of
the processor for classes, objects and points of one image, each head by itself and all of them from
one look at every block; and whether results are equal.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from measuring import Spent, scene

from stroma.networks.unet import UNet
from stroma.targets.contract import Facts
from stroma.targets.several import Several
from stroma.training.files.about import About
from stroma.training.model import Network

HEADS = ("semantic", "distances", "counts")
FEATURES = (32, 64, 128, 256)


def network(features: tuple[int, ...]) -> Network:
    """Return a network of three targets, with weights drawn at random."""
    facts = Facts(2, {0: 10, 1: 10, 2: 10}, diameters=(12.0, 20.0))
    target = Several.made_for(facts, heads=HEADS)
    torch.manual_seed(0)
    params = {"features": list(features)}
    module = UNet(1, len(target.channels()), ndim=2, **params)
    scaled = {"schemes": ["zscore"]}
    about = About("unet", params, "several", asdict(target), 2, 1, scaled, (128, 128))
    return Network(module, about)


def measured(side: int, features: tuple[int, ...]) -> tuple[float, float, bool]:
    """Return the seconds of each head by itself, and together, and whether results are equal."""
    model, image = network(features), scene(side, 0)[0]
    for head in model.heads.values():
        head.segment(image[:128, :128])  # what is compiled is compiled now
    alone, together = Spent(), Spent()
    with alone.running():
        apart = {name: head.segment(image) for name, head in model.heads.items()}
    with together.running():
        found = model.segment(image)
    return alone.cpu, together.cpu, all(_equal(apart[name], found[name]) for name in HEADS)


def _equal(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other))


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, default=1536)
    parser.add_argument("--smoke", action="store_true", help="a small image and network")
    given = parser.parse_args()
    alone, together, equal = measured(*((160, (8, 16)) if given.smoke else (given.side, FEATURES)))
    said = "equal" if equal else "DIFFERENT"
    print(
        f"One after the other {alone:.1f} s, together {together:.1f} s: "
        f"{alone / together:.2f} times as quick; results are {said}."
    )
    if not equal:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
