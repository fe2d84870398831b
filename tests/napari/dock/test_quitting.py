"""Closing napari while something runs, in a process of its own."""

import subprocess
import sys

from stroma.session import Session

PROGRAM = """
import sys
import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from stroma.errors import DISTRIBUTION
from stroma.napari.menus import commands

viewer = napari.Viewer(show=False)
viewer.add_image(np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8), name="noise")
_, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")

def paint():
    studio = commands.studio_of(viewer)
    layer = studio.bridge and studio.bridge.board.layer("strokes")
    if layer is None:
        QTimer.singleShot(50, paint)
        return
    studio.session.save_as(sys.argv[1])
    for label, row in ((1, 50), (2, 200)):
        layer.paint((row, 100), label)
    QTimer.singleShot(50, viewer.close)
    QTimer.singleShot(1000, QApplication.quit)

QTimer.singleShot(0, paint)
napari.run(force=True)
"""


def test_closing_napari_in_a_round_keeps_the_strokes_and_complains_of_nothing(display, tmp_path):
    path = tmp_path / "noise.stroma"
    command = [sys.executable, "-c", PROGRAM, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0
    assert "Error" not in ended.stdout + ended.stderr
    with Session.open(path) as again:
        [image] = again.images
        assert set(again.points(image.key).label.tolist()) == {1, 2}
