"""Feature extractors: what is computed for every pixel before it is classified."""

from stroma.registry import Registry

_DEEP = {
    "vgg16": "stroma.features.networks.cnn:VGG16",
    "efficient_netb0": "stroma.features.networks.cnn:EfficientNetB0",
    "convnext": "stroma.features.networks.cnn:ConvNeXt",
    "dinov2_vits14_reg": "stroma.features.networks.vit:DINOv2",
    "dinov2_vits14": "stroma.features.networks.vit:PlainDINOv2",
    "dinov2_vitb14_reg": "stroma.features.networks.vit:BaseDINOv2",
    "dinov3_vits16": "stroma.features.networks.vit:SmallDINOv3",
    "dinov3_vits16plus": "stroma.features.networks.vit:DINOv3",
    "dino_vits8": "stroma.features.networks.vit:DINO",
    "cellpose_backbone": "stroma.features.networks.cellpose:CellposeBackbone",
    "cellpose_sam": "stroma.features.networks.cellpose_sam:CellposeSAM",
    "sam2_hiera_tiny": "stroma.features.networks.sam2:Sam2Tiny",
    "sam2_hiera_small": "stroma.features.networks.sam2:Sam2Small",
    "sam2_hiera_base_plus": "stroma.features.networks.sam2:Sam2BasePlus",
    "sam2_hiera_large": "stroma.features.networks.sam2:Sam2Large",
    "sam_vit_t": "stroma.features.networks.sam:SamT",
    "sam_vit_t_lm": "stroma.features.networks.sam:MicroSamT",
    "sam_vit_t_em_organelles": "stroma.features.networks.sam:OrganellesT",
    "sam_vit_b": "stroma.features.networks.sam:SamB",
    "sam_vit_l": "stroma.features.networks.sam:SamL",
    "sam_vit_h": "stroma.features.networks.sam:SamH",
    "sam_vit_b_lm": "stroma.features.networks.sam:MicroSamB",
    "sam_vit_l_lm": "stroma.features.networks.sam:MicroSamL",
    "sam_vit_b_em_organelles": "stroma.features.networks.sam:OrganellesB",
    "sam_vit_l_em_organelles": "stroma.features.networks.sam:OrganellesL",
}
"""Those that need the extra ``deep``."""

_PRETRAINED = {
    "efficientnet_lite0": "stroma.features.networks.lite:EfficientNetLite0",
    "efficientnet_lite1": "stroma.features.networks.lite:EfficientNetLite1",
    "efficientnet_lite2": "stroma.features.networks.lite:EfficientNetLite2",
}
"""Those that need the extra ``pretrained``."""

EXTRACTORS = Registry(
    "feature extractor",
    {
        "gaussian_features": "stroma.features.filtering.gaussian:GaussianFeatures",
        "ilastik_2d": "stroma.features.filtering.filterbank:FilterBank",
        "gaussian_3d": "stroma.features.filtering.gaussian3d:VolumeGaussian",
        "ilastik_3d": "stroma.features.filtering.filterbank3d:VolumeFilterBank",
        "texture_3d": "stroma.features.filtering.texture3d:VolumeTexture",
        "weka_2d": "stroma.features.filtering.weka:Weka",
        "texture_2d": "stroma.features.filtering.texture:Texture",
        "color_2d": "stroma.features.filtering.texture:ColorGaussians",
        "strokenet": "stroma.features.strokenet.learned:StrokeNet",
        **_PRETRAINED,
        **_DEEP,
    },
    group="stroma.extractors",
    extras={**dict.fromkeys(_DEEP, "deep"), **dict.fromkeys(_PRETRAINED, "pretrained")},
)
