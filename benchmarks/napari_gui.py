"""How long the napari plugin keeps the viewer waiting.

A timer of Qt beats every 5 ms while somebody opens, paints on, and moves over, images; a late beat
is time in which napari could not answer. Drawing and adding layers is napari's own work, and slow
without a graphics card, so beats are also measured with layers of the same sizes and no Stroma, and
our own share of the work is timed apart: from where Qt or napari calls us until we return, without
the time in napari's calls inside. The promise is that this takes no longer than 50 ms.

    xvfb-run -a python benchmarks/napari_gui.py
"""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import napari
import numpy as np
from napari.components.layerlist import LayerList
from napari.layers import Labels
from napari.layers.base import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from stroma.errors import DISTRIBUTION

BEAT_MS = 5
PLANE = 2048
HUGE = 16_384


class Heart:
    """Beats, and remembers the longest time between two beats."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    def reset(self) -> None:
        """Begin again."""
        self.longest, self._last = 0.0, time.perf_counter()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now


@dataclass
class Call:
    """A call of ours or of napari's that is under way, in time of the viewer's thread."""

    name: str
    ours: bool
    began: float
    inside: float = 0.0


class Shares:
    """Whose time it is: ours or napari's, from the outermost of our calls until it returns."""

    def __init__(self) -> None:
        self._stack: list[Call] = []
        self._spent = {True: 0.0, False: 0.0}
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        self.longest = {True: (0.0, ""), False: (0.0, "")}

    def watch(self, owner: Any, name: str, *, ours: bool) -> None:
        """Time a method, or the setting of a property, of a class from now on."""
        original, title = getattr(owner, name), f"{owner.__name__}.{name}"
        if isinstance(original, property):
            setter = self._timed(original.fset, title, ours)
            setattr(owner, name, property(original.fget, setter, doc=original.__doc__))
        else:
            setattr(owner, name, self._timed(original, title, ours))

    def _timed(self, original: Any, title: str, ours: bool) -> Callable[..., Any]:
        @functools.wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                return original(*args, **kwargs)
            self._stack.append(Call(title, ours, time.thread_time()))
            try:
                return original(*args, **kwargs)
            finally:
                self._end(self._stack.pop())

        return timed

    def _end(self, call: Call) -> None:
        took = time.thread_time() - call.began
        self._spent[call.ours] += took - call.inside
        if self._stack:
            self._stack[-1].inside += took
            return
        for whose, seconds in self._spent.items():
            self.longest[whose] = max(self.longest[whose], (seconds, call.name))
            self._spent[whose] = 0.0


def watch_all(shares: Shares) -> None:
    from stroma.napari.dock.panel import Panel
    from stroma.napari.dock.widget import StromaWidget
    from stroma.napari.layers.arrays import PlaneArray
    from stroma.napari.studio.bridge import Bridge
    from stroma.napari.studio.studio import Studio
    from stroma.napari.tabs.home import Home
    from stroma.napari.tabs.model import Model

    for owner, names in (
        (PlaneArray, ("__getitem__", "__setitem__")),
        (Bridge, ("look", "paint_on", "_show_on", "_removed", "_on_moved", "_on_placed")),
        (Studio, ("_on_pump", "_on_rest", "_on_watch", "adopt")),
        (Panel, ("_on_inserted", "_take_first")),
        (Home, ("list_layers", "_on_chosen", "_mark_shown", "_mark_label")),
        (Model, ("_offer",)),
        (StromaWidget, ("_make", "_next")),
    ):
        for name in names:
            shares.watch(owner, name, ours=True)
    for owner, names in (
        (LayerList, ("insert", "move")),
        (Layer, ("refresh", "scale", "translate", "visible")),
        (Labels, ("__init__", "data", "mode")),
    ):
        for name in names:
            shares.watch(owner, name, ours=False)


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.001)


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.perf_counter() + seconds
    while not condition() and time.perf_counter() < end:
        spin(0.02)


def paint(layer: Any, label: int, at: tuple[float, float], length: int = 60) -> None:
    """Paint a line as a hand does, event by event."""
    with layer.block_history():
        for i in range(0, length, 6):
            layer._draw(label, np.array([at[0], at[1] + i]), np.array([at[0], at[1] + i + 6]))
            spin(0.01)


def move_about(viewer: Any) -> None:
    camera = viewer.scene.camera
    for step in range(20):
        camera.center = (8000 + 100 * step, 8000 + 60 * step)
        spin(0.1)
    for zoom in (0.5, 0.2, 0.05, 0.2, 1.0):
        camera.zoom = zoom
        spin(0.5)


