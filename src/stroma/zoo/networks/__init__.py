"""Trained networks of other programs, read as what ours are made of: tensors and plain values."""

from stroma.registry import Registry

CHECKPOINTS = Registry(
    "kind of network",
    {
        "cellpose": "stroma.zoo.networks.cellpose:READER",
        "cellpose_sam": "stroma.zoo.networks.cellpose_sam:READER",
        "careamics": "stroma.zoo.networks.careamics:READER",
    },
    group="stroma.checkpoints",
    extras={"cellpose": "train", "cellpose_sam": "train", "careamics": "train"},
)
"""Name -> :class:`stroma.zoo.networks.taken.Reader` of what a file of ``torch.save`` holds."""

FOLDERS = Registry(
    "kind of network",
    {
        "stardist": "stroma.zoo.networks.stardist:READER",
        "nnunet": "stroma.zoo.networks.nnunet:READER",
        "spotiflow": "stroma.zoo.networks.spotiflow:READER",
    },
    group="stroma.network_folders",
    extras={"stardist": "train", "nnunet": "train", "spotiflow": "train"},
)
"""Name -> :class:`stroma.zoo.networks.taken.Reader` of a folder."""

MARKS = {
    "stardist": ("config.json", "*.h5"),
    "nnunet": ("plans.json", "dataset.json"),
    "spotiflow": ("config.yaml", "*.pt"),
}
"""Files by which the folder of a network is known, all of which it holds."""
