"""Networks that give one value per channel and pixel; one family a file."""

from stroma.registry import Registry

NETWORKS = Registry(
    "network",
    {
        "unet": "stroma.networks.unet:UNet",
        "nnunet": "stroma.networks.unet:nnunet",
        "resenc": "stroma.networks.unet:resenc",
    },
    group="stroma.networks",
    extras=dict.fromkeys(("unet", "nnunet", "resenc"), "train"),
)
"""Name -> what builds it; see :class:`stroma.networks.contract.Dense`."""