def told(phase: str, heart: Heart, shares: Shares) -> None:
    (ours, where), (napari_s, _) = shares.longest[True], shares.longest[False]
    beat = f"longest beat {1000 * heart.longest:5.0f} ms"
    print(f"{phase:40} {beat}; ours {1000 * ours:3.0f} ms {where:24} napari {1000 * napari_s:3.0f}")
    heart.reset()
    shares.reset()


def strokes_and_wait(studio: Any, middle: tuple[float, float]) -> None:
    layer = studio.bridge.board.layer("strokes")
    paint(layer, 1, (middle[0] - 60, middle[1]))
    paint(layer, 2, (middle[0] + 60, middle[1]))
    until(lambda: studio.session.status.trained >= 0 and not studio.session.status.busy)


def cells(size: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    small = rng.normal(100, 10, (256, 256))
    y, x = np.mgrid[:256, :256]
    for cy, cx in rng.uniform(0, 256, (30, 2)):
        small[(y - cy) ** 2 + (x - cx) ** 2 < 150] += 60
    return np.tile(small.clip(0, 255).astype(np.uint8), (size // 256, size // 256))


def pyramid() -> list[np.ndarray]:
    levels = [np.zeros((HUGE, HUGE), np.uint8)]
    for top in range(0, HUGE, PLANE):
        levels[0][top : top + PLANE] = np.tile(cells(PLANE), (1, HUGE // PLANE))
    while levels[-1].shape[0] > 512:
        levels.append(levels[-1][::2, ::2])
    return levels


def napari_alone() -> None:
    """Do without Stroma what is done with it: the same layers, the same movements.

    In a process of its own: napari 0.9 cannot draw labels any more after its layers were cleared,
    where the processor draws.
    """
    levels = pyramid()
    viewer, heart, shares = opened()
    viewer.add_image(cells(PLANE))
    spin(1)
    told("napari alone: opens 2048 x 2048", heart, shares)
    layer = viewer.add_labels(np.zeros((PLANE, PLANE), np.uint8))
    layer.mode = "paint"
    spin(1)
    told("napari alone: a labels layer", heart, shares)
    paint(layer, 1, (1000, 1000))
    spin(0.5)
    told("napari alone: painting on it", heart, shares)
    layer.visible = False
    viewer.add_image(levels, multiscale=True, contrast_limits=(0, 255))
    viewer.scene.camera.center, viewer.scene.camera.zoom = (8000, 8000), 1.0
    spin(1)
    told("napari alone: opens 16384 x 16384", heart, shares)
    viewer.add_labels([np.zeros(one.shape, np.uint8) for one in levels], multiscale=True)
    spin(1)
    heart.reset()
    move_about(viewer)
    told("napari alone: moving and zooming there", heart, shares)
    viewer.close()


def opened() -> tuple[Any, Heart, Shares]:
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    shares = Shares()
    watch_all(shares)
    spin(2)
    return viewer, Heart(), shares


def main() -> None:
    levels = pyramid()
    viewer, heart, shares = opened()
    image = viewer.add_image(cells(PLANE), name="plane")
    spin(1)
    heart.reset()
    _, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
    until(lambda: widget.panel is not None and widget.panel.studio.bridge is not None)
    studio = widget.panel.studio
    told("the widget opens", heart, shares)
    until(lambda: studio.bridge.image is not None)
    spin(2)
    told("an image is taken, 2048 x 2048", heart, shares)
    strokes_and_wait(studio, (1000, 1000))
    told("first strokes", heart, shares)
    strokes_and_wait(studio, (700, 1300))
    told("more strokes", heart, shares)
    for tab in range(widget.tabs.count()):
        widget.tabs.setCurrentIndex(tab)
        spin(1)
    until(lambda: not studio.working)
    told("all tabs are looked at", heart, shares)
    widget.tabs.setCurrentIndex(0)

    viewer.layers.remove(image)
    huge = viewer.add_image(levels, multiscale=True, name="huge", contrast_limits=(0, 255))
    spin(1)
    heart.reset()
    shares.reset()
    studio.bridge.paint_on([huge], "yx")
    spin(2)
    told("an image is taken, 16384 x 16384", heart, shares)
    viewer.scene.camera.center, viewer.scene.camera.zoom = (8000, 8000), 1.0
    spin(1)
    box = studio.bridge.board.window.box
    strokes_and_wait(studio, (8000 - box.top, 8000 - box.left))
    told("strokes on it", heart, shares)
    move_about(viewer)
    told("moving and zooming there", heart, shares)
    widget.close()
    viewer.close()


if __name__ == "__main__":
    if "alone" in sys.argv:
        napari_alone()
    else:
        subprocess.run([sys.executable, __file__, "alone"], check=True)
        main()
