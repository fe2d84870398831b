"""Weights without meaning, in files as they are published: for tests without downloads."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from random_sam import (
    SAM2,
    SAM3,
    tiny_cellpose_sam,
    tiny_sam,
    tiny_sam2,
    tiny_sam2_memory,
    tiny_sam3,
    tiny_sam_hq,
)
from stroma.backbones import BACKBONES

LARGEST = 600_000
"""Values of the largest tensor that is written for convolutional networks."""

CONVOLUTIONAL = ("vgg16", "convnext")

PREFIXES = {"efficient_netb0": "efficientnet.", "convnext": "convnext."}


def random_tensors(name: str, *, largest: int | None = None, rng: int = 0) -> dict[str, np.ndarray]:
    """Return a tensor for every one the network has, of no more than so many values."""
    random = np.random.default_rng(rng)
    tensors = {}
    for key, empty in _network(name).state_dict().items():
        if largest is None or empty.numel() <= largest:
            tensors[key] = np.asarray(_values(key, tuple(empty.shape), random))
    shared = tensors.get("shared_image_embedding.positional_embedding")
    if shared is not None:
        tensors["prompt_encoder.shared_embedding.positional_embedding"] = shared
    return tensors


def remembering_tensors() -> dict[str, np.ndarray]:
    """Return those of SAM 2 with its memory, which is sure to see the object."""
    tensors = random_tensors("sam2_hiera_tiny_memory")
    tensors["mask_decoder.pred_obj_score_head.proj_out.bias"] += 20
    return tensors


def write_random_weights(name: str, folder: Path) -> Path:
    """Write a file named after the extractor, with the names that the hub's file uses.

    Of convolutional networks, the last and largest layers are left out.
    """
    largest = LARGEST if name in CONVOLUTIONAL or name.startswith("efficient") else None
    path = folder / f"{name}.safetensors"
    tensors = _of_kind(name, largest)
    save_file({PREFIXES.get(name, "") + key: value for key, value in tensors.items()}, path)
    if name.startswith("sam2_"):
        path.with_suffix(".json").write_text(json.dumps(SAM2))
    if name == "sam3":
        path.with_suffix(".json").write_text(json.dumps(SAM3))
    return path


def _of_kind(name: str, largest: int | None) -> dict[str, np.ndarray]:
    """Return random tensors; for networks of one kind and size, the same."""
    kind = "sam_hq" if name.startswith("sam_hq_") else name.partition("_")[0]
    return (
        _small(kind) if kind in ("sam", "sam2", "sam_hq") else random_tensors(name, largest=largest)
    )


@cache
def _small(kind: str) -> dict[str, np.ndarray]:
    return random_tensors(f"{kind}_")


def _network(name: str) -> torch.nn.Module:
    """Return the network without values; those that come in the size of their file, small."""
    if name == "cellpose_sam":
        return tiny_cellpose_sam()
    if name.startswith("sam2_"):
        return tiny_sam2_memory() if name.endswith("_memory") else tiny_sam2()
    if name.startswith("sam_hq_"):
        return tiny_sam_hq()
    if name == "sam3":
        return tiny_sam3()
    return tiny_sam() if name.startswith("sam_") else BACKBONES[name]()


def _values(key: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    noise = random.standard_normal(shape, np.float32)
    if key.endswith("rope.freqs"):
        return 3 * noise
    if key.endswith("rope.periods"):
        return np.square(noise) + 1
    if key.endswith("running_var"):
        return np.square(noise) + 0.5
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if "lambda1" in key or "layer_scale" in key:
        return 0.5 + 0.3 * noise
    if len(shape) < 2:
        return 0.1 * noise + ("bias" not in key and "running_mean" not in key)
    return noise / np.sqrt(np.prod(shape[1:], dtype=np.float32))
