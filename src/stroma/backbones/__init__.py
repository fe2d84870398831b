"""Pretrained encoders, shared by whatever builds on them."""

from stroma.registry import Registry

_DEEP = {
    "vgg16": "stroma.backbones.vgg:vgg16",
    "efficient_netb0": "stroma.backbones.efficientnet:efficientnet_b0",
    "convnext": "stroma.backbones.convnext:convnext_base",
    "dinov2_vits14_reg": "stroma.backbones.dino:dinov2_small",
    "dinov2_vits14": "stroma.backbones.dino:dinov2_plain",
    "dinov2_vitb14_reg": "stroma.backbones.dino:dinov2_base",
    "dinov3_vits16": "stroma.backbones.dino:dinov3_small",
    "dinov3_vits16plus": "stroma.backbones.dino:dinov3_small_plus",
    "dino_vits8": "stroma.backbones.dino:dino_small",
    "jafar_dinov2_vits14_reg": "stroma.backbones.upsamplers:jafar_384",
    "jafar_dinov3_vits16plus": "stroma.backbones.upsamplers:jafar_384",
    "anyup": "stroma.backbones.upsamplers:anyup",
    "featup_dinov2_vits14": "stroma.backbones.featup:featup",
    "naf": "stroma.backbones.upsamplers:naf",
    "cellpose_backbone": "stroma.backbones.cellpose:cellpose_encoder",
    "cellpose_sam": "stroma.backbones.cellpose_sam:cellpose_sam",
    "sam2_hiera_tiny": "stroma.backbones.sam2:sam2_hiera_tiny",
    "sam2_hiera_small": "stroma.backbones.sam2:sam2_hiera_small",
    "sam2_hiera_base_plus": "stroma.backbones.sam2:sam2_hiera_base_plus",
    "sam2_hiera_large": "stroma.backbones.sam2:sam2_hiera_large",
    "sam3": "stroma.backbones.sam3:sam3",
    "sam_hq_vit_b": "stroma.backbones.sam_hq:sam_hq_vit_b",
    "sam_hq_vit_l": "stroma.backbones.sam_hq:sam_hq_vit_l",
    "sam_hq_vit_h": "stroma.backbones.sam_hq:sam_hq_vit_h",
    "sam2_hiera_tiny_memory": "stroma.backbones.sam2:sam2_hiera_tiny_memory",
    "sam2_hiera_small_memory": "stroma.backbones.sam2:sam2_hiera_small_memory",
    "sam2_hiera_base_plus_memory": "stroma.backbones.sam2:sam2_hiera_base_plus_memory",
    "sam2_hiera_large_memory": "stroma.backbones.sam2:sam2_hiera_large_memory",
    "sam_vit_t": "stroma.backbones.sam:sam_vit_t",
    "sam_vit_t_lm": "stroma.backbones.sam:sam_vit_t",
    "sam_vit_t_em_organelles": "stroma.backbones.sam:sam_vit_t",
    "sam_vit_b": "stroma.backbones.sam:sam_vit_b",
    "sam_vit_l": "stroma.backbones.sam:sam_vit_l",
    "sam_vit_h": "stroma.backbones.sam:sam_vit_h",
    "sam_vit_b_lm": "stroma.backbones.sam:sam_vit_b",
    "sam_vit_l_lm": "stroma.backbones.sam:sam_vit_l",
    "sam_vit_b_em_organelles": "stroma.backbones.sam:sam_vit_b",
    "sam_vit_l_em_organelles": "stroma.backbones.sam:sam_vit_l",
}
"""Those that need the extra ``deep``."""

_PRETRAINED = {
    "efficientnet_lite0": "stroma.backbones.efficientnet_lite:efficientnet_lite0",
    "efficientnet_lite1": "stroma.backbones.efficientnet_lite:efficientnet_lite1",
    "efficientnet_lite2": "stroma.backbones.efficientnet_lite:efficientnet_lite2",
}
"""Those that need the extra ``pretrained``."""

BACKBONES = Registry(
    "backbone",
    {**_PRETRAINED, **_DEEP},
    extras={**dict.fromkeys(_DEEP, "deep"), **dict.fromkeys(_PRETRAINED, "pretrained")},
)
"""Functions ``build(channels) -> torch.nn.Module`` whose parameters lie on the meta device.

Their weights have the same name, unless they name others as ``weights``.
"""
