"""Run the authors' code of SAM 2 on random weights, and keep some of what it returns.

    python make_sam2.py FOLDER sam2.npz

The folder holds ``sam2/modeling`` of the package sam2 1.1.0; Stroma's tests are on the path.
"""

from __future__ import annotations

import sys
import types
from functools import partial
from pathlib import Path

import numpy as np
import torch
from make_sam import POINTS, PROMPTS, SHAPE, enlarged

from random_sam import PATCH, SAM2, SIDE, as_authors_of_sam2
from random_weights import random_tensors

MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class Network(torch.nn.Module):
    """The parts of SAM 2 that answer prompts on one image."""

    def __init__(self) -> None:
        from sam2.modeling.backbones.hieradet import Hiera
        from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
        from sam2.modeling.position_encoding import PositionEmbeddingSine
        from sam2.modeling.sam.mask_decoder import MaskDecoder
        from sam2.modeling.sam.prompt_encoder import PromptEncoder
        from sam2.modeling.sam.transformer import TwoWayTransformer

        super().__init__()
        said = SAM2["vision_config"]["backbone_config"]
        trunk = Hiera(
            embed_dim=said["hidden_size"],
            num_heads=1,
            stages=said["blocks_per_stage"],
            global_att_blocks=said["global_attention_blocks"],
            window_spec=said["window_size_per_stage"],
            window_pos_embed_bkg_spatial_size=said["window_positional_embedding_background_size"],
        )
        neck = FpnNeck(
            PositionEmbeddingSine(256, normalize=True),
            d_model=256,
            backbone_channel_list=SAM2["vision_config"]["backbone_channel_list"],
            fpn_top_down_levels=[2, 3],
            fpn_interp_model="nearest",
        )
        self.image_encoder = ImageEncoder(trunk, neck, scalp=1)
        self.sam_prompt_encoder = PromptEncoder(256, (SIDE // PATCH,) * 2, (SIDE, SIDE), 16)
        self.sam_mask_decoder = MaskDecoder(
            transformer_dim=256,
            transformer=TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=64),
            use_high_res_features=True,
            iou_prediction_use_sigmoid=True,
            pred_obj_scores=True,
            pred_obj_scores_mlp=True,
            dynamic_multimask_via_stability=True,
        )
        self.no_mem_embed = torch.nn.Parameter(torch.zeros(1, 1, 256))

    def maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the encoder's maps as the decoder is given them, the finest first."""
        fine, middle, coarse = self.image_encoder(images)["backbone_fpn"]
        fine, middle = self.sam_mask_decoder.conv_s0(fine), self.sam_mask_decoder.conv_s1(middle)
        return [fine, middle, coarse + self.no_mem_embed.reshape(1, -1, 1, 1)]


def asked(network: Network, maps: list, prompts: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return logits at the image's pixels and scores."""
    scale = SIDE / max(SHAPE)
    places, labels = [], []
    if "boxes" in prompts:
        y0, x0, y1, x1 = prompts["boxes"][0]
        places, labels = [[x0, y0], [x1, y1]], [2, 3]
    places += [[x, y] for y, x in prompts.get("points", [])]
    labels += prompts.get("labels", [])
    alone = labels == [1]
    points = torch.tensor(places, dtype=torch.float32)[None] * scale, torch.tensor(labels)[None]
    sparse, dense = network.sam_prompt_encoder(points=points, boxes=None, masks=None)
    logits, scores, _, _ = network.sam_mask_decoder(
        image_embeddings=maps[-1],
        image_pe=network.sam_prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=alone,
        repeat_image=False,
        high_res_features=maps[:-1],
    )
    rows, columns = enlarged().shape[1:]
    resize = partial(torch.nn.functional.interpolate, mode="bilinear", align_corners=False)
    fine = resize(logits, (SIDE, SIDE))[..., :rows, :columns]
    return resize(fine, SHAPE)[0].numpy(), scores[0].numpy()


def main(folder: str, target: str) -> None:
    """Write what the encoder makes of the image, and masks at some pixels."""
    package = types.ModuleType("sam2")  # without what needs hydra
    package.__path__ = [str(Path(folder) / "sam2")]
    files = types.ModuleType("iopath.common.file_io")
    files.g_pathmgr = None
    sys.modules |= {"sam2": package, "iopath": files, "iopath.common": files}
    sys.modules["iopath.common.file_io"] = files
    network = Network().eval()
    tensors = as_authors_of_sam2(random_tensors("sam2_hiera_tiny"))
    network.load_state_dict({key: torch.tensor(value) for key, value in tensors.items()})
    mean, deviation = (torch.tensor(v)[:, None, None] for v in (MEAN, DEVIATION))
    inside = (enlarged() - mean) / deviation
    below, right = (SIDE - n for n in inside.shape[1:])
    random = np.random.default_rng(0)
    places = np.stack([random.integers(0, n, POINTS) for n in SHAPE], axis=1)
    kept = {"places": places}
    with torch.no_grad():
        maps = network.maps(torch.nn.functional.pad(inside, (0, right, 0, below))[None])
        kept["encoder"] = maps[-1][0, :, ::3, ::3].numpy()
        for name, prompts in PROMPTS.items():
            logits, scores = asked(network, maps, prompts)
            kept[f"{name}.logits"] = logits[:, places[:, 0], places[:, 1]]
            kept[f"{name}.scores"] = scores
            kept[f"{name}.pixels"] = (logits > 0).sum((1, 2))
    np.savez_compressed(Path(target), **kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
