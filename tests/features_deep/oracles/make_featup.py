"""What FeatUp's own code makes of random weights; not run by the tests.

In a folder with a copy of the repository of FeatUp (mhamilton723/FeatUp on GitHub), with ours on
the path: ``python make_featup.py FOLDER featup.npz``. Its compiled filter is replaced by a sum.
"""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import torch

from random_weights import random_tensors

NAME = "featup_dinov2_vits14"
POINTS = 12


def summed(wide: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the sum over the neighbours of every pixel, each with its own weights."""
    rows, columns = weights.shape[1:3]
    total = torch.zeros(*wide.shape[:2], rows, columns)
    for i, j in np.ndindex(*weights.shape[3:]):
        total += wide[:, :, i : i + rows, j : j + columns] * weights[:, None, :, :, i, j]
    return total


def main(folder: str, target: str) -> None:
    """Write the features at some pixels."""
    name = "featup.adaptive_conv_cuda.adaptive_conv"
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].AdaptiveConv = types.SimpleNamespace(apply=summed)
    spec = importlib.util.spec_from_file_location("theirs", Path(folder, "featup", "upsamplers.py"))
    theirs = importlib.util.module_from_spec(spec)
    for package in ("featup", "featup.adaptive_conv_cuda"):
        sys.modules[package] = types.ModuleType(package)
    spec.loader.exec_module(theirs)
    tensors = {key: torch.tensor(value) for key, value in random_tensors(NAME).items()}
    norm = [tensors.pop(f"norm.{kind}") for kind in ("weight", "bias")]
    network = theirs.JBUStack(384).eval()
    network.load_state_dict(tensors)
    random = np.random.default_rng(0)
    image = torch.tensor(random.standard_normal((1, 3, 56, 70), np.float32))
    tokens = torch.tensor(random.standard_normal((1, 384, 4, 5), np.float32))
    tokens = torch.nn.functional.layer_norm(tokens.movedim(1, -1), (384,), *norm).movedim(-1, 1)
    with torch.no_grad():
        made = network(tokens, image)[0].numpy()
    random = np.random.default_rng(1)
    rows, columns = (random.integers(0, side, POINTS) for side in made.shape[1:])
    np.savez_compressed(target, rows=rows, columns=columns, features=made[:, rows, columns].T)


if __name__ == "__main__":
    main(*sys.argv[1:])
