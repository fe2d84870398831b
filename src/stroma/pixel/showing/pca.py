"""Principal components of features: many numbers per pixel, shown as a few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

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
    pictures, found = components_of_planes([current], cache, count=count, progress=progress)
    return pictures[0], found


def components_of_planes(
    planes: Sequence[Plan], cache: FeatureCache, *, count: int = 3, progress: Progress | None = None
) -> tuple[list[NDArray[np.float32]], Components]:
    """Return the principal components of the features of several planes: the same for all.

    Parameters
    ----------
    planes : sequence of Plan
        The planes and what is computed on each.
    cache, count, progress
        As for `principal_components`.

    Returns
    -------
    list of (count, y, x) float32 array
        The components of each plane.
    Components
        What they were computed with.

    Raises
    ------
    ParameterError
        If there are fewer features than components.
    """
    features = len(planes[0].recipe.pipeline.names(planes[0].feed))
    if not 1 <= count <= features:
        raise ParameterError(f"Components are 1 to {features}, the features, got {count}.")
    report, total = progress or (lambda done, total: None), 2 * sum(len(p.blocks()) for p in planes)
    done = 0
    moments = np.zeros((features + 1, features + 1))
    for one in planes:
        for part in run(partial(_moments, one, cache=cache), one.blocks()):
            moments += part
            done += 1
            report(done, total)
    found = _components(moments, count)
    pictures = []
    for one in planes:
        picture = np.empty((count, *one.grid.image_shape), np.float32)
        for block, values in run(partial(_placed, one, cache=cache, found=found), one.blocks()):
            picture[(..., *one.grid.pixels(block.core).index)] = values
            done += 1
            report(done, total)
        pictures.append(picture if "z" in one.image.sizes else picture[:, 0])
    return pictures, found


def _placed(
    current: Plan, block: Block, *, cache: FeatureCache, found: Components
) -> tuple[Block, NDArray[np.float32]]:
    return block, _projected(current, block, cache, found)


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
