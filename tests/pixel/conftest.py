import numpy as np
import pytest


@pytest.fixture(scope="session")
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def disks():
    """A noisy image of bright disks, its truth (1 background, 2 disks), and strokes on both."""
    random = np.random.default_rng(1)
    y, x = np.indices((96, 110))
    truth = np.ones((96, 110), np.uint8)
    for cy, cx, r in [(25, 30, 14), (60, 80, 18), (70, 25, 10)]:
        truth[(y - cy) ** 2 + (x - cx) ** 2 < r**2] = 2
    image = (random.normal(size=truth.shape) * 0.4 + 2.0 * (truth == 2)).astype(np.float32)
    strokes = np.zeros_like(truth)
    strokes[5:8, 5:100] = 1
    strokes[40:43, 40:55] = 1
    strokes[22:28, 22:38] = 2
    strokes[58:62, 70:90] = 2
    return image, truth, strokes
