"""How tensors are called in files, and how we call them.

Ours are the attribute names of ``transformers`` 5. Files on the hub use older names, official
checkpoints their own, and some of those hold several of our tensors in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Piece:
    """One of our tensors as part of a tensor in a file.

    Parameters
    ----------
    name : str
        Our name.
    part, parts : int
        It is the ``part``-th of ``parts`` equal ranges of rows.
    row : int or None
        Ours is made of several tensors of the file, one below the other; which of them this is.
    """

    name: str
    part: int = 0
    parts: int = 1
    row: int | None = None

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the piece, given the whole tensor of the file."""
        return np.split(values, self.parts)[self.part] if self.parts > 1 else values


@dataclass(frozen=True)
class Keymap:
    """Rules that turn a name in a file into ours.

    Parameters
    ----------
    renames : tuple of (str, str)
        Regular expressions and their replacements, applied in turn.
    splits : tuple of (str, tuple of str)
        A fragment of the renamed name, and the fragments it stands for, in the order of rows.
    dropped : str
        Regular expression of names (ours) that no network uses.
    shared : tuple of str
        Names (ours) under which networks have one and the same tensor, which a file may hold
        under any of them.
    joins : tuple of (str, str)
        Regular expressions, with a number as the group, of names in a file, and ours for all of
        them.
    variant : (str, Keymap), optional
        Other rules, for files in which a name begins with what the regular expression says.
    """

    renames: tuple[tuple[str, str], ...] = ()
    splits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    dropped: str = "$^"
    shared: tuple[str, ...] = ()
    joins: tuple[tuple[str, str], ...] = ()
    variant: tuple[str, Keymap] | None = None

    def of(self, keys: Iterable[str]) -> Keymap:
        """Return the rules for a file in which tensors have these names."""
        if self.variant and any(re.match(self.variant[0], key) for key in keys):
            return self.variant[1]
        return self

    def pieces(self, key: str) -> tuple[Piece, ...]:
        """Return our tensors that the tensor of that name in a file holds."""
        for pattern, replacement in self.renames:
            key = re.sub(pattern, replacement, key)
        for pattern, ours in self.joins:
            if known := re.fullmatch(pattern, key):
                return (Piece(ours, row=int(known[1])),)
        if key in self.shared:
            return tuple(Piece(name) for name in self.shared)
        found = self._split(key)
        return tuple(p for p in found if not re.search(self.dropped, p.name))

    def _split(self, key: str) -> tuple[Piece, ...]:
        for fragment, others in self.splits:
            if fragment in key:
                names = [key.replace(fragment, other) for other in others]
                return tuple(Piece(name, i, len(names)) for i, name in enumerate(names))
        return (Piece(key),)


