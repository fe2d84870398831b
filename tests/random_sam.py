"""Segment Anything in a size that runs in a blink, and its tensors as its authors name them."""

import re

import torch
from transformers import SamConfig, SamModel

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


TO_AUTHORS = (
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
    (r"\.point_embed\.", ".point_embeddings."),
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
