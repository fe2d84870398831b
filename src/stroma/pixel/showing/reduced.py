"""Features reduced for the eye: to a few components, or to clusters, image by image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError

SAMPLE = 100_000
"""Pixels that components and clusters are found with; of more, a seeded sample."""


def reduced(
    features: NDArray[np.float32], *, components: int = 0, clusters: int = 0
) -> NDArray[Any]:
    """Return (F, ...) features as (n, ...) components from 0 to 1, or as (...) clusters from 1.

    Parameters
    ----------
    features : (F, ...) float32 array
        Features of an image.
    components : int
        Principal components to keep; all features where 0.
    clusters : int
        Clusters (of the components, if there are some) to tell apart; none where 0.

    Raises
    ------
    ParameterError
        If there are fewer features than components, or a number is below 0.
    """
    if not 0 <= components <= len(features) or not 0 <= clusters <= 255:
        raise ParameterError(
            f"pca_components is 0 to the number of features, {len(features)}, and kmeans_clusters "
            f"0 to 255; got {components} and {clusters}."
        )
    pixels = features.reshape(len(features), -1).T
    few = pixels
    if len(pixels) > SAMPLE:
        few = pixels[np.random.default_rng(0).choice(len(pixels), SAMPLE, replace=False)]
    if components:
        few, pixels = _projected(few, pixels, components)
    if clusters:
        from sklearn.cluster import KMeans

        found = KMeans(clusters, random_state=0, n_init=1).fit(few).predict(pixels)
        return np.asarray(found + 1, np.uint8).reshape(features.shape[1:])
    return pixels.T.reshape(-1, *features.shape[1:])


def _projected(
    few: NDArray[np.float32], pixels: NDArray[np.float32], components: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    from sklearn.decomposition import PCA

    model = PCA(components, random_state=0).fit(few)
    made = model.transform(pixels).astype(np.float32)
    low, span = made.min(), max(float(np.ptp(made)), 1e-12)
    few = (model.transform(few).astype(np.float32) - low) / span
    return few, (made - low) / span
