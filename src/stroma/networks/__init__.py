"""Networks that give one value per channel and pixel; one family a file."""

from stroma.registry import Registry

NETWORKS = Registry(
    "network",
    {"unet": "stroma.networks.unet:UNet"},
    group="stroma.networks",
    extras={"unet": "train"},
)
"""Name -> what builds it; see :class:`stroma.networks.contract.Dense`."""
