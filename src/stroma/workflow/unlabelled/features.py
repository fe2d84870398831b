"""Features of an image file, as a picture of their main components or as a stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import AXES, Image
from stroma.errors import ShapeError
from stroma.io.read import read_image
from stroma.io.write import write_image
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.predicting.plan import plan
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.showing.bias import Bias, biases_of
from stroma.pixel.showing.pca import as_colours, principal_components

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """What was written.

    Parameters
    ----------
    path : Path
        The file.
    features : int
        Features per pixel.
    share : tuple of float
        Share of the variance of all standardised features that each component holds; empty for a
        stack.
    """

    path: Path
    features: int
    share: tuple[float, ...] = ()


def feature_picture(
    model: ConvpaintModel,
    source: str | Path,
    target: str | Path,
    *,
    components: int = 3,
    at: dict[str, int] | None = None,
    series: int | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write the main components of the features of one plane, as bytes; three become colours.

    Parameters
    ----------
    model : ConvpaintModel
        Says which features; need not be trained.
    source, target : str or Path
        Image to read; picture to write.
    components : int
        How many.
    at : dict of str to int, optional
        Position along t and z, where the image has them.
    series : int, optional
        Which image, where the file holds several.
    progress : callable, optional
        Told how many blocks are done, and of how many.

    Raises
    ------
    ShapeError
        If the image has several planes and none was chosen, or that one is not there.
    """
    image = _plane(read_image(source, series=series), at or {})
    opened = model.open(image)
    current = plan(opened, opened.positions[0], Recipe.of(model.get_params()))
    values, found = principal_components(current, model.cache, count=components, progress=progress)
    colours = as_colours(values)
    path = write_image(
        target,
        colours[0] if components == 1 else colours,
        axes="yx" if components == 1 else "cyx",
        spacing={a: d for a, d in image.spacing.items() if a in "yx"},
        unit=image.unit,
        rgb=components == 3,
    )
    return Written(path, len(found.mean), tuple(float(s) for s in found.share))


def feature_bias(
    model: ConvpaintModel,
    source: str | Path,
    *,
    at: dict[str, int] | None = None,
    series: int | None = None,
    rng: int = 0,
) -> tuple[Bias, Bias]:
    """Return how much features say of where places lie: in an image, and in noise of its size.

    Parameters
    ----------
    model : ConvpaintModel
        Says which features; need not be trained.
    source : str or Path
        Image to read.
    at : dict of str to int, optional
        Position along t and z, where the image has them.
    series : int, optional
        Which image, where the file holds several.
    rng : int
        Seed of the noise and of the probe.

    Raises
    ------
    ShapeError
        If the image has several planes and none was chosen, or too few cells.
    """
    image = _plane(read_image(source, series=series), at or {})
    return biases_of(model.open(image), Recipe.of(model.get_params()), rng=rng)


def feature_stack(
    model: ConvpaintModel, source: str | Path, target: str | Path, *, series: int | None = None
) -> Written:
    """Write all features at every pixel, as float32, with their names where the format keeps them.

    Parameters
    ----------
    model : ConvpaintModel
        Says which features; need not be trained.
    source, target : str or Path
        Image to read; stack to write.
    series : int, optional
        Which image, where the file holds several.
    """
    image = read_image(source, series=series)
    opened = model.open(image)
    stack = np.asarray(model.get_feature_image(image))
    outer = "".join(opened.outer)
    axes = "".join(a for a in AXES if a in f"c{outer}yx")
    recipe = Recipe.of(model.get_params())
    names = recipe.pipeline.names(plan(opened, opened.positions[0], recipe).feed)
    path = write_image(
        target,
        np.moveaxis(stack, 0, axes.index("c")),
        axes=axes,
        spacing={a: d for a, d in image.spacing.items() if a in axes},
        unit=image.unit,
        channels=names,
    )
    return Written(path, len(names))


def _plane(image: Image, at: dict[str, int]) -> Image:
    plane = image.at(**at) if at else image
    left: dict[str, Any] = {a: n for a, n in plane.sizes.items() if a in "tz" and n > 1}
    if left:
        sizes = ", ".join(f"{size} along {axis}" for axis, size in left.items())
        example = ",".join(f"{axis}={size // 2}" for axis, size in left.items())
        raise ShapeError(
            f"{image.source} has several planes ({sizes}); a picture shows one. Choose it, such as "
            f"at {example}."
        )
    return plane
