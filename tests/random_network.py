"""A small network with random weights, for tests of what is done with networks."""

import torch

from stroma.networks.unet import UNet
from stroma.training.about import About
from stroma.training.model import Network


def random_network(*, ndim=2, target="semantic", labels=(0, 1, 3), **params):
    """Return a network for grey images; the class 3 is called vein."""
    about = About(
        "unet",
        {"features": [2, 4]},
        target,
        {"labels": list(labels), **params} if target == "semantic" else params,
        ndim,
        1,
        {"schemes": ["zscore"]},
        (16,) * ndim,
        ({"label": 3, "name": "vein", "color": "#123456"},),
    )
    torch.manual_seed(3)
    outputs = len(about.built_target().channels())
    return Network(UNet(1, outputs, ndim=ndim, features=[2, 4]), about)
