"""Images to try Stroma on."""

from __future__ import annotations

from typing import Any

import numpy as np

LayerData = list[tuple[Any, dict[str, Any], str]]


def tissue() -> LayerData:
    """Return a stained section of colonic glands, which comes with scikit-image."""
    from skimage.data import immunohistochemistry

    return [(immunohistochemistry(), {"name": "tissue"}, "image")]


def stack() -> LayerData:
    """Return a made-up stack of round cells, in two channels, with its spacing."""
    rng = np.random.default_rng(0)
    z, y, x = np.mgrid[:8, :256, :256].astype(np.float32)
    cells = np.zeros(z.shape, np.float32)
    for cz, cy, cx, radius in rng.uniform((0, 0, 0, 8), (8, 256, 256, 18), (40, 4)):
        distance = np.sqrt(16 * (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2)
        cells = np.maximum(cells, np.clip(radius - distance, 0, 4) / 4)
    noise = rng.normal(0, 0.08, (2, *cells.shape)).astype(np.float32)
    channels = np.stack([cells, 1 - 0.7 * cells]) + noise
    scale = (2.0, 0.5, 0.5)
    look = {"scale": scale, "units": ("µm",) * 3, "axis_labels": ("z", "y", "x")}
    names = (("nuclei", "green"), ("cytoplasm", "magenta"))
    return [
        (values, {"name": name, "colormap": color, "blending": "additive", **look}, "image")
        for values, (name, color) in zip(channels, names, strict=True)
    ]
