"""Run the network of Cellpose-SAM on random weights, and keep some of what its encoder returns.

    python make_cellpose_sam.py SEGMENT_ANYTHING CELLPOSE cellpose_sam.npz

The folders hold ``segment_anything/modeling`` of segment-anything 1.0 and ``cellpose/vit.py`` of
Cellpose 4.2; Stroma's tests are on the path.
"""

from __future__ import annotations

import sys
import types
from functools import partial
from pathlib import Path

import numpy as np
import torch

from random_sam import authors_name
from random_weights import random_tensors

SIDE = 256


def authors_encoder(_: object) -> types.SimpleNamespace:
    """Return what Cellpose takes for ViT-L, in small."""
    from segment_anything.modeling import ImageEncoderViT

    encoder = ImageEncoderViT(
        img_size=1024,
        embed_dim=32,
        depth=2,
        num_heads=2,
        mlp_ratio=2,
        out_chans=256,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=14,
        global_attn_indexes=(1,),
    )
    return types.SimpleNamespace(image_encoder=encoder)


def main(segment_anything: str, cellpose: str, target: str) -> None:
    """Write the features of some patches of one tile."""
    for name, folder in (("segment_anything", segment_anything), ("cellpose", cellpose)):
        package = types.ModuleType(name)  # without what needs torchvision
        package.__path__ = [str(Path(folder) / name)]
        sys.modules[name] = package
    sys.modules["segment_anything"].sam_model_registry = {"vit_l": authors_encoder}
    from cellpose.vit import CPSAM

    network = CPSAM().eval()
    tensors = random_tensors("cellpose_sam")
    state = {
        authors_name(key).removeprefix("image_"): torch.tensor(value)
        for key, value in tensors.items()
    }
    missing = network.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    assert not any(key.startswith("encoder.") for key in missing.missing_keys)
    seen = []
    network.encoder.neck.register_forward_hook(lambda *given: seen.append(given[-1]))
    random = np.random.default_rng(0)
    with torch.no_grad():
        network(torch.tensor(random.standard_normal((1, 3, SIDE, SIDE), np.float32)))
        network(torch.tensor(random.standard_normal((1, 1, SIDE, SIDE), np.float32)))
    colours, grey = (found[0, :, 4:28:6, 4:28:6].numpy() for found in seen)
    np.savez_compressed(Path(target), colours=colours, grey=grey)


if __name__ == "__main__":
    main(*sys.argv[1:])
