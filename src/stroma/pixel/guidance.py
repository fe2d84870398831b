"""What helps a person to paint: where next, how good it is, what it rests on, what else to try.

Pure functions of strokes and results; what takes long can be cancelled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.blocks.box import Box
from stroma.classify.contract import Classifier
from stroma.data.statistics import Statistics, pool
from stroma.errors import Cancelled, LabelError
from stroma.features.cache import FeatureCache
from stroma.pixel.classifiers import fit, unfitted
from stroma.pixel.door import Points, thinned
from stroma.pixel.param import Param
from stroma.pixel.plan import Recipe, own_statistics
from stroma.pixel.training import Labelled, rows

MAX_GROUPS = 65535
CAP = 2000
"""Labelled pixels per class and image that accuracy is estimated with."""

Cancel = Callable[[], bool]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Suggestion:
    """Where to paint next.

    Parameters
    ----------
    box : Box
        A square around the place, in pixels.
    y, x : float
        Its middle.
    score : float
        0 to 1: how uncertain the model is there, less where strokes are near.
    """

    box: Box
    y: float
    x: float
    score: float


@dataclass(frozen=True, eq=False)
class Validation:
    """How well strokes are predicted from other strokes.

    Parameters
    ----------
    labels : tuple of int
        The classes, in the order of ``confusion``.
    confusion : (K, K) int array
        Labelled pixels, by painted (row) and predicted (column) class.
    strokes : tuple of int
        Strokes per class.
    untested : tuple of int
        Classes with a single stroke: it was never left out, so nothing is known about them.
    folds : int
        How many times a part of the strokes was left out.
    seconds : float
        Time it took.
    """

    labels: tuple[int, ...]
    confusion: NDArray[np.int64]
    strokes: tuple[int, ...]
    untested: tuple[int, ...]
    folds: int
    seconds: float

    @property
    def recall(self) -> tuple[float, ...]:
        """Share of each class's pixels that were found; NaN for untested classes."""
        total = self.confusion.sum(axis=1)
        right = self.confusion.diagonal()
        return tuple(r / t if t else float("nan") for r, t in zip(right, total, strict=True))

    @property
    def accuracy(self) -> float:
        """Mean of the recalls of the tested classes, so that large strokes do not count more."""
        known = [r for r in self.recall if r == r]
        return sum(known) / len(known)


def suggest(
    uncertainty: NDArray[np.floating],
    painted: NDArray[np.bool_],
    *,
    step: int = 1,
    side: int = 64,
) -> Suggestion | None:
    """Return the most uncertain place away from existing strokes; None if all is certain.

    Parameters
    ----------
    uncertainty : (h, w) float array
        1 minus the margin of the two best classes, NaN where unknown.
    painted : (h, w) bool array
        Where there are strokes.
    step : int
        Pixels per value.
    side : int
        Side of the square to return, in pixels; also the scale on which places are compared, and
        the distance from strokes at which they stop to matter much.
    """
    known = np.isfinite(uncertainty)
    scale = max(side / step / 4, 0.5)
    weight = ndimage.gaussian_filter(known.astype(np.float32), scale)
    filled = np.where(known, uncertainty, 0).astype(np.float32)
    smooth = ndimage.gaussian_filter(filled, scale) / np.maximum(weight, 1e-6)
    if painted.any():
        distance = ndimage.distance_transform_edt(~painted)
        smooth = smooth * (distance / (distance + side / step))
    score = np.where(known & ~painted, smooth, 0)
    row, column = np.unravel_index(int(score.argmax()), score.shape)
    if score[row, column] <= 0:
        return None
    y, x = (int(row) + 0.5) * step, (int(column) + 0.5) * step
    whole = Box(0, 0, uncertainty.shape[0] * step, uncertainty.shape[1] * step)
    top, left = int(y - side / 2), int(x - side / 2)
    box = Box(top, left, top + side, left + side).clipped(whole)
    return Suggestion(box, y, x, float(score[row, column]))


def components(points: Points) -> NDArray[np.int64]:
    """Return the (n,) number of the connected stroke of one label that each pixel belongs to.

    Pixels that share a side or a corner are connected. Numbers start at 1.
    """
    group = np.zeros(len(points.label), np.int64)
    last = 0
    for plane, label in sorted(set(zip(points.plane.tolist(), points.label.tolist(), strict=True))):
        members = np.flatnonzero((points.plane == plane) & (points.label == label))
        parts, count = _connected(points.yx[members])
        group[members] = last + parts
        last += count
    return group


