"""What stands out of images, and what is around it, without strokes.

Docherty et al., arXiv:2410.19836: many small groups of pixels are found, each is told by a measure
of how much it stands out to belong to the front or to the back, and groups are joined as long as
they are no further apart than front and back usually are. Where a vision transformer looks at the
image, what its class token looks at is that measure. Of other features nothing says what matters;
then groups that avoid the border of the image are taken to stand out (Wei et al., Geodesic saliency
using background priors, ECCV 2012).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ImageError
from stroma.features.build import TRANSFORMERS
from stroma.features.cache import FeatureCache
from stroma.features.contract import Extractor
from stroma.features.part import Part
from stroma.features.pipeline import Pipeline
from stroma.pixel.door import Points, Source
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.training.joining import joined_within
from stroma.pixel.training.lacking import has_data
from stroma.pixel.training.learn import Labelled
from stroma.pixel.training.unlabelled import features_of

MANY = 80
"""Groups that are found at first."""

BINS = 20
"""Bins of the histogram of distances between front and back; its mode ends the joining."""

RIM = 16
"""One part of so many of the height and of the width, at every side, is the border."""

LEAST_DEVIATION = 1e-6


@dataclass(frozen=True, eq=False)
class Separated:
    """Pixels of images by group, and which groups stand out.

    Parameters
    ----------
    images : mapping of str to Labelled
        Images with some of their pixels, labelled from 1 by group.
    front : tuple of int
        Labels of the groups that stand out.
    """

    images: Mapping[str, Labelled]
    front: tuple[int, ...]


def separated(
    sources: Mapping[str, Source],
    recipe: Recipe,
    *,
    samples: int,
    cache: FeatureCache,
    rng: int = 0,
) -> Separated:
    """Return groups of pixels of images that are alike, and which of them stand out.

    Parameters
    ----------
    sources : mapping of str to Source
        Images by name; a group is the same in all of them.
    recipe : Recipe
        From pixels to features.
    samples : int
        Pixels that are looked at, shared by the images.
    cache : FeatureCache
        Where features are kept.
    rng : int
        Seed of the sample and of the grouping.

    Raises
    ------
    ImageError
        If all pixels are alike.
    """
    random = np.random.default_rng(rng)
    share = max(MANY, samples // max(1, len(sources)))
    watched = attention(recipe)
    points, X, out = {}, [], []
    for key, source in sources.items():
        chosen = spread(source, count=share, random=random)
        rows = features_of(source, chosen, recipe, cache)
        found = (
            inwards(chosen, source)
            if watched is None
            else features_of(source, chosen, watched, cache).sum(axis=1, dtype=np.float64)
        )
        kept = has_data(chosen, source)
        points[key] = Points(chosen.plane[kept], chosen.yx[kept], chosen.label[kept])
        X.append(rows[kept].astype(np.float32))
        out.append(found[kept])
    rows = np.concatenate(X)
    if not len(rows):
        raise ImageError("The images hold no data (all pixels are NaN), so nothing stands out.")
    rows = standardised(rows) if watched is None else unit(rows)
    labels, front = joined(rows, np.concatenate(out), rng=rng)
    ends = np.cumsum([len(part) for part in X])[:-1]
    images = {
        key: Labelled(sources[key], points[key]._replace(label=own))
        for key, own in zip(points, np.split(labels, ends), strict=True)
    }
    return Separated(images, front)


def unit(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features of one kind, as those of transformers, with every row at length 1."""
    return np.asarray(X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), LEAST_DEVIATION))


