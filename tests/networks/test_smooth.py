"""The network for images begins with a Gaussian, and says truly how far it looks."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from stroma.networks.smooth import Smooth, smoothed
from stroma.testing import check_network


@pytest.mark.parametrize("ndim", [2, 3])
def test_smooth_keeps_the_contract(ndim):
    check_network(Smooth, ndim=ndim, features=(3, 4), sigmas=(0.5, 1.0))


@pytest.mark.parametrize("shape", [(9, 30), (5, 12, 14)])
def test_smooth_images_are_those_of_a_gaussian(shape):
    images = torch.randn(2, 3, *shape, dtype=torch.double)
    found = smoothed(images, 1.4)
    wanted = ndimage.gaussian_filter(
        images[1, 2].numpy(), 1.4, mode="nearest", radius=int(np.ceil(3 * 1.4))
    )
    assert np.allclose(found[1, 2].numpy(), wanted)


def test_before_the_first_step_the_result_is_the_middle_gaussian():
    images = torch.randn(1, 2, 32, 40)
    with torch.no_grad():
        found = Smooth(2, 2).eval()(images)
    assert torch.allclose(found, smoothed(images, 2.0), atol=1e-6)
