import numpy as np
import pytest


def scene(seed=0, side=64):
    """Return a noisy image of bright disks on a dark ground, and where the disks are (1)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.uint8)
    for _ in range(6):
        cy, cx, r = rng.uniform(6, side - 6), rng.uniform(6, side - 6), rng.uniform(4, 8)
        labels[(y - cy) ** 2 + (x - cx) ** 2 < r**2] = 1
    image = labels * 60.0 + rng.normal(100, 15, labels.shape)
    return image.astype(np.float32), labels


SMALL = {
    "network_options": {"features": [4, 8, 8]},
    "patch": [32, 32],
    "batch": 4,
    "rate": 1e-2,
    "device": "cpu",
}
"""A network that learns disks in seconds."""


@pytest.fixture(scope="session")
def scenes():
    return [scene(n) for n in range(6)]


@pytest.fixture(scope="session")
def network(scenes):
    from stroma.training.learning.learner import Learner

    images, labels = zip(*scenes[:5], strict=True)
    return Learner(steps=80, **SMALL).fit(list(images), list(labels))
