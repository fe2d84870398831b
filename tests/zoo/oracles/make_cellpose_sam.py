"""Write cellpose_sam.npz: what Cellpose-SAM says of pictures, its encoder small and random.

Needs cellpose 4 (4.2.1.1 made the file that is here) and segment-anything 1.0, which are not needed
to run the tests. Run as ``python make_cellpose_sam.py`` with the folder of tests on the path. The
encoder has the weights of ``random_weights.random_tensors``; the layer after it is fitted to the
picture, and kept in whole numbers of 8 bits.
"""

from __future__ import annotations

import sys
import types
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import segment_anything
import torch
from segment_anything.modeling import ImageEncoderViT

from random_sam import authors_name
from random_weights import random_tensors

HERE = Path(__file__).parent
SIDE = 240
"""Cellpose adds 8 pixels on all sides: one tile."""


def small(_: object) -> types.SimpleNamespace:
    """Return what Cellpose takes for ViT-L, in small."""
    norm = partial(torch.nn.LayerNorm, eps=1e-6)
    how = {"embed_dim": 32, "depth": 2, "num_heads": 2, "mlp_ratio": 2, "out_chans": 256}
    how |= {"use_rel_pos": True, "window_size": 14, "global_attn_indexes": (1,)}
    return types.SimpleNamespace(image_encoder=ImageEncoderViT(1024, norm_layer=norm, **how))


segment_anything.sam_model_registry = {"vit_l": small}
from cellpose import transforms  # noqa: E402
from cellpose.models import CellposeModel  # noqa: E402
from cellpose.vit import CPSAM  # noqa: E402


def picture() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return domes of light on nothing, some of which touch, their numbers, and ways to middles."""
    y, x = np.mgrid[:SIDE, :SIDE]
    image, labels = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE), np.int32)
    ways = np.zeros((2, SIDE, SIDE))
    number = 0
    for row in range(45, 210, 50):
        for column in range(45, 210, 42):
            number += 1
            way = np.stack([row + number % 5 - y, column + number % 3 - x])
            apart = np.hypot(*way) / (19 + number % 4)
            inside = (apart < 1) & (labels == 0)
            labels[inside] = number
            ways[:, inside] = (way / (np.hypot(*way) + 1))[:, inside]
            image[inside] = (90 + 160 * (1 - apart**2))[inside]
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.where(labels > 0, image + noise, 0).round().clip(0, 255), labels, ways


def features_of(network: CPSAM, tile: np.ndarray) -> np.ndarray:
    """Return (patches, 257) of what leaves the encoder, and ones."""
    seen = []
    hook = network.encoder.neck.register_forward_hook(lambda *given: seen.append(given[-1]))
    with torch.no_grad():
        network(torch.from_numpy(tile)[None])
    hook.remove()
    found = seen[0][0].flatten(1).T.numpy()
    return np.concatenate([found, np.ones_like(found[:, :1])], 1).astype(float)


def readout(
    network: CPSAM, image: np.ndarray, labels: np.ndarray, ways: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return (192, 257) whole numbers, and what they are multiples of."""
    ready = transforms.normalize_img(image[..., None].astype(np.float32))
    tile = np.pad(ready.transpose(2, 0, 1), ((0, 0), (8, 8), (8, 8)))
    known = features_of(network, tile)
    wanted = np.concatenate([5 * ways, np.where(labels > 0, 6.0, -6.0)[None]])
    wanted = np.pad(wanted, ((0, 0), (8, 8), (8, 8)), constant_values=0)
    wanted[2][wanted[2] == 0] = -6
    patches = wanted.reshape(3, 32, 8, 32, 8).transpose(1, 3, 0, 2, 4).reshape(1024, 192)
    square = known.T @ known + RIDGE * np.eye(257)
    found = np.linalg.solve(square, known.T @ patches).T
    unit = np.abs(found).max() / 127
    return (found / unit).round().astype(np.int8), unit


RIDGE = 0.3


def main() -> None:
    """Write the file."""
    network = CPSAM().eval()
    tensors = random_tensors("cellpose_sam")
    state = {authors_name(k).removeprefix("image_"): torch.tensor(v) for k, v in tensors.items()}
    network.load_state_dict(state, strict=False)
    image, labels, ways = picture()
    numbers, unit = readout(network, image, labels, ways)
    values = torch.from_numpy((numbers * np.float32(unit)).astype(np.float32))
    state |= {"out.weight": values[:, :256, None, None].clone(), "out.bias": values[:, 256].clone()}
    state["W2"] = torch.eye(192).reshape(192, 3, 8, 8)
    colours = np.stack([image, image.T, image[::-1]], -1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cpsam"
        torch.save(state, path)
        model = CellposeModel(
            pretrained_model=str(path), device=torch.device("cpu"), use_bfloat16=False
        )
        masks, (_, arrows, inside), _ = model.eval(image.astype(np.float32))
        other = model.eval(colours.astype(np.float32), channel_axis=-1, compute_masks=False)[1]
    print(labels.max(), masks.max(), "objects")
    every = slice(3, None, 13)
    np.savez_compressed(
        HERE / "cellpose_sam.npz",
        readout=numbers,
        unit=np.float32(unit),
        image=image.astype(np.uint8),
        masks=masks.astype(np.uint8),
        output=np.stack([*arrows, inside])[:, every, every].round(4),
        colours=np.stack([*other[1], other[2]])[:, every, every].round(4),
    )


if __name__ == "__main__":
    sys.exit(main())