def standardised(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features of many kinds and units with mean 0 and deviation 1."""
    deviation = np.maximum(X.std(axis=0), np.float32(LEAST_DEVIATION))
    return np.asarray((X - X.mean(axis=0)) / deviation)


def attention(recipe: Recipe) -> Recipe | None:
    """Return the recipe for what a vision transformer in another recipe looks at, if it has one."""
    shown = [_transformer(part.extractor) for part in recipe.pipeline.parts]
    for one in shown:
        if one is not None:
            from stroma.features.networks.vit import (
                ClassAttention,  # needs torch, as the transformer does
            )

            part = Part(ClassAttention(one), (1,), recipe.pipeline.parts[0].order)
            return replace(recipe, pipeline=Pipeline((part,)))
    return None


def _transformer(extractor: Extractor) -> Extractor | None:
    """Return the transformer that an extractor is, or that it is around."""
    if getattr(extractor, "backbone", "") in TRANSFORMERS:
        return extractor
    inner = getattr(extractor, "extractor", None)
    return None if inner is None else _transformer(inner)


def spread(source: Source, *, count: int, random: np.random.Generator) -> Points:
    """Return different pixels, all labelled 1, from all over an image."""
    height, width = source.plane_shape
    total = len(source.positions) * height * width
    place = np.unique(random.integers(total, size=count)) if total > count else np.arange(total)
    plane, rest = np.divmod(place, height * width)
    yx = np.column_stack(np.divmod(rest, width))
    return Points(plane, yx, np.ones(len(place), np.uint16))


def inwards(points: Points, source: Source) -> NDArray[np.float64]:
    """Return a number per point whose mean over a group tells how much it avoids the border.

    It is 0 for groups with their share of the border, and above for those with less.
    """
    height, width = source.plane_shape
    y, x = points.yx.T
    rows, columns = np.minimum(y, height - 1 - y), np.minimum(x, width - 1 - x)
    rim = (rows * RIM < height) | (columns * RIM < width)
    share = rim.mean()
    if share in (0, 1):
        return np.zeros(len(rim))
    return np.asarray(np.where(rim, -1 / share, 1 / (1 - share)), np.float64)


def joined(
    X: NDArray[np.float32], out: NDArray[np.float64], *, rng: int = 0
) -> tuple[NDArray[np.uint16], tuple[int, ...]]:
    """Return the group of every row, from 1, and the groups that stand out.

    Groups are numbered by how much they stand out, the most first.

    Parameters
    ----------
    X : (n, F) float32 array
        Features, of which distances tell something; see `unit` and `standardised`.
    out : (n,) float64 array
        How much each row stands out.
    rng : int
        Seed.

    Raises
    ------
    ImageError
        If no group stands out more than others.
    """
    from sklearn.cluster import MiniBatchKMeans

    different = len(np.unique(X[: 100 * MANY], axis=0))
    many = MiniBatchKMeans(
        min(MANY, different), n_init=3, batch_size=4096, random_state=rng, max_iter=100
    ).fit(X)
    used, small = np.unique(many.labels_, return_inverse=True)
    density = _means(out, small, len(used))
    front = density > density.mean()
    if front.all() or not front.any():
        raise ImageError(
            "Nothing stands out: all that was looked at is alike. Take an image with more in it, "
            "or other features."
        )
    large = _merged(many.cluster_centers_[used], np.bincount(small), front)
    total = _means(out, large[small], int(large.max()) + 1)
    rank = np.argsort(np.argsort(-total, kind="stable"), kind="stable")
    standing = tuple(int(k) + 1 for k in sorted(rank[total > total.mean()]))
    return np.asarray(rank[large[small]] + 1, np.uint16), standing


def _means(
    values: NDArray[np.float64], group: NDArray[np.integer], count: int
) -> NDArray[np.float64]:
    return np.asarray(np.bincount(group, values, count) / np.bincount(group, minlength=count))


def _merged(
    centres: NDArray[np.floating], sizes: NDArray[np.integer], front: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return which of the joined groups every small one is in; they are two at least."""
    from scipy.spatial.distance import cdist

    counts, edges = np.histogram(cdist(centres[front], centres[~front]), BINS)
    return joined_within(centres, sizes, float(edges[counts.argmax() + 1]))