_BLOCKS = (
    (r"^blocks\.\d+\.(?=\d+\.)", "blocks."),  # checkpoints of training in chunks: blocks.0.i
    (r"^(cls_token|mask_token|register_tokens)$", r"embeddings.\1"),
    (r"^storage_tokens$", "embeddings.register_tokens"),
    (r"\.attn\.proj\.", ".attention.o_proj."),
    (r"\.ls([12])\.gamma$", r".layer_scale\1.lambda1"),
)
_QKV = (
    ".attn.qkv.",
    (".attention.q_proj.", ".attention.k_proj.", ".attention.v_proj."),
)
_PLACES = (
    "shared_image_embedding.positional_embedding",
    "prompt_encoder.shared_embedding.positional_embedding",
)
_HEADS = r"\.(iou_prediction_head|pred_obj_score_head|output_hypernetworks_mlps\.\d+)"
_SAM_DECODER = (
    (r"\.norm([1-4])\.", r".layer_norm\1."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
    (r"\.pe_layer\.positional_encoding_gaussian_matrix$", f".{_PLACES[1].partition('.')[2]}"),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (rf"{_HEADS}\.layers\.2\.", r".\1.proj_out."),
    (rf"{_HEADS}\.layers\.0\.", r".\1.proj_in."),
    (rf"{_HEADS}\.layers\.1\.", r".\1.layers.0."),
)
_SAM_OF_AUTHORS = Keymap(
    renames=(
        (r"^(module|sam)\.", ""),
        (r"^(image_)?encoder\.", "vision_encoder."),
        (r"^vision_encoder\.blocks\.", "vision_encoder.layers."),
        (r"\.neck\.0\.", ".neck.conv1."),
        (r"\.neck\.1\.", ".neck.layer_norm1."),
        (r"\.neck\.2\.", ".neck.conv2."),
        (r"\.neck\.3\.", ".neck.layer_norm2."),
        (r"\.point_embeddings\.", ".point_embed."),
        *_SAM_DECODER,
    ),
    shared=_PLACES,
)
"""As the authors of Segment Anything, and those who train it further, call the tensors."""

_SAM_HQ_OF_AUTHORS = Keymap(
    renames=(
        (r"\.hf_token\.", ".hq_token."),
        (r"\.hf_mlp\.layers\.0\.", ".hq_mask_mlp.proj_in."),
        (r"\.hf_mlp\.layers\.1\.", ".hq_mask_mlp.layers.0."),
        (r"\.hf_mlp\.layers\.2\.", ".hq_mask_mlp.proj_out."),
        *(
            (rf"\.{theirs}\.{number}\.", f".{ours}_{part}.")
            for theirs, ours in (
                ("compress_vit_feat", "compress_vit"),
                ("embedding_encoder", "encoder"),
                ("embedding_maskfeature", "mask"),
            )
            for number, part in ((0, "conv1"), (1, "norm"), (3, "conv2"))
        ),
        *_SAM_OF_AUTHORS.renames,
    ),
    shared=_PLACES,
)
"""As the authors of SAM-HQ call the tensors."""

_SAM2_MEMORY = (
    (r"^(memory_encoder)\.mask_downsampler\.encoder\.12\.", r"\1.mask_downsampler.final_conv."),
    *(
        (rf"^(memory_encoder\.mask_downsampler)\.encoder\.{3 * i + j}\.", rf"\1.layers.{i}.{part}.")
        for i in range(4)
        for j, part in enumerate(("conv", "layer_norm"))
    ),
    (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
    (r"^memory_encoder\.out_proj\.", "memory_encoder.projection."),
    (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
    (r"(memory_fuser\.layers\.\d+)\.dwconv\.", r"\1.depthwise_conv."),
    (r"(memory_fuser\.layers\.\d+)\.pwconv([12])\.", r"\1.pointwise_conv\2."),
    (r"(memory_fuser\.layers\.\d+)\.norm\.", r"\1.layer_norm."),
    (r"(memory_fuser\.layers\.\d+)\.gamma$", r"\1.scale"),
    (r"^memory_attention\.norm\.", "memory_attention.layer_norm."),
    (r"^obj_ptr_proj\.layers\.2\.", "object_pointer_proj.proj_out."),
    (r"^obj_ptr_proj\.layers\.0\.", "object_pointer_proj.proj_in."),
    (r"^obj_ptr_proj\.layers\.1\.", "object_pointer_proj.layers.0."),
    (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
    (r"^no_obj_embed_spatial$", "occlusion_spatial_embedding_parameter"),
    (r"^no_obj_ptr$", "no_object_pointer"),
    (r"^no_mem_pos_enc$", "no_memory_positional_encoding"),
    (r"^maskmem_tpos_enc$", "memory_temporal_positional_encoding"),
)
_SAM2_OF_AUTHORS = Keymap(
    renames=(
        *_SAM2_MEMORY,
        (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
        (r"^image_encoder\.neck\.convs\.(\d)\.conv\.", r"vision_encoder.neck.convs.\1."),
        (r"^sam_(prompt_encoder|mask_decoder)\.", r"\1."),
        (r"^no_mem_embed$", "no_memory_embedding"),
        (r"\.mlp\.layers\.0\.", ".mlp.proj_in."),
        (r"\.mlp\.layers\.1\.", ".mlp.proj_out."),
        (r"\.out_proj\.", ".o_proj."),
        *_SAM_DECODER,
    ),
    joins=(
        (r"prompt_encoder\.point_embeddings\.(\d)\.weight", "prompt_encoder.point_embed.weight"),
    ),
    shared=_PLACES,
)
"""As the authors of SAM 2 call the tensors."""

_GATED = (".mlp.weights_in.", (".mlp.gate_proj.", ".mlp.up_proj."))

KEYMAPS = {
    "vgg16": Keymap(),
    "cellpose_sam": Keymap(variant=(r"(module\.)?encoder\.", _SAM_OF_AUTHORS)),
    "sam2": Keymap(shared=_PLACES, variant=(r"sam_mask_decoder\.", _SAM2_OF_AUTHORS)),
    "sam3": Keymap(
        renames=(
            (r"^detector_model\.vision_encoder\.backbone\.", "vision_encoder.backbone."),
            (r"^tracker_neck\.", "vision_encoder.neck."),
            (r"^tracker_model\.", ""),
        ),
        shared=_PLACES,
    ),
    "sam_hq": Keymap(shared=_PLACES, variant=(r"image_encoder\.", _SAM_HQ_OF_AUTHORS)),
    "sam": Keymap(shared=_PLACES, variant=(r"(module\.|sam\.)?image_encoder\.", _SAM_OF_AUTHORS)),
    "jafar": Keymap(),
    "naf": Keymap(),
    "featup": Keymap(
        renames=((r"^upsampler\.", ""), (r"^model\.1\.norm\.", "norm.")),
        dropped=r"^model\.|scale_net|downsampler",
    ),
    "anyup": Keymap(
        renames=(
            (r"\.block\.0\.", ".norm1."),
            (r"\.block\.2\.", ".conv1."),
            (r"\.block\.3\.", ".norm2."),
            (r"\.block\.5\.", ".conv2."),
        ),
        splits=((".in_proj_weight", (".q_proj_weight", ".k_proj_weight", ".v_proj_weight")),),
        dropped=r"\.(v_proj_weight|out_proj\.\w+)$",
    ),
    "cellpose": Keymap(
        renames=((r"^(module\.)?downsample\.down\.res_down_(\d)\.", r"down\2."),),
        dropped=r"^(module\.)?(upsample|output|diam_)",
    ),
    "dino": Keymap(
        renames=(
            *_BLOCKS,
            (r"^vit\.", ""),
            (r"^(blocks|encoder\.layer)\.", "layers."),
            (r"^pos_embed$", "embeddings.position_embeddings"),
            (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
            (r"^norm\.", "layernorm."),
            (r"\.norm1\.", ".layernorm_before."),
            (r"\.norm2\.", ".layernorm_after."),
            (r"\.(intermediate\.dense|mlp\.fc1)\.", ".mlp.fc1."),
            (r"^(layers\.\d+)\.(output\.dense|mlp\.fc2)\.", r"\1.mlp.fc2."),
            (r"\.attention\.attention\.query\.", ".attention.q_proj."),
            (r"\.attention\.attention\.key\.", ".attention.k_proj."),
            (r"\.attention\.attention\.value\.", ".attention.v_proj."),
            (r"\.attention\.output\.dense\.", ".attention.o_proj."),
        ),
        splits=(_QKV,),
        dropped=r"^(pooler|head)\.",
    ),
    "efficientnet": Keymap(renames=((r"^efficientnet\.", ""),)),
    "efficientnet_lite": Keymap(
        renames=(
            (r"^_conv_stem\.", "stem.conv."),
            (r"^_bn0\.", "stem.norm."),
            (r"^_blocks\.(\d+)\.", r"block\1.units."),
            (r"\._(expand|depthwise|project)_conv\.", r".\1.conv."),
            (r"\.units\._bn0\.", ".units.expand.norm."),
            (r"\.units\._bn1\.", ".units.depthwise.norm."),
            (r"\.units\._bn2\.", ".units.project.norm."),
        ),
        dropped=r"^_(conv_head|bn1|fc)\.",
    ),
    "convnext": Keymap(renames=((r"^convnext\.", ""),)),
    "dinov2": Keymap(
        renames=(
            *_BLOCKS,
            (r"^dinov2_with_registers\.", ""),
            (r"^blocks\.", "encoder.layer."),
            (r"^pos_embed$", "embeddings.position_embeddings"),
            (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
            (r"^norm\.", "layernorm."),
            (r"\.mlp\.w12\.", ".mlp.weights_in."),
            (r"\.mlp\.(w3|weights_out)\.", ".mlp.down_proj."),
            (r"\.attention\.attention\.query\.", ".attention.q_proj."),
            (r"\.attention\.attention\.key\.", ".attention.k_proj."),
            (r"\.attention\.attention\.value\.", ".attention.v_proj."),
            (r"\.attention\.output\.dense\.", ".attention.o_proj."),
        ),
        splits=(_QKV, _GATED),
    ),
    "dinov3": Keymap(
        renames=(
            *_BLOCKS,
            (r"^(blocks|layer)\.", "model.layer."),
            (r"^patch_embed\.proj\.", "embeddings.patch_embeddings."),
            (r"\.mlp\.w1\.", ".mlp.gate_proj."),
            (r"\.mlp\.(w2|fc1)\.", ".mlp.up_proj."),
            (r"\.mlp\.(w3|fc2)\.", ".mlp.down_proj."),
        ),
        splits=(_QKV,),
        # Keys have no bias in DINOv3: the official file holds one that a mask multiplies by zero.
        dropped=r"\.k_proj\.bias$|^rope_embed\.|\.bias_mask$",
    ),
}
"""Keymaps by the name the catalogue uses."""


def wanted_keys(
    keymap: Keymap, keys: list[str], wanted: Callable[[str], bool]
) -> dict[str, list[Piece]]:
    """Return the keys of a file that hold tensors we want, with those tensors."""
    rules = keymap.of(keys)
    found = {key: [p for p in rules.pieces(key) if wanted(p.name)] for key in keys}
    return {key: pieces for key, pieces in found.items() if pieces}
