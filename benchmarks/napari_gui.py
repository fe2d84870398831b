"""How long the napari plugin keeps the viewer waiting.

A timer of Qt beats every 5 ms while somebody paints on, and moves over, an image; a late beat is
time in which napari could not answer. Drawing is napari's own work, and slow without a graphics
card, so the calls that are ours are also timed one by one. The promise is that none of them takes
longer than 50 ms.

    xvfb-run -a python benchmarks/napari_gui.py
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

BEAT_MS = 5
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


class Calls:
    """The longest call, in time of this thread, of our functions that Qt or napari call."""

    def __init__(self) -> None:
        self.longest: dict[str, float] = defaultdict(float)

    def watch(self, owner: Any, name: str) -> None:
        """Time a method of a class from now on."""
        original: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.thread_time()
            try:
                return original(*args, **kwargs)
            finally:
                key = f"{owner.__name__}.{name}"
                self.longest[key] = max(self.longest[key], time.thread_time() - start)

        setattr(owner, name, timed)


def watch_ours(calls: Calls) -> None:
    from stroma.napari.arrays import PlaneArray
    from stroma.napari.bridge import Bridge
    from stroma.napari.panel import Panel
    from stroma.napari.studio import Studio

    for owner, names in (
        (PlaneArray, ("__getitem__", "__setitem__")),
        (Bridge, ("choose", "look", "pump", "paint_on", "show")),
        (Studio, ("_on_pump", "_on_rest", "_on_watch", "adopt")),
        (Panel, ("_show_status", "_add")),
    ):
        for name in names:
            calls.watch(owner, name)


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


def told(phase: str, heart: Heart, calls: Calls) -> None:
    worst = sorted(calls.longest.items(), key=lambda item: -item[1])[:3]
    listed = ", ".join(f"{name} {1000 * seconds:.0f}" for name, seconds in worst)
    print(f"{phase:34} longest beat {1000 * heart.longest:5.0f} ms; ours, ms: {listed}")
    heart.reset()
    calls.longest.clear()


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


def main() -> None:
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    calls = Calls()
    spin(1)
    heart = Heart()
    image = viewer.add_image(cells(2048), name="plane")
    spin(1)
    told("napari opens 2048 x 2048", heart, calls)
    _, widget = viewer.window.add_plugin_dock_widget("stroma", "Stroma")
    until(lambda: widget.panel is not None and widget.panel.studio.bridge is not None)
    told("the widget opens", heart, calls)
    watch_ours(calls)
    studio = widget.panel.studio
    until(lambda: studio.bridge.image is not None)
    strokes_and_wait(studio, (1000, 1000))
    told("first strokes, 2048 x 2048", heart, calls)
    strokes_and_wait(studio, (700, 1300))
    told("more strokes", heart, calls)

    viewer.layers.remove(image)
    levels = [np.zeros((HUGE, HUGE), np.uint8)]
    for top in range(0, HUGE, 2048):
        levels[0][top : top + 2048] = np.tile(cells(2048), (1, HUGE // 2048))
    while levels[-1].shape[0] > 512:
        levels.append(levels[-1][::2, ::2])
    huge = viewer.add_image(levels, multiscale=True, name="huge", contrast_limits=(0, 255))
    spin(1)
    told("napari opens 16384 x 16384", heart, calls)
    studio.bridge.paint_on([huge], "yx")
    camera = viewer.scene.camera
    camera.center, camera.zoom = (8000, 8000), 1.0
    spin(1)
    board = studio.bridge.board
    box = board.window.box
    strokes_and_wait(studio, (8000 - box.top, 8000 - box.left))
    told("strokes on 16384 x 16384", heart, calls)
    for step in range(20):
        camera.center = (8000 + 100 * step, 8000 + 60 * step)
        spin(0.1)
    for zoom in (0.5, 0.2, 0.05, 0.2, 1.0):
        camera.zoom = zoom
        spin(0.5)
    told("moving and zooming there", heart, calls)
    widget.close()
    viewer.close()


if __name__ == "__main__":
    main()
