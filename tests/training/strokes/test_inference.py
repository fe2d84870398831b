"""What the extractor computes without torch is what the network computes with it."""

import numpy as np
import pytest
import torch

from stroma.features.strokenet.learned import computed, loaded
from stroma.features.strokenet.learned_graph import feature_order
from stroma.features.strokenet.learned_layout import LAYOUT
from stroma.training.strokes.export import folded
from stroma.training.strokes.network import StrokeNetwork


@pytest.fixture(scope="module")
def network():
    """Return a network with random weights, also those of batch normalisation."""
    torch.manual_seed(0)
    made = StrokeNetwork().eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.7, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    return made


def by_torch(network, block):
    """Return the features of the core as torch computes them, in the order of the extractor."""
    halo = LAYOUT.halo
    with torch.no_grad():
        found = network(torch.from_numpy(block)[None])[0, :, halo:-halo, halo:-halo].numpy()
    own = 2 * LAYOUT.own
    place = {(c, i): LAYOUT.features + c * own + i for c in range(len(block)) for i in range(own)}
    order = [i if c is None else place[c, i] for c, i in feature_order(LAYOUT, len(block))]
    return found[order]


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_the_extractor_computes_what_torch_does(network, channels):
    rng = np.random.default_rng(0)
    block = rng.normal(size=(channels, *(n + 2 * LAYOUT.halo for n in (24, 40)))).astype("f4")
    found = computed(loaded(folded(network), block.shape), block)
    expected = by_torch(network, block)
    assert found.shape == expected.shape == (40 + 4 * channels, 24, 40)
    scale = np.abs(expected).max((1, 2), keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4)
