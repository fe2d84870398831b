"""Segment Anything in a size that runs in a blink, and its tensors as its authors name them."""

import re
from copy import deepcopy

import torch
from transformers import (
    Sam2Config,
    Sam2Model,
    Sam3TrackerConfig,
    Sam3TrackerModel,
    SamConfig,
    SamHQConfig,
    SamHQModel,
    SamModel,
)

from stroma.backbones.cellpose_sam import NARROW, WIDE, Encoder, Size
from stroma.backbones.sam2 import sam2_hiera_tiny_memory

SIDE = 128
PATCH = 16
WINDOW = 3
FEATURES = 256

ENCODER = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": PATCH,
    "window_size": WINDOW,
    "global_attn_indexes": [1],
    "mlp_dim": 64,
}


def tiny_sam() -> torch.nn.Module:
    """Return the network of ``transformers``, on the meta device."""
    with torch.device("meta"):
        return SamModel(
            SamConfig(
                vision_config=ENCODER,
                prompt_encoder_config={"image_size": SIDE, "patch_size": PATCH},
                mask_decoder_config={"mlp_dim": 64},
            )
        )


def tiny_sam_hq() -> torch.nn.Module:
    """Return SAM-HQ in the same size, on the meta device."""
    with torch.device("meta"):
        return SamHQModel(
            SamHQConfig(
                vision_config=ENCODER,
                prompt_encoder_config={"image_size": SIDE, "patch_size": PATCH},
                mask_decoder_config={"mlp_dim": 64, "vit_dim": ENCODER["hidden_size"]},
            )
        )


