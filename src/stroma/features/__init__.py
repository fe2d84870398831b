"""Feature extractors: what is computed for every pixel before it is classified."""

from stroma.registry import Registry

_DEEP = {
    "vgg16": "stroma.features.cnn:VGG16",
    "efficient_netb0": "stroma.features.cnn:EfficientNetB0",
    "convnext": "stroma.features.cnn:ConvNeXt",
    "dinov2_vits14_reg": "stroma.features.vit:DINOv2",
    "dinov2_vits14": "stroma.features.vit:PlainDINOv2",
    "dinov2_vitb14_reg": "stroma.features.vit:BaseDINOv2",
    "dinov3_vits16": "stroma.features.vit:SmallDINOv3",
    "dinov3_vits16plus": "stroma.features.vit:DINOv3",
    "dino_vits8": "stroma.features.vit:DINO",
    "cellpose_backbone": "stroma.features.cellpose:CellposeBackbone",
    "cellpose_sam": "stroma.features.cellpose_sam:CellposeSAM",
    "sam2_hiera_tiny": "stroma.features.sam2:Sam2Tiny",
    "sam2_hiera_small": "stroma.features.sam2:Sam2Small",
    "sam2_hiera_base_plus": "stroma.features.sam2:Sam2BasePlus",
    "sam2_hiera_large": "stroma.features.sam2:Sam2Large",
    "sam_vit_t": "stroma.features.sam:SamT",
    "sam_vit_t_lm": "stroma.features.sam:MicroSamT",
    "sam_vit_t_em_organelles": "stroma.features.sam:OrganellesT",
    "sam_vit_b": "stroma.features.sam:SamB",
    "sam_vit_l": "stroma.features.sam:SamL",
    "sam_vit_h": "stroma.features.sam:SamH",
    "sam_vit_b_lm": "stroma.features.sam:MicroSamB",
    "sam_vit_l_lm": "stroma.features.sam:MicroSamL",
    "sam_vit_b_em_organelles": "stroma.features.sam:OrganellesB",
    "sam_vit_l_em_organelles": "stroma.features.sam:OrganellesL",
}
"""Those that need the extra ``deep``."""

_PRETRAINED = {
    "efficientnet_lite0": "stroma.features.lite:EfficientNetLite0",
    "efficientnet_lite1": "stroma.features.lite:EfficientNetLite1",
    "efficientnet_lite2": "stroma.features.lite:EfficientNetLite2",
}
"""Those that need the extra ``pretrained``."""

EXTRACTORS = Registry(
    "feature extractor",
    {
        "gaussian_features": "stroma.features.gaussian:GaussianFeatures",
        "ilastik_2d": "stroma.features.filterbank:FilterBank",
        "gaussian_3d": "stroma.features.gaussian3d:VolumeGaussian",
        "ilastik_3d": "stroma.features.filterbank3d:VolumeFilterBank",
        "texture_3d": "stroma.features.texture3d:VolumeTexture",
        "weka_2d": "stroma.features.weka:Weka",
        "texture_2d": "stroma.features.texture:Texture",
        "color_2d": "stroma.features.texture:ColorGaussians",
        "strokenet": "stroma.features.learned:StrokeNet",
        **_PRETRAINED,
        **_DEEP,
    },
    group="stroma.extractors",
    extras={**dict.fromkeys(_DEEP, "deep"), **dict.fromkeys(_PRETRAINED, "pretrained")},
)
