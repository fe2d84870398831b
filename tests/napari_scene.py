"""What the tests of the napari plugin look at, and how they wait."""

import time

import numpy as np
from tests.patience import PATIENCE


def two_halves(height=64, width=96):
    """A dark and a bright half, told apart by any model."""
    image = np.random.default_rng(0).normal(50, 5, (height, width))
    image[:, width // 2 :] += 100
    return image.astype(np.uint8)


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
