"""Pretrained encoders, shared by whatever builds on them."""

from stroma.registry import Registry

BACKBONES = Registry(
    "backbone",
    {
        "vgg16": "stroma.backbones.vgg:vgg16",
        "efficient_netb0": "stroma.backbones.efficientnet:efficientnet_b0",
        "convnext": "stroma.backbones.convnext:convnext_base",
        "dinov2_vits14_reg": "stroma.backbones.dino:dinov2_small",
        "dinov3_vits16plus": "stroma.backbones.dino:dinov3_small_plus",
    },
    extras=dict.fromkeys(
        ("vgg16", "efficient_netb0", "convnext", "dinov2_vits14_reg", "dinov3_vits16plus"), "deep"
    ),
)
"""Functions ``build(channels) -> torch.nn.Module`` whose parameters lie on the meta device."""
