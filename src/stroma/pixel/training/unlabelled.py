"""Classes without strokes: pixels whose features are alike, named by numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ImageError, ParameterError
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.pixel.door import Points, Source
from stroma.pixel.predicting.predict import features_at
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.tasks import Task, each
from stroma.pixel.training.joining import Join, joined
from stroma.pixel.training.lacking import has_data
from stroma.pixel.training.learn import Labelled, holders, located

WINDOW = 128
WINDOWS = 48
"""Pixels are taken from that many windows of that side, so that huge images are not read whole."""

COMPONENTS = 24
"""Main components of the features that are compared."""

OVER = 64
"""Groups that are found at first, and then joined."""


def clustered(
    sources: Mapping[str, Source],
    recipe: Recipe,
    *,
    classes: int,
    samples: int,
    cache: FeatureCache,
    join: Join = "ward",
    rng: int = 0,
) -> dict[str, Labelled]:
    """Return images with some of their pixels, labelled 1 to ``classes`` by likeness.

    Parameters
    ----------
    sources : mapping of str to Source
        Images by name; a group is the same in all of them.
    recipe : Recipe
        From pixels to features.
    classes : int
        How many groups, 2 to 64.
    samples : int
        Pixels that are looked at, shared by the images.
    cache : FeatureCache
        Where features are kept.
    join : {"ward", "complete"}
        See `stroma.pixel.training.joining.joined`.
    rng : int
        Seed of the sample and of the grouping.
    """
    if not 2 <= classes <= OVER:
        raise ParameterError(f"Classes without strokes are 2 to {OVER}, got {classes}.")
    random = np.random.default_rng(rng)
    share = max(classes, samples // max(1, len(sources)))
    points = {key: sampled(s, count=share, random=random) for key, s in sources.items()}
    X = [features_of(sources[key], p, recipe, cache) for key, p in points.items()]
    known = [has_data(p, sources[key]) for key, p in points.items()]
    X = [rows[kept] for rows, kept in zip(X, known, strict=True)]
    points = {
        key: Points(p.plane[kept], p.yx[kept], p.label[kept])
        for (key, p), kept in zip(points.items(), known, strict=True)
    }
    labels = groups(np.concatenate(X), classes=classes, join=join, rng=rng)
    ends = np.cumsum([len(rows) for rows in X])[:-1]
    return {
        key: Labelled(sources[key], points[key]._replace(label=own))
        for key, own in zip(points, np.split(labels, ends), strict=True)
    }


def sampled(source: Source, *, count: int, random: np.random.Generator) -> Points:
    """Return pixels, all labelled 1, of windows that are spread at random over an image."""
    height, width = source.plane_shape
    planes = random.integers(len(source.positions), size=WINDOWS)
    tops = random.integers(max(1, height - WINDOW + 1), size=WINDOWS)
    lefts = random.integers(max(1, width - WINDOW + 1), size=WINDOWS)
    which = np.arange(count) % WINDOWS
    y = tops[which] + random.integers(min(WINDOW, height), size=count)
    x = lefts[which] + random.integers(min(WINDOW, width), size=count)
    place = np.unique(np.column_stack([planes[which], y, x]), axis=0)
    return Points(place[:, 0], place[:, 1:], np.ones(len(place), np.uint16))


def groups(
    X: NDArray[np.floating], *, classes: int, join: Join = "ward", rng: int = 0
) -> NDArray[np.uint16]:
    """Return the group of every row, 1 to ``classes``.

    Many small groups are found by k-means on the main components of the standardised features,
    then joined, so that groups need not be round. They are numbered by their mean first component,
    so that numbers stay when little changes.

    Parameters
    ----------
    X : (n, F) float array
        Features.
    classes : int
        How many groups.
    join : {"ward", "complete"}
        See `stroma.pixel.training.joining.joined`.
    rng : int
        Seed.

    Raises
    ------
    ImageError
        If there are fewer different rows than groups.
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import PCA

    rows = X.astype(np.float32)
    if not len(rows):
        raise ImageError("The images hold no data (all pixels are NaN), so there is no class.")
    rows = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-6)
    different = len(np.unique(rows[: 100 * classes], axis=0))
    if different < classes:
        raise ImageError(
            f"The image has too little in it for {classes} classes: the {len(rows)} pixels that "
            f"were looked at are of {different} kinds. Ask for fewer classes."
        )
    few = min(COMPONENTS, *rows.shape)
    parts = PCA(few, svd_solver="randomized", random_state=rng).fit_transform(rows)
    many = MiniBatchKMeans(
        min(OVER, different), n_init=3, batch_size=4096, random_state=rng, max_iter=50
    ).fit(parts)
    sizes = np.bincount(many.labels_, minlength=len(many.cluster_centers_))
    of_rows = joined(many.cluster_centers_, sizes, classes, by=join)[many.labels_]
    first = [parts[of_rows == g, 0].mean() if (of_rows == g).any() else 0 for g in range(classes)]
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[of_rows] + 1, np.uint16)


def features_of(
    source: Source, points: Points, recipe: Recipe, cache: FeatureCache
) -> NDArray[np.floating]:
    """Return the (n, F) features of pixels, in the order of the points."""
    cells = located(points, recipe, source)
    held = list(holders(source, cells, recipe, None))

    def one(number: int, task: Task, maps: Sequence[FeatureMap]) -> NDArray[np.floating]:
        return features_at(task, maps, cells.zyx[held[number][1]])

    rows = np.concatenate(list(each(one, [task for task, _ in held], cache)))
    back = np.argsort(np.concatenate([members for _, members in held]), kind="stable")
    return rows[back]
