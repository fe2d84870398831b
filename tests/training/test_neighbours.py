"""Neighbours foretell each other, and what they show stays."""

import pytest
import torch

from stroma.errors import ParameterError
from stroma.targets.distances import Distances
from stroma.targets.restore import Denoise
from stroma.training.contract import Batch
from stroma.training.ways.neighbours import Neighbours, drawn, halves


@pytest.mark.parametrize("shape", [(2, 3, 8, 12), (2, 1, 3, 6, 4)])
def test_halves_are_pixels_that_touch(shape):
    """Positions as values: of two halves they differ by one step along one axis."""
    height, width = shape[-2:]
    places = torch.arange(height)[:, None] * 100.0 + torch.arange(width)
    images = places.expand(shape).contiguous()
    torch.manual_seed(0)
    one, other = halves(images, drawn(images))
    assert one.shape == other.shape == (*shape[:-2], height // 2, width // 2)
    assert set((one - other).abs().unique().tolist()) == {1.0, 100.0}
    square = (one // 100 // 2) * 100 + (one % 100) // 2
    wanted = torch.arange(height // 2)[:, None] * 100.0 + torch.arange(width // 2)
    assert torch.equal(square, wanted.expand(square.shape))
    channels = one.movedim(1, 0)
    assert all(torch.equal(c, channels[0]) for c in channels)


def test_halves_of_a_batch_and_of_planes_belong_to_their_images():
    images = torch.arange(24.0).reshape(2, 3, 4, 1, 1).expand(2, 3, 4, 6, 6).contiguous()
    one, other = halves(images, drawn(images))
    assert torch.equal(one, images[..., :3, :3])
    assert torch.equal(other, images[..., :3, :3])


def test_a_network_that_changes_nothing_loses_the_noise_of_both_halves_once():
    """Its halves differ as those of the image do, so that only the first loss is left."""
    images = torch.randn(4, 1, 32, 32)
    step = Neighbours(Denoise()).step(torch.nn.Identity(), Batch(images, None, None, 0))
    assert step.logs["alike"] == 0
    assert float(step.loss) == pytest.approx(2.0, rel=0.2)


def test_odd_patches_lose_their_last_pixels_and_other_targets_are_refused():
    images = torch.randn(1, 1, 9, 7)
    step = Neighbours(Denoise(), alike=0.0).step(torch.nn.Identity(), Batch(images, None, None, 0))
    assert torch.isfinite(step.loss)
    with pytest.raises(ParameterError, match="denoise"):
        Neighbours(Distances())
