"""How good a model is, estimated from the strokes there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.classify.contract import Classifier
from stroma.data.statistics import Statistics, pool
from stroma.errors import Cancelled, LabelError
from stroma.features.cache import FeatureCache
from stroma.pixel.choices.classifiers import fit, unfitted
from stroma.pixel.door import Points, thinned
from stroma.pixel.guidance.components import components
from stroma.pixel.param import Param
from stroma.pixel.predicting.plan import Recipe, own_statistics
from stroma.pixel.training.learn import Labelled, rows

MAX_GROUPS = 65535
CAP = 2000
"""Labelled pixels per class and image that accuracy is estimated with."""

Cancel = Callable[[], bool]
Progress = Callable[[int, int], None]


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
        stop_if(cancel)
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
        stop_if(cancel)
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


def stop_if(cancel: Cancel | None) -> None:
    """Raise Cancelled where it is asked for."""
    if cancel is not None and cancel():
        raise Cancelled("The work was cancelled.")
