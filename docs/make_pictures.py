"""Make the pictures of README and docs, in docs/images.

The photographs are samples of scikit-image; everything on top of them is computed by Stroma.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from skimage.data import immunohistochemistry

from stroma import ConvpaintModel, Image
from stroma.cli.demo import STROKES
from stroma.io import read_strokes
from stroma.training.strokes.episodes import SIDE, episode
from stroma.training.strokes.scenes import SCENES
from stroma.workflow.applying.overlay import overlay

FOLDER = Path(__file__).parent / "images"
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#e69f00", "#009e73", "#999999"

mpl.use("agg")


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        save(make(), name)


def save(figure: Figure, name: str) -> None:
    """Write one picture, without the version that would make every machine differ."""
    figure.savefig(
        FOLDER / f"{name}.png", dpi=90, metadata={"Software": None}, pil_kwargs={"optimize": True}
    )


def sheet(panels: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with empty panels in a row, in pixels that point down."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    for axis in axes:
        axis.set_aspect("equal")
        axis.axis("off")
        axis.invert_yaxis()
    return figure, axes


def cells(axis: Axes, height: int, width: int, side: int = 1, color: str = GREY) -> None:
    """Draw square cells that start at (0, 0) and cover an area; the last may reach beyond."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            box(axis, top, left, top + side, left + side, edge=color, line=0.6)


def box(
    axis: Axes,
    top: float,
    left: float,
    bottom: float,
    right: float,
    *,
    edge: str = "none",
    fill: str = "none",
    line: float = 2,
    style: str = "-",
) -> None:
    """Draw a rectangle of pixels; a fill is see-through."""
    size = (right - left, bottom - top)
    if fill != "none":
        axis.add_patch(Rectangle((left, top), *size, facecolor=fill, alpha=0.3))
    axis.add_patch(
        Rectangle((left, top), *size, facecolor="none", edgecolor=edge, lw=line, linestyle=style)
    )


def segmentation() -> Figure:
    """Show an image, the strokes on it, and what they are turned into."""
    photograph = immunohistochemistry()
    image = Image(np.moveaxis(photograph, -1, 0), "cyx", rgb=True)
    strokes = read_strokes(STROKES, image)
    model = ConvpaintModel("stroma")
    model.train(image, strokes.labels)
    labels = model.segment(image)

    figure, (plain, painted, result) = sheet(3, 12, 4.4)
    plain.imshow(photograph)
    painted.imshow(overlay(photograph, strokes.labels, strokes.classes, alpha=1))
    result.imshow(overlay(photograph, labels, strokes.classes, alpha=0.5))
    entries = [Patch(color=c.color, label=c.name) for c in strokes.classes]
    figure.legend(handles=entries, loc="outside lower center", ncols=3, frameon=False, fontsize=12)
    return figure


def halo() -> Figure:
    """Show blocks and the pixels read around them, inside the image and at its border."""
    figure, (inner, corner) = sheet(2, 9, 3.9)
    for axis, (top, left), title in (
        (inner, (4, 6), "inside: neighbours are read"),
        (corner, (0, 0), "at the border: the image is mirrored"),
    ):
        cells(axis, 12, 18)
        for y in range(0, 13, 4):
            axis.plot([0, 18], [y, y], color=GREY, lw=1.6)
        for x in range(0, 19, 6):
            axis.plot([x, x], [0, 12], color=GREY, lw=1.6)
        box(axis, top - 2, left - 2, top + 6, left + 8, edge=ORANGE, fill=ORANGE, style="--")
        box(axis, top, left, top + 4, left + 6, edge=BLUE, fill=BLUE)
        axis.text(left + 3, top + 2, "core", ha="center", va="center", color=BLUE)
        axis.text(left + 3, top + 5, "halo", ha="center", va="center", color="#8a5f00")
        axis.set(xlim=(-2.6, 18.6), ylim=(12.6, -2.6), title=title)
    return figure


def stride() -> Figure:
    """Show cells of a strided extractor, in windows that are aligned and that are not."""
    figure, (good, bad) = sheet(2, 9, 3.2)
    for axis, left, color, title in (
        (good, 8, GREEN, "aligned: the same cells in every window"),
        (bad, 6, "#d55e00", "not aligned: other cells, other values"),
    ):
        cells(axis, 8, 20)
        cells(axis, 8, 20, 4, BLUE)
        box(axis, 0, left, 8, left + 12, edge=color, fill=color)
        y, x = np.mgrid[2:8:4, left + 2 : left + 12 : 4]
        axis.plot(x.ravel(), y.ravel(), "o", color=color, ms=7)
        y, x = np.mgrid[2:8:4, 2:20:4]
        axis.plot(x.ravel(), y.ravel(), "+", color=BLUE, ms=9)
        axis.set(xlim=(-0.6, 20.6), ylim=(8.6, -0.6), title=title)
    return figure


