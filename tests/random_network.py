"""A small network with random weights, for tests of what is done with networks."""

import torch

from stroma.networks.unet import UNet
from stroma.training.files.about import About
from stroma.training.model import Network


def random_network(*, ndim=2, target="semantic", labels=(0, 1, 3), target_params=None, **said):
    """Return a network for grey images; the class 3 is called vein."""
    if target_params is None:
        target_params = {"labels": list(labels)} if target == "semantic" else {}
    about = About(
        "unet",
        {"features": [2, 4]},
        target,
        target_params,
        ndim,
        1,
        {"schemes": ["zscore"]},
        (16,) * ndim,
        ({"label": 3, "name": "vein", "color": "#123456"},),
        **said,
    )
    torch.manual_seed(3)
    module = UNet(1, len(about.built_target().channels()), ndim=ndim, features=[2, 4]).eval()
    last = list(module.modules())[-1]
    with torch.no_grad():  # every channel is the largest somewhere
        seen = module(torch.randn(1, 1, *(32,) * ndim)).transpose(0, 1).flatten(1)
        last.bias -= seen.mean(1)
        last.bias /= seen.std(1)
        last.weight /= seen.std(1).view(-1, *(1,) * (last.weight.ndim - 1))
    return Network(module, about)
