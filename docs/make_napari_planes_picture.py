"""Make the picture of a volume in napari, docs/images/napari-planes.png.

Opens napari, docks the two other planes beside the one in the viewer, and paints two classes on one
plane. Needs a display:

    xvfb-run -a -s "-screen 0 1400x1000x24" python docs/make_napari_planes_picture.py
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import napari
import numpy as np
from make_napari_screenshots import settle, shot, spin, until
from qtpy.QtCore import QThreadPool
from scipy import ndimage
from skimage.data import binary_blobs

from stroma import ConvpaintModel
from stroma.errors import DISTRIBUTION
from stroma.napari.planes.dock import show_planes

SIDE, APART = 160, 2
"""Voxels along y and x, and how many of them lie between two planes."""

Place = tuple[int, int, int]


def main() -> None:
    """Write the picture."""
    body, inside = pores()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    viewer.add_image(body, name="pores", scale=(APART, 1, 1))
    _, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, "Stroma")
    until(lambda: widget.panel is not None and widget.panel.studio.bridge is not None)
    studio = widget.panel.studio
    until(lambda: studio.bridge.board is not None)
    studio.session.set_model(ConvpaintModel("stroma-3d"))
    viewer.dims.current_step = (len(body) // 2, SIDE // 2, SIDE // 2)
    planes = show_planes(viewer, studio)
    spin(2)
    viewer.reset_view()
    for label, mask in enumerate((~inside, inside), 1):
        paint(studio, label, across(mask, len(body) // 2))
    settle(studio.session)
    until(lambda: all(pane.sheet is not None for pane in planes.panes))
    spin(2)
    shot(viewer, "napari-planes")
    planes.leave()
    widget.close()
    until(lambda: not studio.working)
    viewer.close()
    QThreadPool.globalInstance().waitForDone()


def pores() -> tuple[Any, Any]:
    """Return a noisy volume (z, y, x) of dark bodies in a bright matrix, and where they are."""
    fine = binary_blobs(SIDE, blob_size_fraction=0.15, n_dim=3, volume_fraction=0.35, rng=1)
    bright = ndimage.gaussian_filter((~fine).astype(np.float32), 1.2)[::APART]
    noise = np.random.default_rng(0).normal(0, 0.25, bright.shape)
    return (bright + noise).astype(np.float32), fine[::APART]


def across(mask: Any, z: int) -> list[list[Place]]:
    """Return two short strokes on a plane, where it is farthest from the mask's border."""
    found, depth = [], ndimage.distance_transform_edt(np.pad(mask[z], 1))[1:-1, 1:-1]
    for _ in range(2):
        y, x = (int(i) for i in np.unravel_index(depth.argmax(), depth.shape))
        found.append([(z, y, max(0, x - 6)), (z, y, min(SIDE - 1, x + 6))])
        depth[max(0, y - 40) : y + 40, max(0, x - 40) : x + 40] = 0
    return found


def paint(studio: Any, label: int, strokes: list[list[Place]]) -> None:
    """Paint as the mouse does."""
    layer = studio.bridge.board.layer("strokes")
    layer.selected_label = label
    for points in strokes:
        with layer.block_history():
            for start, stop in pairwise(points):
                layer._draw(label, np.array(start, float), np.array(stop, float))
        spin(0.1)


if __name__ == "__main__":
    main()
