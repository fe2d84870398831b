"""Pretrained encoders, shared by whatever builds on them."""

from stroma.registry import Registry

BACKBONES = Registry(
    "backbone",
    {
        "vgg16": "stroma.backbones.vgg:vgg16",
        "efficient_netb0": "stroma.backbones.efficientnet:efficientnet_b0",
        "efficientnet_lite0": "stroma.backbones.efficientnet_lite:efficientnet_lite0",
        "efficientnet_lite1": "stroma.backbones.efficientnet_lite:efficientnet_lite1",
        "efficientnet_lite2": "stroma.backbones.efficientnet_lite:efficientnet_lite2",
        "convnext": "stroma.backbones.convnext:convnext_base",
        "dinov2_vits14_reg": "stroma.backbones.dino:dinov2_small",
        "dinov3_vits16plus": "stroma.backbones.dino:dinov3_small_plus",
        "dino_vits8": "stroma.backbones.dino:dino_small",
        "jafar_dinov2_vits14_reg": "stroma.backbones.upsamplers:jafar_384",
        "jafar_dinov3_vits16plus": "stroma.backbones.upsamplers:jafar_384",
        "anyup": "stroma.backbones.upsamplers:anyup",
        "naf": "stroma.backbones.upsamplers:naf",
        "cellpose_backbone": "stroma.backbones.cellpose:cellpose_encoder",
        "cellpose_sam": "stroma.backbones.cellpose_sam:cellpose_sam",
        "sam2_hiera_tiny": "stroma.backbones.sam2:sam2_hiera_tiny",
        "sam2_hiera_small": "stroma.backbones.sam2:sam2_hiera_small",
        "sam2_hiera_base_plus": "stroma.backbones.sam2:sam2_hiera_base_plus",
        "sam2_hiera_large": "stroma.backbones.sam2:sam2_hiera_large",
        "sam_vit_b": "stroma.backbones.sam:sam_vit_b",
        "sam_vit_l": "stroma.backbones.sam:sam_vit_l",
        "sam_vit_h": "stroma.backbones.sam:sam_vit_h",
        "sam_vit_b_lm": "stroma.backbones.sam:sam_vit_b",
        "sam_vit_l_lm": "stroma.backbones.sam:sam_vit_l",
        "sam_vit_b_em_organelles": "stroma.backbones.sam:sam_vit_b",
        "sam_vit_l_em_organelles": "stroma.backbones.sam:sam_vit_l",
    },
    extras={
        **dict.fromkeys(
            (
                "vgg16",
                "efficient_netb0",
                "convnext",
                "dinov2_vits14_reg",
                "dinov3_vits16plus",
                "dino_vits8",
                "jafar_dinov2_vits14_reg",
                "jafar_dinov3_vits16plus",
                "anyup",
                "naf",
                "cellpose_backbone",
                "cellpose_sam",
                "sam2_hiera_tiny",
                "sam2_hiera_small",
                "sam2_hiera_base_plus",
                "sam2_hiera_large",
                "sam_vit_b",
                "sam_vit_l",
                "sam_vit_h",
                "sam_vit_b_lm",
                "sam_vit_l_lm",
                "sam_vit_b_em_organelles",
                "sam_vit_l_em_organelles",
            ),
            "deep",
        ),
        **dict.fromkeys(
            ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"), "pretrained"
        ),
    },
)
"""Functions ``build(channels) -> torch.nn.Module`` whose parameters lie on the meta device."""