def _connected(yx: NDArray[np.intp]) -> tuple[NDArray[np.int64], int]:
    """Return the component (from 1) of every pixel, and how many there are."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    width = int(yx[:, 1].max()) + 3
    place = (yx[:, 0].astype(np.int64) + 1) * width + yx[:, 1] + 1
    order = np.argsort(place)
    ordered = place[order]
    pairs = []
    for offset in (1, width - 1, width, width + 1):
        at = np.searchsorted(ordered, place + offset)
        hit = at < len(ordered)
        hit[hit] = ordered[at[hit]] == place[hit] + offset
        pairs.append(np.stack([np.flatnonzero(hit), order[at[hit]]]))
    a, b = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(len(a), bool), (a, b)), shape=(len(yx), len(yx)))
    count, parts = connected_components(graph, directed=False)
    return parts.astype(np.int64) + 1, int(count)


def validate(
    strokes: Mapping[str, Labelled],
    param: Param,
    cache: FeatureCache,
    *,
    groups: Mapping[str, NDArray[np.integer]] | None = None,
    folds: int = 5,
    cancel: Cancel | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Estimate how good a model is, by leaving out a fifth of the strokes and predicting them.

    Whole strokes are left out, since pixels of one stroke are too much alike to test each other.

    Parameters
    ----------
    strokes : mapping of str to Labelled
        Images with their labelled pixels.
    param : Param
        Parameters of the model.
    cache : FeatureCache
        Where features are kept.
    groups : mapping of str to (n,) int array, optional
        The stroke each labelled pixel belongs to; connected components, unless given.
    folds : int
        How many parts.
    cancel : callable, optional
        Asked before every fit.
    progress : callable, optional
        Told how many fits are done, and of how many.

    Raises
    ------
    LabelError
        If no two classes have two strokes each.
    """
    start = time.perf_counter()
    owners = groups or {key: components(s.points) for key, s in strokes.items()}
    X, stroke, label_of = _grouped_rows(strokes, owners, param, cache, cancel)
    labels = np.unique(label_of)
    counts = tuple(int((label_of == label).sum()) for label in labels)
    fold_of = _dealt(label_of, folds)
    if sum(count > 1 for count in counts) < 2:
        raise LabelError(
            "Accuracy is measured by leaving out strokes, so at least two classes need two "
            f"strokes each; there are {dict(zip(labels.tolist(), counts, strict=True))} by class."
        )
    y, fold = label_of[stroke], fold_of[stroke]
    used = [f for f in range(folds) if (fold == f).any()]
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    for done, left_out in enumerate(used):
        _stop_if(cancel)
        if progress is not None:
            progress(done, len(used))
        test = fold == left_out
        classifier = _fitted(param, X[~test], y[~test])
        guess = classifier.classes_[classifier.predict_proba(X[test]).argmax(axis=1)]
        at = np.searchsorted(labels, y[test]), np.searchsorted(labels, guess)
        np.add.at(confusion, at, 1)
    untested = tuple(int(v) for v, count in zip(labels, counts, strict=True) if count < 2)
    seconds = time.perf_counter() - start
    names = tuple(int(v) for v in labels)
    return Validation(names, confusion, counts, untested, len(used), seconds)


def _fitted(param: Param, X: NDArray[np.floating], y: NDArray[np.uint16]) -> Classifier:
    _, blank = unfitted(param)
    return fit(blank, X, y, int(param.clf_max_pixels or 0))


def _grouped_rows(
    strokes: Mapping[str, Labelled],
    owners: Mapping[str, NDArray[np.integer]],
    param: Param,
    cache: FeatureCache,
    cancel: Cancel | None,
) -> tuple[NDArray[np.floating], NDArray[np.intp], NDArray[np.uint16]]:
    """Return features, the stroke of every row, and the label of every stroke."""
    recipe = Recipe.of(param)
    common = _common(strokes, param, recipe)
    X: list[NDArray[np.floating]] = []
    stroke: list[NDArray[np.intp]] = []
    label_of: list[NDArray[np.uint16]] = []
    for key, (source, points) in strokes.items():
        _stop_if(cancel)
        if not len(points.label):
            continue
        pairs = np.column_stack([owners[key], points.label])
        found, number = np.unique(pairs, axis=0, return_inverse=True)
        few = _thinned(points, number.reshape(-1))
        made, own = rows(source, few, recipe, common, cap=len(points.label), cache=cache)
        stroke.append(own.astype(np.intp) - 1 + sum(len(labels) for labels in label_of))
        X.append(made)
        label_of.append(found[:MAX_GROUPS, 1].astype(np.uint16))
    if not X:
        raise LabelError("There are no strokes yet. Paint at least two of each class.")
    return np.concatenate(X), np.concatenate(stroke), np.concatenate(label_of)


def _thinned(points: Points, number: NDArray[np.intp]) -> Points:
    """Return at most ``CAP`` points of each class, labelled with their stroke, from 1."""
    place = np.flatnonzero(number < MAX_GROUPS)
    points = Points(points.plane[place], points.yx[place], points.label[place])
    number = number[place]
    numbered = np.column_stack([points.yx, np.arange(len(number))])
    kept = thinned(Points(points.plane, numbered, points.label), CAP).yx[:, 2]
    return Points(points.plane[kept], points.yx[kept], (number[kept] + 1).astype(np.uint16))


def _common(strokes: Mapping[str, Labelled], param: Param, recipe: Recipe) -> Statistics | None:
    if param.norm_from != "training" or recipe.normalize == 1:
        return None
    return pool(own_statistics(s.source, recipe, s.source.image) for s in strokes.values())


def _dealt(label_of: NDArray[np.uint16], folds: int) -> NDArray[np.intp]:
    """Return the fold of every stroke, those of a class dealt out evenly, -1 for single ones."""
    fold = np.full(len(label_of), -1)
    random = np.random.default_rng(0)
    for label in np.unique(label_of):
        members = random.permutation(np.flatnonzero(label_of == label))
        if len(members) > 1:
            fold[members] = np.arange(len(members)) % folds
    return fold


def importance(
    names: Sequence[str], classifier: Classifier, *, most: int | None = None
) -> list[tuple[str, float]]:
    """Return features with their share in the decision (all add up to 1), largest first."""
    shares = classifier.feature_importances_
    order = np.argsort(-shares, kind="stable")[:most]
    return [(names[i], float(shares[i])) for i in order]


def _stop_if(cancel: Cancel | None) -> None:
    if cancel is not None and cancel():
        raise Cancelled("The work was cancelled.")
