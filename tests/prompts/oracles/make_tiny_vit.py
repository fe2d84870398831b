"""Run the authors' TinyViT on random weights, and keep some of what it returns.

    python make_tiny_vit.py tiny_vit_sam.py tiny_vit.npz

The first is a file of MobileSAM, in which the side of the map at the end is that of small images.
"""

from __future__ import annotations

import importlib.util
import sys
import types

import numpy as np
import torch

SIDE = 128
SIZE = {
    "embed_dims": [8, 16, 32, 320],
    "depths": [2, 1, 2, 1],
    "num_heads": [1, 2, 4, 5],
    "window_sizes": [7, 7, 14, 7],
}


def tensors(shapes: dict) -> dict:
    """Return random tensors of these names and shapes, the same ones always."""
    random = np.random.default_rng(7)
    found = {}
    for name in sorted(shapes):
        values = random.standard_normal(shapes[name]).astype(np.float32)
        if name.endswith("running_var"):
            values = np.abs(values) + 0.5
        elif not name.endswith("num_batches_tracked"):
            values = 0.3 * values
        found[name] = values
    return found


def image() -> np.ndarray:
    """Return (1, 3, y, x) colours."""
    return np.random.default_rng(1).standard_normal((1, 3, SIDE, SIDE)).astype(np.float32)


class Same(torch.nn.Identity):
    """What drops paths while training."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()


def authors(path: str) -> types.ModuleType:
    """Return the authors' file as a module, without the packages that it trains with."""
    layers = types.ModuleType("timm.models.layers")
    layers.DropPath, layers.to_2tuple = Same, lambda n: (n, n)
    layers.trunc_normal_ = lambda values, std: values
    registry = types.ModuleType("timm.models.registry")
    registry.register_model = lambda made: made
    for one in (types.ModuleType("timm"), types.ModuleType("timm.models"), layers, registry):
        sys.modules[one.__name__] = one
    spec = importlib.util.spec_from_file_location("tiny_vit", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(source: str, target: str) -> None:
    """Write what the encoder makes of the image, in some places."""
    network = authors(source).TinyViT(SIDE, num_classes=10, **SIZE).eval()
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    named = tensors(shapes)
    network.load_state_dict({k: torch.tensor(v) for k, v in named.items()})
    network.eval()
    with torch.no_grad():
        found = network(torch.tensor(image()))[0, ::16].numpy()
    kept = {f"shape.{k}": np.array(v, int) for k, v in shapes.items()}
    np.savez_compressed(target, found=found, **kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
