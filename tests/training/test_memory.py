"""Memory of a step is foretold from what layers keep for their gradients."""

import pytest
import torch
from torch import nn

from stroma.networks import NETWORKS
from stroma.training.planning.memory import COPIES, GB, PASSING, step_gigabytes


def test_what_layers_keep_counts_once_and_weights_with_their_copies():
    module = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Flatten())
    image, features = 3 * 16 * 16 * 4, 3 * 4 * 16 * 16 * 4
    expected = PASSING * (image + features) + COPIES * 36 * 4
    assert step_gigabytes(module, 1, (16, 16), 3) * GB == pytest.approx(expected)


def test_more_patches_and_larger_ones_take_more_and_the_network_stays_as_it_is():
    network = NETWORKS["unet"](1, 2, ndim=2, features=[2, 4]).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    small, more, larger = (
        step_gigabytes(network, 1, (side, side), count)
        for side, count in ((32, 2), (32, 8), (64, 2))
    )
    assert small < more == pytest.approx(larger)
    assert not network.training
    for name, value in network.state_dict().items():
        assert value.device.type == "cpu"
        assert torch.equal(value, before[name])
