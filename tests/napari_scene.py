"""What the tests of the napari plugin look at, and how they wait."""

import time

import numpy as np
from tests.patience import PATIENCE


def two_halves(height=64, width=96):
    """A dark and a bright half, told apart by any model."""
    image = np.random.default_rng(0).normal(50, 5, (height, width))
    image[:, width // 2 :] += 100
    return image.astype(np.uint8)


SIDES = (12, 6)
"""Of the squares in the scene, every other one small."""


def squares(count=8):
    """Large and small bright squares in a row, and the label image of them."""
    image = np.random.default_rng(0).normal(20, 2, (40, 20 * count))
    labels = np.zeros(image.shape, np.int32)
    for i in range(count):
        side = SIDES[i % 2]
        part = slice(10, 10 + side), slice(20 * i + 4, 20 * i + 4 + side)
        image[part] += 100
        labels[part] = i + 1
    return image.astype(np.float32), labels


def settle(bridge, seconds=PATIENCE):
    """Show what the session does until it is at rest."""
    end = time.monotonic() + seconds
    while not bridge.session.wait(0.01) or bridge.waiting:
        assert time.monotonic() < end, "waited in vain"
        bridge.pump()
    bridge.pump()


def until(condition, seconds=PATIENCE):
    """Let Qt work until something holds."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        QApplication.processEvents()
        time.sleep(0.005)
