"""Run the authors' decoder of micro-sam's automatic mode on random weights, and keep its output.

    python make_unetr.py FOLDER unetr.npz

The folder holds ``unet.py`` and ``unetr.py`` of torch-em 0.10.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import torch
from make_tiny_vit import tensors

INPUTS, WIDTH, SIDE = 32, 8, 6


def maps() -> np.ndarray:
    """Return (1, F, y, x) as an encoder would make them."""
    return np.random.default_rng(2).standard_normal((1, INPUTS, SIDE, SIDE)).astype(np.float32)


def authors(folder: str) -> types.ModuleType:
    """Return the authors' files as modules, without the packages around them."""
    package = types.ModuleType("parts")
    package.__path__ = [folder]
    vit = types.ModuleType("parts.vit")
    vit.get_vision_transformer = None
    sys.modules |= {"parts": package, "parts.vit": vit}
    for name in ("unet", "unetr"):
        spec = importlib.util.spec_from_file_location(f"parts.{name}", Path(folder) / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[f"parts.{name}"] = module
        spec.loader.exec_module(module)
    return module


class Encoder(torch.nn.Module):
    """Stands for the encoder, whose maps are given."""

    in_chans = 3


def main(folder: str, target: str) -> None:
    """Write what the decoder makes of the maps, of both kinds."""
    kept = {}
    for transposed in (False, True):
        made = authors(folder).UNETR(
            encoder=Encoder(),
            out_channels=3,
            use_skip_connection=False,
            embed_dim=INPUTS,
            use_conv_transpose=transposed,
            initial_features=WIDTH,
        )
        shapes = {k: tuple(v.shape) for k, v in made.state_dict().items()}
        made.load_state_dict({k: torch.tensor(v) for k, v in tensors(shapes).items()})
        made.eval()
        made.preprocess = lambda x: (x, None)
        made.encoder.forward = lambda x: x
        made.postprocess_masks = lambda x, *_: x
        with torch.no_grad():
            kept[f"found.{transposed}"] = made(torch.tensor(maps()))[0, :, ::5, ::5].numpy()
        kept |= {f"shape.{transposed}.{k}": np.array(v, int) for k, v in shapes.items()}
    np.savez_compressed(target, **kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
