"""Make the picture of docs/how-to/targets.md: what each target learns of one made-up scene.

Of every target the first row shows the channels that a perfect network would predict, the second
what they are decoded to. Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from stroma.targets import TARGETS
from stroma.targets.contract import Facts
from stroma.targets.counts import middles_of

PICTURE = Path(__file__).parent / "images" / "targets.png"
SIDE = 96
KIND = 1000
"""Numbers of objects are class times this plus their own, for the target with classes."""

OPTIONS: dict[str, dict[str, Any]] = {
    "centres": {"divisor": KIND},
    "several": {"heads": ("semantic", "distances", "counts"), "divisor": KIND},
}
"""Of targets that have others than usual here."""

COLORS = ("#000000", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")

Values = NDArray[Any]

mpl.use("agg")


def main() -> None:
    """Write the picture."""
    drawn().savefig(PICTURE, dpi=80, metadata={"Software": None}, pil_kwargs={"optimize": True})


def scene() -> Values:
    """Return round and long objects by number, some of which touch."""
    y, x = np.indices((SIDE, SIDE))
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number, (cy, cx, radius) in enumerate(((24, 22, 15), (30, 50, 14), (20, 78, 9)), start=1):
        labels[((y - cy) ** 2 + (x - cx) ** 2 < radius**2) & (labels == 0)] = number
    wave = 64 + 8 * np.sin(x / 14)
    labels[(abs(y - wave) < 6) & (abs(x - 48) < 42)] = 4
    labels[(abs(y - wave - 14) < 6) & (abs(x - 40) < 30)] = 5
    return labels


def noisy(labels: Values) -> tuple[Values, Values]:
    """Return an image of the scene with noise, and without."""
    clean = ndimage.gaussian_filter(np.where(labels > 0, 1.0, 0.1), 1.0).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.3, clean.shape).astype(np.float32)
    return clean + noise, clean


def truth_for(name: str, labels: Values) -> Values:
    """Return what users would give."""
    if name == "membranes":
        inner = ndimage.minimum_filter(labels, 3) != ndimage.maximum_filter(labels, 3)
        return np.asarray(inner & (labels > 0), np.int32)
    if name == "spots":
        return middles_of(labels)
    if name in ("restore", "denoise"):
        return noisy(labels)[1][None]
    if name == "classify":
        return np.where(labels >= 0, 2, 0)
    if name in ("centres", "several"):
        return np.where(labels > 0, np.where(labels > 3, 2, 1) * KIND + labels, 0)
    return np.where(labels > 3, 2, np.minimum(labels, 1)) if name == "semantic" else labels


def facts_for(truth: Values) -> Facts:
    """Return what is known of a truth."""
    values, counts = np.unique(truth.astype(int), return_counts=True)
    known = dict(zip(values.tolist(), counts.tolist(), strict=True))
    if len(known) == 1:  # of the images of one class the others are not seen here
        known = dict.fromkeys((1, 2, 3), truth.size)
    return Facts(2, known, (1.0, 1.0), (18.0, 26.0, 30.0))


def shown(channels: Values, names: tuple[str, ...]) -> dict[str, Values]:
    """Return up to three channels that say most."""
    picked = [0, len(names) // 3, 2 * len(names) // 3] if len(names) > 3 else range(len(names))
    return {names[i]: channels[i] for i in picked}


def draw_target(axes: list[Axes], name: str, labels: Values) -> None:
    """Draw the channels of a target, and what they are decoded to."""
    truth = truth_for(name, labels)
    target = TARGETS[name].made_for(facts_for(truth), **OPTIONS.get(name, {}))
    encoded = target.encode(truth, shape=labels.shape).values
    channels = shown(encoded, target.channels())
    for axis, (title, values) in zip(axes, channels.items(), strict=False):
        low, high = min(0.0, float(values.min())), float(values.max())
        axis.imshow(values, cmap="gray", vmin=low, vmax=max(high, low + 1e-9))
        axis.set_title(title, fontsize=7)
    DRAWN[target.result](axes[-1], target.decode(encoded))
    axes[-1].set_title(f"{name}: {target.result}", fontsize=7, fontweight="bold")


def draw_labels(axis: Axes, labels: Values) -> None:
    """Draw classes or objects in colours."""
    numbers = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    colors = [COLORS[0], *(COLORS[1 + n % (len(COLORS) - 1)] for n in range(int(numbers.max())))]
    axis.imshow(numbers, cmap=ListedColormap(colors), interpolation="nearest")


def draw_points(axis: Axes, points: Values) -> None:
    """Draw points over the scene."""
    axis.imshow(noisy(scene())[0], cmap="gray")
    axis.plot(points[:, 1], points[:, 0], "+", color="#e69f00", markersize=7)


def draw_category(axis: Axes, probabilities: Values) -> None:
    """Draw how probable every class of the image is."""
    axis.bar(np.arange(len(probabilities)), probabilities, color=COLORS[1])
    axis.set_box_aspect(1)


def draw_several(axis: Axes, results: dict[str, Values]) -> None:
    """Draw classes, and what was counted in them."""
    draw_labels(axis, results["semantic"])
    axis.plot(results["counts"][:, 1], results["counts"][:, 0], "w+", markersize=7)


def draw_image(axis: Axes, image: Values) -> None:
    """Draw the first channel."""
    axis.imshow(image[0], cmap="gray")


DRAWN: dict[str, Callable[[Axes, Any], None]] = {
    "classes": draw_labels,
    "instances": draw_labels,
    "points": draw_points,
    "image": draw_image,
    "category": draw_category,
    "several": draw_several,
}


def drawn() -> Figure:
    """Return all targets, two in a row: up to three channels, and the result."""
    names, labels = list(TARGETS), scene()
    rows = -(-len(names) // 2)
    figure = Figure(figsize=(9.6, 1.3 * rows), layout="constrained")
    grid = figure.subplots(rows, 8, squeeze=False)
    for axis in grid.ravel():
        axis.axis("off")
    for n, name in enumerate(names):
        draw_target(list(grid[n // 2][4 * (n % 2) : 4 * (n % 2) + 4]), name, labels)
    return figure


if __name__ == "__main__":
    main()
