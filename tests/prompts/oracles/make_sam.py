"""Run the authors' code of Segment Anything on random weights, and keep some of what it returns.

    python make_sam.py FOLDER sam.npz

The folder holds ``segment_anything/modeling`` of the package segment-anything 1.0; Stroma's tests
are on the path.
"""

from __future__ import annotations

import sys
import types
from functools import partial
from pathlib import Path

import numpy as np
import torch

from random_sam import ENCODER, PATCH, SIDE, WINDOW, authors_name
from random_weights import random_tensors

POINTS = 40
SHAPE = (90, 120)
"""Of the image; it is enlarged, and padded at the bottom."""

PROMPTS = {
    "click": {"points": [[40, 60]], "labels": [1]},
    "clicks": {"points": [[40, 60], [80, 20], [10, 100]], "labels": [1, 0, 1]},
    "box": {"boxes": [[20, 30, 70, 100]]},
    "box_and_click": {"boxes": [[20, 30, 70, 100]], "points": [[50, 50]], "labels": [0]},
}
"""As Stroma gives them: y, x in pixels of the image."""


def image() -> np.ndarray:
    """Return the (3, y, x) image, as its bytes."""
    return np.random.default_rng(5).integers(0, 256, (3, *SHAPE), np.uint8)


def authors_network(folder: str) -> torch.nn.Module:
    """Return the authors' network with the random weights of ``sam_vit_b``."""
    package = types.ModuleType("segment_anything")  # without what needs torchvision
    package.__path__ = [str(Path(folder) / "segment_anything")]
    sys.modules["segment_anything"] = package
    from segment_anything.modeling import (
        ImageEncoderViT,
        MaskDecoder,
        PromptEncoder,
        Sam,
        TwoWayTransformer,
    )

    network = Sam(
        ImageEncoderViT(
            img_size=SIDE,
            patch_size=PATCH,
            embed_dim=ENCODER["hidden_size"],
            depth=ENCODER["num_hidden_layers"],
            num_heads=ENCODER["num_attention_heads"],
            mlp_ratio=ENCODER["mlp_dim"] / ENCODER["hidden_size"],
            out_chans=256,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=WINDOW,
            global_attn_indexes=ENCODER["global_attn_indexes"],
        ),
        PromptEncoder(256, (SIDE // PATCH,) * 2, (SIDE, SIDE), 16),
        MaskDecoder(
            transformer_dim=256,
            transformer=TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=64),
        ),
    )
    tensors = random_tensors("sam_vit_b")
    state = {authors_name(k): torch.tensor(v) for k, v in tensors.items() if authors_name(k)}
    network.load_state_dict(state)
    return network.eval()


def asked(network: torch.nn.Module, prompts: dict, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return logits at the image's pixels and scores."""
    record = {"image": enlarged(), "original_size": SHAPE}
    if "points" in prompts:
        places = torch.tensor(prompts["points"], dtype=torch.float32)[None, :, [1, 0]]
        record["point_coords"] = places * scale
        record["point_labels"] = torch.tensor(prompts["labels"])[None]
    if "boxes" in prompts:
        y0, x0, y1, x1 = prompts["boxes"][0]
        record["boxes"] = torch.tensor([[x0, y0, x1, y1]], dtype=torch.float32) * scale
    alone = len(prompts.get("points", [])) == 1 and "boxes" not in prompts
    with torch.no_grad():
        (found,) = network([record], multimask_output=alone)
        logits = network.postprocess_masks(
            found["low_res_logits"], record["image"].shape[1:], SHAPE
        )
    return logits[0].numpy(), found["iou_predictions"][0].numpy()


def enlarged() -> torch.Tensor:
    """Return the image, as large as the network takes it."""
    scale = SIDE / max(SHAPE)
    sides = [int(n * scale + 0.5) for n in SHAPE]
    return torch.nn.functional.interpolate(
        torch.tensor(image())[None].float(), sides, mode="bilinear", antialias=True
    )[0]


def main(folder: str, target: str) -> None:
    """Write what the encoder makes of the image, and masks at some pixels."""
    network = authors_network(folder)
    random = np.random.default_rng(0)
    places = np.stack([random.integers(0, n, POINTS) for n in SHAPE], axis=1)
    kept = {"places": places}
    with torch.no_grad():
        inside = network.preprocess(enlarged())[None]
        kept["encoder"] = network.image_encoder(inside)[0, :, ::3, ::3].numpy()
    for name, prompts in PROMPTS.items():
        logits, scores = asked(network, prompts, SIDE / max(SHAPE))
        kept[f"{name}.logits"] = logits[:, places[:, 0], places[:, 1]]
        kept[f"{name}.scores"] = scores
        kept[f"{name}.pixels"] = (logits > 0).sum((1, 2))
    np.savez_compressed(Path(target), **kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
