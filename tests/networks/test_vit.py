"""A vision transformer learns like any other network, from random or pretrained weights."""

import pytest
import torch
from safetensors.torch import load_file
from tests.training.conftest import scene

from random_weights import write_random_weights
from stroma.errors import ParameterError
from stroma.networks.vit import ViT
from stroma.testing import check_network
from stroma.training.learning.learner import Learner
from stroma.training.model import Network

TINY = {"features": 24, "layers": 2, "heads": 2, "decoder": [8, 4]}


def test_it_keeps_the_contract():
    check_network(ViT, **TINY)


def test_it_is_trained_kept_and_blended(tmp_path):
    images, labels = zip(*[scene(n) for n in range(4)], strict=True)
    options = {"network": "vit", "network_options": TINY, "device": "cpu", "patch": [56, 56]}
    network = Learner(steps=2, batch=2, **options).fit(list(images), list(labels))
    assert network.module.halo is None
    again = Network.load(network.save(tmp_path / "v.safetensors"))
    assert (again.predict_probas(images[0]) == network.predict_probas(images[0])).all()


def test_it_begins_with_the_weights_of_dinov2(tmp_path, monkeypatch):
    path = write_random_weights("dinov2_vits14_reg", tmp_path)
    monkeypatch.setenv("STROMA_WEIGHTS", str(tmp_path))
    network = ViT(1, 2, start="dinov2", decoder=[4])
    network.begin()
    found, known = network.encoder.state_dict(), load_file(path)
    kernel = "embeddings.patch_embeddings.projection.weight"
    torch.testing.assert_close(found[kernel], known[kernel].sum(1, keepdim=True))
    torch.testing.assert_close(found["layernorm.weight"], known["layernorm.weight"])
    assert network(torch.zeros(1, 1, 20, 30)).shape == (1, 2, 20, 30)


def test_what_it_cannot_do_is_said():
    with pytest.raises(ParameterError, match="planes"):
        ViT(1, 2, ndim=3)
    with pytest.raises(ParameterError, match="2"):
        ViT(2, 2, start="dinov2")
    with pytest.raises(ParameterError, match="random"):
        ViT(1, 2, start="dino")
