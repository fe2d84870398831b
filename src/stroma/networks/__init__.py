"""Networks that give one value per channel and pixel; one family a file."""

from stroma.registry import Registry

NETWORKS = Registry(
    "network",
    {
        "unet": "stroma.networks.unet:UNet",
        "nnunet": "stroma.networks.unet:nnunet",
        "resenc": "stroma.networks.unet:resenc",
        "segnet": "stroma.networks.segnet:SegNet",
        "ladder": "stroma.networks.ladder:Ladder",
        "lite": "stroma.networks.lite:Lite",
        "smooth": "stroma.networks.smooth:Smooth",
        "blind": "stroma.networks.blind:Blind",
        "vit": "stroma.networks.vit:ViT",
        "cellpose": "stroma.networks.cellpose:Cellpose",
        "cellpose_sam": "stroma.networks.cellpose_sam:CellposeSAM",
        "stardist": "stroma.networks.stardist:StarDist",
        "nnunet_residual": "stroma.networks.residual:ResidualUNet",
        "careamics": "stroma.networks.careamics:CAREamics",
        "spotiflow": "stroma.networks.spotiflow:Spotiflow",
        "sam": "stroma.networks.sam:PromptedSAM",
    },
    group="stroma.networks",
    extras=dict.fromkeys(
        (
            *("unet", "nnunet", "resenc", "segnet", "ladder", "lite", "smooth", "blind", "vit"),
            *(
                "cellpose",
                "cellpose_sam",
                "stardist",
                "nnunet_residual",
                "careamics",
                "spotiflow",
                "sam",
            ),
        ),
        "train",
    ),
)
"""Name -> what builds it; see :class:`stroma.networks.contract.Dense`."""
