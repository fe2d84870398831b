"""Classical and deep features together, judged by strokes on images that were not learned from.

    python recipe.py FOLDER hr-dino-hybrid ilastik_2d+efficientnet_lite0 stroma

FOLDER holds ``images/`` and ``scribbles/``: label images of the same names, 0 where nothing is
painted. Each model, an alias or the name of an extractor, learns from the strokes of all images but
one, and is asked for the classes at the strokes of that one, in turn for every image.

The recipe is that of Docherty et al., arXiv:2410.19836: features of every kind side by side, one
scaler for all images, classes of equal weight, logistic regression. Aliases keep the classifier and
the other settings they have; ``--set`` changes them for all.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from stroma import ConvpaintModel, Image
from stroma.io import read_image
from stroma.pixel.choices.aliases import ALIASES

HYBRID = {"clf": "logistic", "fe_order": 1, "norm_from": "training"}
"""Settings of the recipe, for extractors that are named by themselves."""

Labels = NDArray[np.integer]


def scene(folder: Path) -> list[tuple[str, Image, Labels]]:
    """Return the name, the image and the strokes of all images that have some."""
    strokes = sorted((folder / "scribbles").glob("*"))
    if not strokes:
        raise SystemExit(f"{folder / 'scribbles'} holds no strokes. Put label images there.")
    found = []
    for path in strokes:
        image = folder / "images" / path.name
        if not image.exists():
            raise SystemExit(f"{path} has no image: {image} is missing.")
        found.append((path.stem, read_image(image), read_image(path).read()))
    if len(found) < 2:
        raise SystemExit(f"{folder} holds strokes of one image; one is left out, so give two.")
    return found


def model_of(name: str, settings: dict[str, object]) -> ConvpaintModel:
    """Return an untrained model of an alias, or of the features of one or more extractors."""
    made = ConvpaintModel(name) if name in ALIASES else ConvpaintModel(fe_name=name, **HYBRID)
    made.set_params(**settings)
    return made


def confusions(
    model: ConvpaintModel, images: Sequence[Image], strokes: Sequence[Labels]
) -> NDArray[np.int64]:
    """Return the (images, K, K) counts of painted and found classes at strokes left out."""
    labels = np.unique(np.concatenate([np.unique(s) for s in strokes]))
    labels = labels[labels > 0]
    counts = np.zeros((len(images), len(labels), len(labels)), np.int64)
    for left_out, image in enumerate(images):
        others = [i for i in range(len(images)) if i != left_out]
        model.train([images[i] for i in others], [strokes[i] for i in others])
        painted = strokes[left_out]
        found = model.segment(image)[painted > 0]
        pairs = (np.searchsorted(labels, v) for v in (painted[painted > 0], found))
        np.add.at(counts[left_out], tuple(pairs), 1)
    return counts


def recalls(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each painted class that was found; NaN where nothing was painted."""
    total = counts.sum(axis=-1)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return np.divide(right, total, out=np.full(total.shape, np.nan), where=total > 0)


def overlaps(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return intersection over union of every class, of all strokes together."""
    whole = counts.sum(axis=0)
    right = np.diagonal(whole)
    return right / (whole.sum(axis=0) + whole.sum(axis=1) - right)


def main(args: list[str] | None = None) -> None:
    """Print a table: accuracy on every image left out, its mean, and the overlap of classes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="*", default=["stroma"], help="aliases or extractors")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args(args)
    settings = {k: yaml.safe_load(v) for k, v in (s.split("=", 1) for s in given.set)}
    names, images, strokes = zip(*scene(given.folder), strict=True)
    print("| model | " + " | ".join(names) + " | mean accuracy | mean overlap |")
    print("|---|" + "---|" * (len(names) + 2))
    for name in given.models:
        counts = confusions(model_of(name, settings), images, strokes)
        each = np.nanmean(recalls(counts), axis=1)
        cells = [f"{value:.3f}" for value in (*each, each.mean(), overlaps(counts).mean())]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
