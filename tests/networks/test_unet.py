"""U-Nets are what they are asked to be, and say truly how far they look."""

import pytest
import torch

from stroma.errors import ContractError, ParameterError, UnknownNameError
from stroma.networks import NETWORKS
from stroma.networks.unet import UNet
from stroma.testing import check_network

SMALL = {"features": (3, 4, 5)}
KINDS = [
    {},
    {"block": "residual"},
    {"down": "pool", "up": "nearest"},
    {"norm": "instance", "deep": True},
    {"convolutions": [1, 2, 1], "decoder_convolutions": 1, "activation": "relu"},
    {"kernels": [3, 5, 3]},
]


@pytest.mark.parametrize("params", KINDS, ids=str)
@pytest.mark.parametrize("ndim", [2, 3])
def test_unet_keeps_the_contract(params, ndim):
    check_network(UNet, ndim=ndim, **SMALL, **params)


def test_strides_and_kernels_are_per_axis():
    params = {"strides": [1, (1, 2, 2), 2], "kernels": [(1, 3, 3), 3, 3], **SMALL}
    network = UNet(1, 2, ndim=3, **params)
    assert network.stride == (2, 4, 4)
    assert network.halo[0] < network.halo[1] == network.halo[2]
    check_network(UNet, ndim=3, **params)


@pytest.mark.parametrize("params", [p for p in KINDS if p.get("norm") != "instance"], ids=str)
def test_halo_is_as_small_as_it_can_be(params):
    """One step less is not enough: something changes."""
    torch.manual_seed(1)
    network = UNet(1, 1, **SMALL, **params).eval().double()
    halo, at = network.halo[0], 64
    rows = range(at - halo - 4, at - halo + 4)
    images = torch.zeros(len(rows) + 1, 1, 128, 8, dtype=torch.double)
    for i, row in enumerate(rows):
        images[i, 0, row] = 100.0
    with torch.no_grad():
        found = network(images)[:, 0, at : at + 4]
    changed = [bool((one - found[-1]).abs().max() > 0) for one in found[:-1]]
    assert not any(changed[:4])
    assert any(changed[4:])


def test_deep_supervision_predicts_every_resolution_but_the_coarsest():
    network = UNet(1, 2, features=(3, 4, 5, 6), deep=True)
    sides = [tuple(o.shape[2:]) for o in network.train()(torch.randn(2, 1, 32, 24))]
    assert sides == [(32, 24), (16, 12), (8, 6)]
    assert tuple(network.eval()(torch.randn(2, 1, 32, 24)).shape) == (2, 2, 32, 24)


def test_wrong_stages_are_refused():
    with pytest.raises(ParameterError, match="one entry per stage"):
        UNet(1, 2, features=(3, 4), strides=[1, 2, 2])
    with pytest.raises(ParameterError, match="first of strides"):
        UNet(1, 2, features=(3, 4), strides=[2, 2])
    with pytest.raises(ParameterError, match="No normalisation"):
        UNet(1, 2, norm="layer")


def test_unknown_network_has_a_suggestion():
    with pytest.raises(UnknownNameError, match="unet"):
        NETWORKS["uent"]


class Short(UNet):
    """Says that it looks less far than it does."""

    @property
    def halo(self):
        return tuple(h // 3 for h in super().halo)


def test_a_halo_that_is_not_true_is_found():
    with pytest.raises(ContractError, match="halo"):
        check_network(Short, **SMALL)