def pyramid() -> Figure:
    """Show the same 10 x 14 pixels as cells of three scalings, all from (0, 0)."""
    figure, axes = sheet(3, 10, 3)
    for axis, scale in zip(axes, (1, 2, 4), strict=True):
        cells(axis, 10, 14, scale, GREY if scale == 1 else BLUE)
        y, x = np.mgrid[0:10:scale, 0:14:scale] + scale / 2
        axis.plot(x.ravel(), y.ravel(), ".", color=BLUE, ms=3 + scale)
        box(axis, 0, 0, 10, 14, edge="black")
        axis.set(xlim=(-0.6, 16.6), ylim=(12.6, -0.6), title=f"scaling {scale}")
    return figure


def episodes() -> Figure:
    """Show generated images of every kind of scene with their strokes, and what is asked for."""
    side, shown = SIDE, 2
    figure = Figure(figsize=(2 * len(SCENES), 2 * 2 * shown), layout="constrained")
    axes = figure.subplots(2 * shown, len(SCENES))
    for column, kind in enumerate(SCENES):
        for row in range(shown):
            made = episode(5, row, side=side, kind=kind, channels=3 if row == 1 else 1)
            picture = np.clip(made.image[0] / 5 + 0.5, 0, 1)
            painted = np.ma.masked_less(made.strokes, 0)
            above, below = axes[2 * row, column], axes[2 * row + 1, column]
            above.imshow(picture, cmap="gray", vmin=0, vmax=1)
            above.imshow(painted, cmap="tab10", vmin=0, vmax=9, interpolation="nearest")
            below.imshow(made.labels, cmap="tab10", vmin=0, vmax=9, interpolation="nearest")
        axes[0, column].set_title(kind)
    for axis in axes.flat:
        axis.axis("off")
    return figure


def volume_halo() -> Figure:
    """Show the core of a block of a volume and its halo, cut along z and x, and a single plane."""
    figure, (deep, single) = sheet(2, 10, 3.9)
    for axis, (front, back), title in (
        (deep, (3, 7), "a block of a volume"),
        (single, (5, 6), "a plane in view: one plane deep"),
    ):
        cells(axis, 11, 20)
        box(axis, front - 2, 3, back + 2, 17, edge=ORANGE, fill=ORANGE, style="--")
        box(axis, front, 7, back, 13, edge=BLUE, fill=BLUE)
        axis.text(10, (front + back) / 2, "core", ha="center", va="center", color=BLUE)
        axis.text(10, back + 1, "halo", ha="center", va="center", color="#8a5f00")
        axis.annotate("z", (-0.8, 8), (-0.8, 3), arrowprops={"arrowstyle": "->"}, ha="center")
        axis.annotate("x", (13, -0.8), (8, -0.8), arrowprops={"arrowstyle": "->"}, va="center")
        axis.set(xlim=(-1.6, 20.6), ylim=(11.6, -1.6), title=title)
    return figure


def anisotropy() -> Figure:
    """Show which voxels a kernel reaches where planes are three times further apart than pixels."""
    figure, axes = sheet(2, 10, 4.2)
    reach, apart = 6, 3
    for axis, along_z, title in (
        (axes[0], reach, "the same number of voxels: too far along z"),
        (axes[1], reach // apart, "the same length in the sample"),
    ):
        for z in range(-7, 8):
            for x in range(-7, 8):
                inside = (z / along_z) ** 2 + (x / reach) ** 2 < 1
                place = (apart * z - apart / 2, x - 0.5, apart * z + apart / 2, x + 0.5)
                fill = ORANGE if inside else "none"
                box(axis, *place, edge=GREY, fill=fill, line=0.5)
        turn = np.linspace(0, 2 * np.pi, 100)
        axis.plot(reach * np.cos(turn), reach * np.sin(turn), color=BLUE, lw=2)
        axis.set(xlim=(-8, 8), ylim=(20, -20), title=title)
    return figure


PICTURES = {
    "segmentation": segmentation,
    "halo": halo,
    "stride": stride,
    "pyramid": pyramid,
    "volume_halo": volume_halo,
    "anisotropy": anisotropy,
    "episodes": episodes,
}

if __name__ == "__main__":
    main()