SAM2 = {
    "vision_config": {
        "model_type": "sam2_vision_model",
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 16,
            "image_size": [SIDE, SIDE],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [16, 32, 64, 128],
            "num_attention_heads_per_stage": [1, 2, 4, 8],
            "window_size_per_stage": [8, 4, 4, 2],
            "global_attention_blocks": [3],
            "window_positional_embedding_background_size": [3, 3],
        },
        "backbone_channel_list": [128, 64, 32, 16],
        "backbone_feature_sizes": [[SIDE // n, SIDE // n] for n in (4, 8, 16)],
    },
    "prompt_encoder_config": {"image_size": SIDE, "patch_size": PATCH},
    "mask_decoder_config": {"mlp_dim": 64},
}
"""As ``config.json`` describes it."""


def tiny_sam2() -> torch.nn.Module:
    """Return the network of ``transformers``, on the meta device."""
    with torch.device("meta"):
        return Sam2Model(Sam2Config(**deepcopy(SAM2)))


SAM3 = {
    "vision_config": {
        "model_type": "sam3_vision_model",
        "backbone_config": {
            "model_type": "sam3_vit_model",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 112,
            "patch_size": 14,
            "window_size": 4,
            "global_attn_indexes": [1],
            "pretrain_image_size": 56,
        },
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    },
    "prompt_encoder_config": {"image_size": 112, "patch_size": 14},
    "mask_decoder_config": {"mlp_dim": 64},
}
"""As ``config.json`` describes the part of SAM 3 that answers prompts."""


def tiny_sam3() -> torch.nn.Module:
    """Return the network of ``transformers``, on the meta device."""
    with torch.device("meta"):
        return Sam3TrackerModel(Sam3TrackerConfig(**deepcopy(SAM3)))


SAM2_MEMORY = {
    **SAM2,
    "image_size": SIDE,
    "memory_attention_rope_feat_sizes": [SIDE // PATCH] * 2,
    "memory_attention_num_layers": 2,
    "memory_attention_feed_forward_hidden_size": 64,
    "memory_fuser_intermediate_dim": 64,
}
"""With the memory of frames."""


def tiny_sam2_memory() -> torch.nn.Module:
    """Return the network of ``transformers`` for movies, on the meta device."""
    return sam2_hiera_tiny_memory.made(deepcopy(SAM2_MEMORY))


def tiny_cellpose_sam() -> torch.nn.Module:
    """Return the encoder of Cellpose-SAM in the size of `ENCODER`, on the meta device."""
    with torch.device("meta"):
        return Encoder(Size(32, 2, 2, 64, (NARROW, WIDE)))


TO_AUTHORS = (
    (r"\.hq_token", ".hf_token"),
    (r"\.hq_mask_mlp\.layers\.0", ".hf_mlp.layers.1"),
    (r"\.hq_mask_mlp\.proj_in", ".hf_mlp.layers.0"),
    (r"\.hq_mask_mlp\.proj_out", ".hf_mlp.layers.2"),
    *(
        (rf"decoder\.{ours}_{part}", f"decoder.{theirs}.{number}")
        for ours, theirs in (
            ("compress_vit", "compress_vit_feat"),
            ("encoder", "embedding_encoder"),
            ("mask", "embedding_maskfeature"),
        )
        for part, number in (("conv1", 0), ("norm", 1), ("conv2", 3))
    ),
    (r"^vision_encoder\.layers", "image_encoder.blocks"),
    (r"^vision_encoder", "image_encoder"),
    (r"patch_embed\.projection", "patch_embed.proj"),
    (r"neck\.conv1", "neck.0"),
    (r"neck\.layer_norm1", "neck.1"),
    (r"neck\.conv2", "neck.2"),
    (r"neck\.layer_norm2", "neck.3"),
    (r"mask_embed\.conv1", "mask_downscaling.0"),
    (r"mask_embed\.layer_norm1", "mask_downscaling.1"),
    (r"mask_embed\.conv2", "mask_downscaling.3"),
    (r"mask_embed\.layer_norm2", "mask_downscaling.4"),
    (r"mask_embed\.conv3", "mask_downscaling.6"),
    (r"layer_norm", "norm"),
    (r"upscale_conv1", "output_upscaling.0"),
    (r"upscale_norm", "output_upscaling.1"),
    (r"upscale_conv2", "output_upscaling.3"),
    (r"\.point_embed\.(?=\d)", ".point_embeddings."),
    (r"shared_embedding\.positional_embedding", "pe_layer.positional_encoding_gaussian_matrix"),
    (r"(prediction_head|mlps\.\d)\.layers\.0", r"\1.layers.1"),
    (r"(prediction_head|mlps\.\d)\.proj_in", r"\1.layers.0"),
    (r"(prediction_head|mlps\.\d)\.proj_out", r"\1.layers.2"),
)


def authors_name(key: str) -> str:
    """Return what the authors call a tensor of ``transformers``; "" where they have it once."""
    if key.startswith("shared_image_embedding"):
        return ""
    for pattern, replacement in TO_AUTHORS:
        key = re.sub(pattern, replacement, key)
    return key


MEMORY_TO_AUTHORS = (
    (r"mask_downsampler\.final_conv", "mask_downsampler.encoder.12"),
    *(
        (rf"mask_downsampler\.layers\.{i}\.conv", f"mask_downsampler.encoder.{3 * i}")
        for i in range(4)
    ),
    *(
        (rf"mask_downsampler\.layers\.{i}\.layer_norm", f"mask_downsampler.encoder.{3 * i + 1}")
        for i in range(4)
    ),
    ("feature_projection", "pix_feat_proj"),
    (r"memory_encoder\.projection", "memory_encoder.out_proj"),
    ("memory_fuser", "fuser"),
    ("depthwise_conv", "dwconv"),
    ("pointwise_conv", "pwconv"),
    (r"(fuser\.layers\.\d)\.scale", r"\1.gamma"),
    (r"pointer_proj\.layers\.0", "pointer_proj.layers.1"),
    (r"pointer_proj\.proj_in", "pointer_proj.layers.0"),
    (r"pointer_proj\.proj_out", "pointer_proj.layers.2"),
    ("no_object_pointer", "no_obj_ptr"),
    ("object_pointer_proj", "obj_ptr_proj"),
    ("temporal_positional_encoding_projection_layer", "obj_ptr_tpos_proj"),
    ("occlusion_spatial_embedding_parameter", "no_obj_embed_spatial"),
    ("no_memory_positional_encoding", "no_mem_pos_enc"),
    ("memory_temporal_positional_encoding", "maskmem_tpos_enc"),
)

TO_AUTHORS_OF_SAM2 = (
    *MEMORY_TO_AUTHORS,
    (r"^vision_encoder\.backbone", "image_encoder.trunk"),
    (r"^vision_encoder\.neck\.convs\.(\d)", r"image_encoder.neck.convs.\1.conv"),
    (r"^(prompt_encoder|mask_decoder)", r"sam_\1"),
    (r"no_memory_embedding", "no_mem_embed"),
    (r"mlp\.proj_in", "mlp.layers.0"),
    (r"mlp\.proj_out", "mlp.layers.1"),
    (r"o_proj", "out_proj"),
    (r"score_head\.layers\.0", "score_head.layers.1"),
    (r"score_head\.proj_in", "score_head.layers.0"),
    (r"score_head\.proj_out", "score_head.layers.2"),
    *TO_AUTHORS,
)


def as_authors_of_sam2(tensors: dict) -> dict:
    """Return the tensors of ``transformers`` as the authors of SAM 2 name them."""
    found = {}
    for key, values in tensors.items():
        if key.startswith("shared_image_embedding"):
            continue
        for pattern, replacement in TO_AUTHORS_OF_SAM2:
            key = re.sub(pattern, replacement, key)
        if key.endswith(".point_embed.weight"):
            start = key.removesuffix(".point_embed.weight")
            found |= {f"{start}.point_embeddings.{i}.weight": v[None] for i, v in enumerate(values)}
        else:
            found[key] = values
    return found
