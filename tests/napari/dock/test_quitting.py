"""Closing napari while something runs, in a process of its own."""

import subprocess
import sys

import pytest
from tests.patience import PATIENCE

from stroma.session import Session

PROGRAM = """
import faulthandler
import os
import sys
import traceback
import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from stroma.errors import DISTRIBUTION
from stroma.napari.menus import commands
from stroma.session import events as ev

moment, path, patience = sys.argv[1:]
faulthandler.dump_traceback_later(float(patience), exit=True)  # what never ends says where it is

def once(function):
    def called(*args):
        try:
            if not done and (args == () or function(*args)):
                done.append(True)
                QTimer.singleShot(0, close)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    done = []
    return called

def close():
    viewer.close()
    QApplication.quit()

viewer = napari.Viewer(show=False)
viewer.add_image(np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8), name="noise")
studio = commands.studio_of(viewer)

@once
def end(event):
    return isinstance(event, MOMENTS.get(moment, ()))

MOMENTS = {"round": ev.RoundStarted, "block": ev.BlockReady, "trained": ev.ModelTrained}
painted = []

def paint():
    board = studio.bridge and studio.bridge.board
    layer = board and board.layer("strokes")
    if layer is None or painted:
        return
    painted.append(True)
    studio.session.save_as(path)
    for label, row in ((1, 50), (2, 200)):
        layer.paint((row, 100), label)

studio.told.connect(end)
studio.shown.connect(paint)
viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
if moment == "start":
    QTimer.singleShot(0, close)
napari.run(force=True)
"""


LEFT_OPEN = """
import faulthandler
import sys
import time
import napari
import numpy as np
from qtpy.QtWidgets import QApplication
from stroma.errors import DISTRIBUTION

moment, path, patience = sys.argv[1:]
faulthandler.dump_traceback_later(float(patience), exit=True)
viewer = napari.Viewer(show=False)
viewer.add_image(np.zeros((64, 64), np.uint8), name="nothing")
_, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")

def ready():
    bridge = widget.panel and widget.panel.studio.bridge
    return bridge is not None and bridge.image is not None

while not ready():
    QApplication.processEvents()
    time.sleep(0.01)
widget.panel.studio.session.save_as(path)
if moment == "closed":
    widget.panel.studio.close()
"""
"""Ends with its window open."""


def closed_at(moment, path, program=PROGRAM):
    """Run the program to its end."""
    command = [sys.executable, "-c", program, moment, str(path), str(PATIENCE)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "Error" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("moment", ["round", "block"])
def test_closing_napari_in_a_round_keeps_the_strokes_and_complains_of_nothing(
    display, tmp_path, moment
):
    path = tmp_path / "noise.stroma"
    closed_at(moment, path)
    with Session.open(path) as again:
        [image] = again.images
        assert set(again.points(image.key).label.tolist()) == {1, 2}


def test_closing_napari_while_the_widget_starts_complains_of_nothing(display, tmp_path):
    closed_at("start", tmp_path / "none.stroma")


@pytest.mark.parametrize("session", ["open", "closed"])
def test_a_program_that_ends_with_the_window_open_complains_of_nothing(display, tmp_path, session):
    path = tmp_path / "nothing.stroma"
    closed_at(session, path, LEFT_OPEN)
    with Session.open(path) as again:
        assert again.images
