import numpy as np
import pytest

from stroma.data.classes import Class


def scene(shape=(60, 80), seed=0):
    """Return an image of bright squares on a noisy ground, and where they are."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, bool)
    truth[..., 10:25, 10:25] = truth[..., 35:50, 40:70] = True
    noise = rng.normal(0, 4, shape)
    return (truth * 100 + 50 + noise).astype(np.uint8), truth


@pytest.fixture(scope="session")
def model():
    from stroma import ConvpaintModel

    image, _ = scene()
    strokes = np.zeros(image.shape, np.uint8)
    strokes[12:22, 12:22] = 2
    strokes[45:55, 5:15] = 1
    model = ConvpaintModel("gaussian")
    model.set_params(clf_iterations=10)
    model.train(image, strokes)
    model.classes = (Class(1, "ground", "#000000"), Class(2, "square", "#ff0000"))
    return model
