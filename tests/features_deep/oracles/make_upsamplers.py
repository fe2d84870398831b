"""Run the authors' JAFAR, NAF and AnyUp on random weights, and keep some of what comes out.

    python make_upsamplers.py JAFAR_FOLDER NAF_FOLDER ANYUP_FOLDER upsamplers.npz

The folders hold their repositories; einops is needed, and Stroma's tests on the path. NATTEN, which
NAF calls, is replaced by its definition.
"""

from __future__ import annotations

import functools
import importlib
import sys
import types
from pathlib import Path

import numpy as np
import torch

from random_weights import random_tensors

JAFAR, NAF, ANYUP = "jafar_dinov2_vits14_reg", "naf", "anyup"
SIDES, PATCH, FEATURES = (56, 70), 14, 384
POINTS = 12
TRANSFORMS = "torchvision.transforms"


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Return an image and its tokens."""
    random = np.random.default_rng(0)
    image = random.standard_normal((1, 3, *SIDES), np.float32)
    cells = (side // PATCH for side in SIDES)
    return torch.tensor(image), torch.tensor(
        random.standard_normal((1, FEATURES, *cells), np.float32)
    )


def na2d(q, k, v, kernel_size, dilation, **_):
    """Attend in windows that keep to the pixels of one residue, and are shifted inside."""
    q, k, v = (x[0].numpy().astype(np.float64) for x in (q, k, v))
    out = np.zeros_like(v)
    for y, x in np.ndindex(q.shape[:2]):
        rows = window(y, q.shape[0], kernel_size[0], dilation[0])
        columns = window(x, q.shape[1], kernel_size[1], dilation[1])
        keys, values = k[np.ix_(rows, columns)], v[np.ix_(rows, columns)]
        products = np.einsum("nd,rcnd->nrc", q[y, x], keys) / np.sqrt(q.shape[-1])
        weights = np.exp(products - products.max(axis=(1, 2), keepdims=True))
        weights /= weights.sum(axis=(1, 2), keepdims=True)
        out[y, x] = np.einsum("nrc,rcnd->nd", weights, values)
    return torch.tensor(out[None])


def window(place: int, length: int, side: int, step: int) -> np.ndarray:
    """Return the places of one axis that a place attends to."""
    same = np.arange(place % step, length, step)
    own = place // step
    first = min(max(own - side // 2, 0), len(same) - side)
    return same[first : first + side]


def module(folder: str, name: str) -> types.ModuleType:
    """Import a module of a repository, without the others of its package."""
    for known in [m for m in sys.modules if m.partition(".")[0] in ("src", "utils")]:
        del sys.modules[known]
    package = types.ModuleType(name.rpartition(".")[0])
    package.__path__ = [str(Path(folder, *package.__name__.split(".")))]
    sys.modules[package.__name__] = package
    sys.path.insert(0, folder)
    found = importlib.import_module(name)
    sys.path.remove(folder)
    return found


def on_the_processor(jafar: types.ModuleType) -> types.ModuleType:
    """Let the coordinates be made where the image is."""
    jafar.create_coordinate = functools.partial(jafar.create_coordinate, device="cpu")
    return jafar


def of_anyup(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return our tensors under the names that AnyUp has for them."""
    own = dict(tensors)
    attention = "cross_decode.cross_attn.attention."
    parts = [own.pop(f"{attention}{name}_proj_weight") for name in "qk"]
    own[f"{attention}in_proj_weight"] = np.concatenate([*parts, parts[0]])
    inside = {".norm1.": ".block.0.", ".conv1.": ".block.2."}
    inside |= {".norm2.": ".block.3.", ".conv2.": ".block.5."}
    for ours, theirs in inside.items():
        own = {key.replace(ours, theirs): value for key, value in own.items()}
    return own


def main(jafar: str, naf: str, anyup: str, target: str) -> None:
    """Write the outputs at some pixels."""
    image, tokens = inputs()
    random = np.random.default_rng(1)
    rows, columns = (random.integers(0, side, POINTS) for side in SIDES)
    found = {"rows": rows, "columns": columns}
    for name, parts in {"natten": {"na2d": na2d}, "torchvision": {}, TRANSFORMS: {}}.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(parts)
    known = {
        JAFAR: on_the_processor(module(jafar, "src.upsampler.jafar")).JAFAR(),
        NAF: module(naf, "src.model.naf").NAF(kernel_size=3),
        ANYUP: module(anyup, "anyup.model").AnyUp(),
    }
    for name, network in known.items():
        tensors = random_tensors(name)
        tensors = of_anyup(tensors) if name == ANYUP else tensors
        state = {key: torch.tensor(value) for key, value in tensors.items()}
        missing = network.load_state_dict(state, strict=False)
        assert not missing.unexpected_keys, missing.unexpected_keys
        with torch.no_grad():
            out = network.eval()(image, tokens, SIDES)[0].numpy()
        found[name] = out[:, rows, columns].T.astype(np.float32)
    np.savez_compressed(Path(target), **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
