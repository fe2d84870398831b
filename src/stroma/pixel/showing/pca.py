"""Principal components of features: many numbers per pixel, shown as a few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.blocks.grid import Block
from stroma.blocks.run import run
from stroma.errors import ParameterError
from stroma.features.cache import FeatureCache
from stroma.pixel.predicting.plan import Plan
from stroma.pixel.predicting.predict import dense

LEAST_DEVIATION = 1e-6
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Components:
    """A projection of features onto the directions in which they vary most.

    Parameters
    ----------
    mean, deviation : (F,) float64 array
        Of every feature over the plane.
    directions : (n, F) float64 array
        Unit vectors in standardised features, the one of largest variance first.
    share : (n,) float64 array
        Share of the variance of all standardised features that each direction holds.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    directions: NDArray[np.float64]
    share: NDArray[np.float64]

    def project(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the (n, ...) components of (F, ...) features."""
        weights = self.directions / self.deviation
        flat = features.reshape(len(self.mean), -1)
        values = weights @ flat - (weights @ self.mean)[:, None]
        return values.reshape(-1, *features.shape[1:]).astype(np.float32)


def principal_components(
    current: Plan, cache: FeatureCache, *, count: int = 3, progress: Progress | None = None
) -> tuple[NDArray[np.float32], Components]:
    """Return the principal components of the features of a plane.

    Features are standardised first, so that none counts for its unit. Every block is computed
    twice, or kept in the cache: once to find the directions, once to project onto them.

    Parameters
    ----------
    current : Plan
        The plane and what is computed on it.
    cache : FeatureCache
        Where features are kept in between.
    count : int
        Number of components.
    progress : callable, optional
        Told how many blocks are done, and of how many.

    Returns
    -------
    (count, y, x) float32 array
        The components, at the resolution of the image; (count, z, y, x) of a volume.
    Components
        What they were computed with.

    Raises
    ------
    ParameterError
        If there are fewer features than components.
    """
    blocks = current.blocks()
    features = len(current.recipe.pipeline.names(current.feed))
    if not 1 <= count <= features:
        raise ParameterError(f"Components are 1 to {features}, the features, got {count}.")
    report = progress or (lambda done, total: None)

    moments = np.zeros((features + 1, features + 1))
    for done, part in enumerate(run(lambda b: _moments(current, b, cache), blocks), 1):
        moments += part
        report(done, 2 * len(blocks))
    found = _components(moments, count)

    picture = np.empty((count, *current.grid.image_shape), np.float32)
    projected = run(lambda b: (b, _projected(current, b, cache, found)), blocks)
    for done, (block, values) in enumerate(projected, 1):
        picture[(..., *current.grid.pixels(block.core).index)] = values
        report(len(blocks) + done, 2 * len(blocks))
    return (picture if "z" in current.image.sizes else picture[:, 0]), found


def as_colours(components: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return (n, y, x) components as (n, y, x) bytes, each from its 1st to its 99th percentile."""
    low, high = np.percentile(components, (1, 99), axis=(1, 2), keepdims=True)
    scaled = (components - low) / np.maximum(high - low, LEAST_DEVIATION)
    colours: NDArray[np.uint8] = (np.clip(scaled, 0, 1) * 255).round().astype(np.uint8)
    return colours


def _in_box(current: Plan, block: Block, cache: FeatureCache, working: Box) -> NDArray[np.float64]:
    maps = current.features(block, cache)
    return dense(maps, working.relative(current.region(block))).astype(np.float64)


def _moments(current: Plan, block: Block, cache: FeatureCache) -> NDArray[np.float64]:
    """Return the sums of products of all features, and of features with 1."""
    values = _in_box(current, block, cache, block.core)
    flat = np.vstack([values.reshape(len(values), -1), np.ones((1, block.core.area))])
    return flat @ flat.T


def _components(moments: NDArray[np.float64], count: int) -> Components:
    pixels = moments[-1, -1]
    mean = moments[:-1, -1] / pixels
    covariance = moments[:-1, :-1] / pixels - np.outer(mean, mean)
    deviation = np.maximum(np.sqrt(np.maximum(covariance.diagonal(), 0)), LEAST_DEVIATION)
    variances, vectors = np.linalg.eigh(covariance / np.outer(deviation, deviation))
    directions = vectors.T[::-1][:count]
    signs = np.sign(directions[np.arange(count), np.abs(directions).argmax(axis=1)])
    share = np.maximum(variances[::-1], 0) / max(np.maximum(variances, 0).sum(), LEAST_DEVIATION)
    return Components(mean, deviation, directions * signs[:, None], share[:count])


def _projected(
    current: Plan, block: Block, cache: FeatureCache, found: Components
) -> NDArray[np.float32]:
    grid = current.grid
    box = grid.pixels(block.core)
    working = grid.cells(box).grown(grid.margin).clipped(Box.of(grid.shape))
    return grid.restore(found.project(_in_box(current, block, cache, working)), working, box)
