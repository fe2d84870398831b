"""What a network learns: labels to channels and back, and the losses between; one target a file."""

from stroma.registry import Registry

TARGETS = Registry(
    "target",
    {
        "semantic": "stroma.targets.semantic:Semantic",
        "distances": "stroma.targets.distances:Distances",
        "flows": "stroma.targets.flows:Flows",
        "rays": "stroma.targets.rays:Rays",
        "boundary": "stroma.targets.borders:Borders",
        "affinities": "stroma.targets.affinities:Affinities",
        "centres": "stroma.targets.centres:Centres",
        "membranes": "stroma.targets.membranes:Membranes",
        "spots": "stroma.targets.spots:Spots",
        "counts": "stroma.targets.counts:Counts",
        "restore": "stroma.targets.restore:Restore",
        "denoise": "stroma.targets.restore:Denoise",
        "classify": "stroma.targets.classify:Classify",
        "several": "stroma.targets.several:Several",
    },
    group="stroma.targets",
    extras=dict.fromkeys(
        (
            "semantic",
            "distances",
            "flows",
            "rays",
            "boundary",
            "affinities",
            "centres",
            "membranes",
            "spots",
            "counts",
            "restore",
            "denoise",
            "classify",
            "several",
        ),
        "train",
    ),
)
"""Name -> class of a target; see :class:`stroma.targets.contract.Target`."""

LOSSES = Registry(
    "loss",
    {
        "cross_entropy": "stroma.targets.losses:CrossEntropy",
        "dice": "stroma.targets.losses:Dice",
        "generalised_dice": "stroma.targets.losses:GeneralisedDice",
        "tversky": "stroma.targets.losses:Tversky",
        "focal": "stroma.targets.losses:Focal",
        "boundary": "stroma.targets.boundary:Boundary",
        "surface": "stroma.targets.boundary:surface",
        "dice_ce": "stroma.targets.losses:dice_ce",
        "bce_dice": "stroma.targets.losses:bce_dice",
    },
    group="stroma.losses",
)
"""Name -> what makes a loss; see :class:`stroma.targets.losses.Loss`."""
