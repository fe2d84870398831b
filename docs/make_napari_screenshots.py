"""Make the screenshots of the napari tutorial, in docs/images.

Opens napari and paints on a sample, as the tutorial says. Needs a display:

    xvfb-run -a -s "-screen 0 1400x1000x24" python docs/make_napari_screenshots.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import napari
import numpy as np
from PIL import Image as Picture
from qtpy.QtCore import QThreadPool
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from stroma.errors import DISTRIBUTION
from stroma.napari.menus import commands

FOLDER = Path(__file__).parent / "images"
WIDTH = 1100
PATIENCE = 120.0

Stroke = tuple[tuple[float, float], ...]
STROMA: tuple[Stroke, ...] = (
    ((300, 180), (320, 220)),
    ((260, 480), (330, 470)),
    ((415, 180), (435, 200)),
)
EPITHELIUM: tuple[Stroke, ...] = (((70, 60), (95, 110)), ((330, 330), (360, 352)))
LUMEN: tuple[Stroke, ...] = (((330, 20), (380, 40)), ((110, 335), (170, 365)), ((5, 60), (8, 80)))
CORRECTIONS: tuple[Stroke, ...] = (((190, 390), (150, 420)), ((440, 90), (480, 110)))


def main() -> None:
    """Write all screenshots."""
    FOLDER.mkdir(exist_ok=True)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    viewer.open_sample(DISTRIBUTION, "tissue")
    _, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
    until(lambda: widget.panel is not None and widget.panel.studio.bridge is not None)
    panel = widget.panel
    until(lambda: panel.studio.bridge.image is not None)
    spin(2)
    viewer.reset_view()
    shot(viewer, "napari-open")
    first_strokes(viewer, panel)
    guidance(viewer, panel)
    tabs(viewer, widget)
    until(lambda: not panel.studio.working)
    viewer.close()
    QThreadPool.globalInstance().waitForDone()


def first_strokes(viewer: Any, panel: Any) -> None:
    """Paint two classes, then a third."""
    session = panel.studio.session
    session.change_class(1, name="stroma")
    session.change_class(2, name="epithelium")
    paint(panel, 1, STROMA[:1])
    paint(panel, 2, EPITHELIUM[:1])
    settle(session)
    shot(viewer, "napari-two-strokes")
    session.add_class(name="lumen")
    spin(0.3)
    paint(panel, 1, STROMA[1:])
    paint(panel, 2, (*EPITHELIUM[1:], *CORRECTIONS))
    paint(panel, 3, LUMEN)
    settle(session)
    shot(viewer, "napari-corrected")


def guidance(viewer: Any, panel: Any) -> None:
    """Show the uncertainty, and where to paint next."""
    panel.home.shown["segmentation"].setChecked(False)
    panel.home.shown["uncertainty"].setChecked(True)
    commands.suggest(viewer)
    spin(2)
    settle(panel.studio.session)
    shot(viewer, "napari-uncertainty")
    panel.home.shown["uncertainty"].setChecked(False)
    panel.home.shown["segmentation"].setChecked(True)
    viewer.reset_view()


def tabs(viewer: Any, widget: Any) -> None:
    """Show the other tabs, side by side."""
    panel = widget.panel
    panel.classes.measuring.measure()
    panel.model.checks.validate()
    with tempfile.TemporaryDirectory() as folder:
        panel.files.save_as(Path(folder, "tissue.stroma"))
        until(lambda: bool(panel.model.checks.accuracy.text()) and not panel.studio.working)
        shown = []
        own = widget.tabs.indexOf(panel.objects.widget)  # has a picture of its own
        for index in (i for i in range(1, widget.tabs.count()) if i != own):
            widget.tabs.setCurrentIndex(index)
            spin(0.5)
            shown.append(grabbed(widget))
        widget.close()
        spin(1)
    write(
        np.concatenate([np.pad(s, ((0, 0), (0, 8), (0, 0))) for s in shown], axis=1), "napari-tabs"
    )


def paint(panel: Any, label: int, strokes: tuple[Stroke, ...]) -> None:
    """Paint as the mouse does."""
    layer = panel.studio.bridge.board.layer("strokes")
    layer.selected_label = label
    for points in strokes:
        with layer.block_history():
            for start, stop in pairwise(points):
                layer._draw(label, np.array(start, float), np.array(stop, float))
        spin(0.1)


def settle(session: Any) -> None:
    """Wait until the session is at rest, and shown."""
    spin(0.3)
    until(lambda: not session.status.busy)
    spin(1)


def until(condition: Callable[[], bool]) -> None:
    """Let Qt work until something holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("napari did not get there.")
        spin(0.05)


def spin(seconds: float) -> None:
    """Let Qt work for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def shot(viewer: Any, name: str) -> None:
    """Write what the window shows."""
    write(viewer.screenshot(canvas_only=False, flash=False), name)


def grabbed(widget: Any) -> np.ndarray:
    """Return a widget as a picture."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)
    return pixels.copy()  # the bits belong to the picture of Qt


def write(pixels: np.ndarray, name: str) -> None:
    """Write a picture, small enough for a repository."""
    picture = Picture.fromarray(np.ascontiguousarray(pixels[..., :3]))
    height = round(picture.height * WIDTH / picture.width)
    small = picture.resize((WIDTH, height), Picture.Resampling.LANCZOS)
    method = Picture.Quantize.MAXCOVERAGE  # others merge the colours of small swatches
    reduced = small.quantize(256, method, kmeans=2, dither=Picture.Dither.NONE)
    reduced.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
