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
from stroma.pixel.showing.pca import principal_components

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
    """Return the main components of the features of one plane, (components, y, x).

    Parameters
    ----------
    model : ConvpaintModel
        Says which features; need not be trained.
    image : Image
        One plane, with or without channels.
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
    current = plan(opened, opened.positions[0], Recipe.of(model.get_params()))
    count = min(components, len(current.recipe.pipeline.names(current.feed)))
    values, _ = principal_components(current, model.cache, count=count, progress=report)
    return values


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
