"""Make the picture of docs/concepts/place.md, and print its table.

One network is real: EfficientNet-Lite0 with its ImageNet weights, from its Python package. The
other, DINOv2's architecture, has random weights, as those of the published network come with no
package: what it shows of places is what the architecture does, not what training made of it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from safetensors.numpy import save_file
from skimage.data import immunohistochemistry

from stroma import ConvpaintModel, Image
from stroma.backbones import BACKBONES
from stroma.features.cache import FeatureCache
from stroma.pixel.predicting.plan import plan
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.showing.bias import Bias, biases_of
from stroma.pixel.showing.pca import as_colours, principal_components

TARGET = Path(__file__).parent / "images" / "place.png"
SIDE = 336
SHOWN = {
    "efficientnet_lite0": "EfficientNet-Lite0,\nreal weights",
    "dinov2_vits14_reg": "architecture of DINOv2,\nrandom weights",
    "flips:dinov2_vits14_reg": "flips:\nrandom weights",
    "centred:dinov2_vits14_reg": "centred:\nrandom weights",
}

mpl.use("agg")


def main() -> None:
    """Write the picture; print what the probe found."""
    picture = np.moveaxis(immunohistochemistry()[:SIDE, :SIDE], -1, 0)
    with tempfile.TemporaryDirectory() as folder:
        write_random(Path(folder))
        found = {}
        for name in SHOWN:
            if name.endswith("reg"):
                os.environ["STROMA_WEIGHTS"] = folder
            found[name] = shown(name, picture)
            os.environ.pop("STROMA_WEIGHTS", None)
    drawn(picture, found).savefig(TARGET, dpi=90, metadata={"Software": None})
    for name, (_, biases) in found.items():
        for where, bias in zip(("image", "noise"), biases, strict=True):
            values = (f"{v:.2f}" for v in (bias.right, bias.down, bias.diagonal, bias.radial))
            print(f"| `{name}` | {where} | " + " | ".join(values) + " |")


def write_random(folder: Path) -> None:
    """Write weights as the network's authors start from, with positions that can be told apart."""
    random, tensors = np.random.default_rng(0), {}
    for key, empty in BACKBONES["dinov2_vits14_reg"]().state_dict().items():
        noise = random.standard_normal(tuple(empty.shape), np.float32)
        if "lambda1" in key or ("norm" in key and key.endswith("weight")):
            tensors[key] = np.ones_like(noise)
        elif key.endswith("position_embeddings"):
            tensors[key] = smooth(noise)
        else:
            tensors[key] = noise * np.float32(0 if key.endswith("bias") else 0.04)
    save_file(tensors, folder / "dinov2_vits14_reg.safetensors")


def smooth(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return positions whose neighbours are alike, as training makes them."""
    from scipy.ndimage import gaussian_filter

    grid = noise[0, 1:].reshape(37, 37, -1)
    grid = gaussian_filter(grid, (6, 6, 0))
    noise[0, 1:] = (grid / grid.std() * 0.5).reshape(37 * 37, -1)
    return noise


def shown(name: str, picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[Bias, Bias]]:
    """Return the main components of the features as colours, and the biases."""
    layers = ["stage3"] if name.startswith("efficientnet") else None
    model = ConvpaintModel(fe_name=name, fe_layers=layers)
    model.set_param("channel_mode", "rgb")
    opened, recipe = model.open(Image(picture, "cyx", rgb=True)), Recipe.of(model.get_params())
    values, _ = principal_components(plan(opened, {}, recipe), FeatureCache(0))
    return as_colours(values), biases_of(opened, recipe)


def drawn(
    picture: NDArray[np.uint8], found: dict[str, tuple[NDArray[np.uint8], tuple[Bias, Bias]]]
) -> Figure:
    """Return the image, and the colours of every extractor's features."""
    figure = Figure(figsize=(12.5, 3.1), layout="constrained")
    axes = figure.subplots(1, len(found) + 1)
    panels = [("the image", picture), *((SHOWN[name], one[0]) for name, one in found.items())]
    for axis, (title, colours) in zip(axes, panels, strict=True):
        axis.imshow(np.moveaxis(colours, 0, -1))
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    return figure


if __name__ == "__main__":
    main()
