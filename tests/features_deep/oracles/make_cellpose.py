"""Run the network of Cellpose 3 on random weights, and keep some of what its encoder returns.

    python make_cellpose.py FOLDER cellpose.npz

The folder holds ``cellpose/resnet_torch.py`` of Cellpose 3; Stroma's tests are on the path.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from random_weights import random_tensors

SIDE = 96
POINTS = 8


def official(name: str) -> str:
    """Return Cellpose's name of one of our tensors."""
    block, _, rest = name.partition(".")
    return f"downsample.down.res_down_{block.removeprefix('down')}.{rest}"


def main(folder: str, target: str) -> None:
    """Write the outputs of three stages at some cells away from the border."""
    sys.path.insert(0, folder)
    from cellpose.resnet_torch import CPnet

    network = CPnet([2, 32, 64, 128, 256], nout=3, sz=3).eval()
    tensors = random_tensors("cellpose_backbone")
    state = {official(key): torch.tensor(value) for key, value in tensors.items()}
    assert not network.load_state_dict(state, strict=False).unexpected_keys
    random = np.random.default_rng(0)
    image = random.standard_normal((1, 2, SIDE, SIDE), np.float32)
    with torch.no_grad():
        _, _, stages = network(torch.tensor(image))
    cells = random.integers(SIDE // 8 - 1, SIDE // 8 + 2, (POINTS, 2))
    found = {"cells": cells}
    for i, stage in enumerate(stages[:3]):
        rows, columns = (cells * (4 >> i)).T
        found[f"stage{i + 1}"] = stage[0, :, rows, columns].numpy()
    np.savez_compressed(Path(target), **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
