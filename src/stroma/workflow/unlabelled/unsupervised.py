"""What features say of a plane without any strokes: main components, and groups of pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import Cancelled
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.predicting.plan import plan
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.run import blocks_of
from stroma.pixel.showing.pca import components_of_planes

Progress = Callable[[int, int], None]


def component_image(
    model: ConvpaintModel,
    image: Image,
    *,
    components: int = 3,
    channels: Sequence[int] | None = None,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> NDArray[np.float32]:
    """Return the main components of the features of an image.

    Of one plane they are (components, y, x); of several, (components, t, z, y, x) as far as
    present, and the same directions for all.

    Parameters
    ----------
    model : ConvpaintModel
        Says which features; need not be trained.
    image : Image
        One plane or several, with or without channels.
    components : int
        How many.
    channels : sequence of int, optional
        Channels to use.
    progress : callable, optional
        Told how many blocks are done, and of how many.
    cancel : callable, optional
        Asked between blocks whether to stop.
    """

    def report(done: int, total: int) -> None:
        if cancel is not None and cancel():
            raise Cancelled("The features were cancelled.")
        if progress is not None:
            progress(done, total)

    opened = model.open(image, None if channels is None else list(channels))
    recipe = Recipe.of(model.get_params())
    planes = [plan(opened, position, recipe) for position in opened.positions]
    count = min(components, len(recipe.pipeline.names(planes[0].feed)))
    values, _ = components_of_planes(planes, model.cache, count=count, progress=report)
    outer = tuple(n for axis, n in image.sizes.items() if axis in "tz" and len(planes) > 1)
    shape = values[0].shape[1:]
    return np.stack(values, axis=1).reshape(count, *outer, *shape)


def cluster_image(
    model: ConvpaintModel,
    image: Image,
    *,
    clusters: int = 3,
    channels: Sequence[int] | None = None,
    rng: int = 0,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> NDArray[np.uint8]:
    """Return groups of pixels with similar features in one plane, (y, x), from 1.

    They are those of ``ConvpaintModel.cluster``; the model that is given stays as it is.

    Parameters
    ----------
    model, image, channels, progress, cancel
        As for `component_image`.
    clusters : int
        How many, 2 to 64.
    rng : int
        Seed of the sample and of the grouping.
    """
    if channels is None and model.classifier is not None:
        channels = model.in_channels_
    own = ConvpaintModel(param=model.get_params())
    own.cache = model.cache
    own.cluster(image, classes=clusters, in_channels=channels, rng=rng)
    source = own.open(image)
    labels = np.zeros(source.plane_shape, np.uint8)
    for block in blocks_of(source, own.trained(), own.cache, cancel=cancel):
        labels[block.y, block.x] = block.labels
        if progress is not None:
            progress(block.done, block.total)
    return labels
