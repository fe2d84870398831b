"""Trained networks of other programs, read as what ours are made of: tensors and plain values."""

from stroma.registry import Registry

CHECKPOINTS = Registry(
    "kind of network",
    {
        "cellpose": "stroma.zoo.networks.cellpose:READER",
    },
    group="stroma.checkpoints",
    extras={"cellpose": "train"},
)
"""Name -> :class:`stroma.zoo.networks.taken.Reader` of what a file of ``torch.save`` holds."""

FOLDERS = Registry(
    "kind of network",
    {},
    group="stroma.network_folders",
    extras={},
)
"""Name -> :class:`stroma.zoo.networks.taken.Reader` of a folder."""
