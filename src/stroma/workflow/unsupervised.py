"""What features say of a plane without any strokes: main components, and groups of pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import Cancelled, ParameterError
from stroma.pixel.model import ConvpaintModel
from stroma.pixel.predicting.plan import Recipe, plan
from stroma.pixel.showing.pca import principal_components

Progress = Callable[[int, int], None]
SAMPLED = 20_000
"""Pixels that the centres of groups are found on."""

GROUPED_COMPONENTS = 10


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
    model: ConvpaintModel, image: Image, *, clusters: int = 3, rng: int = 0, **options: Any
) -> NDArray[np.uint8]:
    """Return groups of pixels with similar features in one plane, (y, x), from 1.

    The centres are found by k-means on a sample of the main components of the features; groups are
    numbered by their mean first component, so that numbers stay when little changes.

    Parameters
    ----------
    model, image
        As for `component_image`.
    clusters : int
        How many, 2 to 255.
    rng : int
        Seed of the sample and of k-means.
    **options
        As for `component_image`.
    """
    from sklearn.cluster import KMeans

    if not 2 <= clusters <= 255:
        raise ParameterError(f"Clusters are 2 to 255, got {clusters}.")
    values = component_image(model, image, components=GROUPED_COMPONENTS, **options)
    flat = values.reshape(len(values), -1).T
    chosen = np.random.default_rng(rng).permutation(len(flat))[:SAMPLED]
    found = KMeans(clusters, n_init=4, random_state=rng).fit(flat[chosen])
    rank = np.argsort(np.argsort(found.cluster_centers_[:, 0]))
    labels: NDArray[np.uint8] = (rank[found.predict(flat)] + 1).astype(np.uint8)
    return labels.reshape(values.shape[1:])
