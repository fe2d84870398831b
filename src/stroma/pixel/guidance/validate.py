"""How good a model is, estimated from the strokes there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class, complete
from stroma.data.statistics import Statistics, pool
from stroma.errors import Cancelled, LabelError
from stroma.features.cache import FeatureCache
from stroma.features.part import Feed
from stroma.pixel.choices.classifiers import fit, unfitted
from stroma.pixel.door import Points, Source, thinned
from stroma.pixel.guidance.components import components, separate
from stroma.pixel.guidance.validation import LEAST_STROKES, Validation, too_few
from stroma.pixel.param import Param
from stroma.pixel.predicting.plan import own_statistics
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.training.learn import Labelled, rows
from stroma.pixel.training.shares import Places, weighed

MAX_GROUPS = 65535
CAP = 2000
"""Labelled pixels per class and image that accuracy is estimated with."""

APART = 8
"""Pixels between two strokes of a class below which they count as one."""

Cancel = Callable[[], bool]
Progress = Callable[[int, int], None]


def validate(
    strokes: Mapping[str, Labelled],
    param: Param,
    cache: FeatureCache,
    *,
    groups: Mapping[str, NDArray[np.integer]] | None = None,
    folds: int = 5,
    classes: Sequence[Class] = (),
    cancel: Cancel | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Estimate how good a model is, by leaving out a part of the strokes and predicting them.

    Whole strokes are left out, since pixels of one stroke are too much alike to test each other,
    and strokes of a class that nearly touch are left out together; where features are those of
    volumes, also strokes on planes that lie close to one another. Classes count alike, and so do
    the strokes of a class.

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
    classes : sequence of Class
        What the labels are called, where people are told of them.
    cancel : callable, optional
        Asked before every fit.
    progress : callable, optional
        Told how many fits are done, and of how many.

    Raises
    ------
    LabelError
        If not even two classes have three separate strokes each.
    """
    start = time.perf_counter()
    apart = _separate(strokes, groups, Recipe.of(param))
    named, counts = _counted(apart, classes)
    _require_enough(named, counts)
    labels = np.array([one.label for one in named])
    label_of = np.concatenate([one.label_of for one in apart])
    X, stroke, places = _rows(strokes, apart, param, cache, cancel)
    y, fold = label_of[stroke], _dealt(label_of, folds)[stroke]
    used = [f for f in range(folds) if (fold == f).any()]
    given = np.zeros((len(y), len(labels)), np.float32)
    source, cap = next(iter(strokes.values())).source, int(param.clf_max_pixels or 0)
    ends = Recipe.of(param).pipeline.families(Feed(source.channels, rgb=source.rgb))
    blank = weighed(unfitted(param)[1], X, y, places, ends)
    for done, left_out in enumerate(used):
        stop_if(cancel)
        if progress is not None:
            progress(done, len(used))
        test = fold == left_out
        classifier = fit(blank, X[~test], y[~test], cap)
        columns = np.searchsorted(labels, classifier.classes_)
        given[np.ix_(test, columns)] = classifier.predict_proba(X[test])
    return _summed(given, stroke, label_of, fold >= 0, named, counts, len(used), start)


def _summed(
    given: NDArray[np.float32],
    stroke: NDArray[np.intp],
    label_of: NDArray[np.uint16],
    tested: NDArray[np.bool_],
    classes: tuple[Class, ...],
    counts: tuple[int, ...],
    folds: int,
    start: float,
) -> Validation:
    """Return what the (n, K) probabilities of left-out pixels say."""
    labels = np.array([one.label for one in classes])
    true = np.searchsorted(labels, label_of[stroke])
    guess = given.argmax(axis=1)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (true[tested], guess[tested]), 1)
    size = np.bincount(stroke[tested], minlength=len(label_of))
    right = np.bincount(stroke[tested], (guess == true)[tested], len(label_of))
    of_class = [np.flatnonzero((label_of == label) & (size > 0)) for label in labels]
    return Validation(
        classes,
        confusion,
        counts,
        tuple(c.label for c, n in zip(classes, counts, strict=True) if n < LEAST_STROKES),
        folds,
        time.perf_counter() - start,
        tuple(right[members] / size[members] for members in of_class),
    )


class _Apart(NamedTuple):
    """Separate strokes of an image: a part of their pixels, labelled by stroke from 1 on."""

    key: str
    points: Points
    label_of: NDArray[np.uint16]


def require_enough(
    strokes: Mapping[str, Labelled],
    param: Param,
    *,
    groups: Mapping[str, NDArray[np.integer]] | None = None,
    classes: Sequence[Class] = (),
) -> None:
    """Check, before anything is computed, that there are strokes enough to leave some out.

    Parameters
    ----------
    strokes, param, groups, classes
        As for `validate`.

    Raises
    ------
    LabelError
        If not even two classes have three separate strokes each.
    """
    apart = _separate(strokes, groups, Recipe.of(param))
    _require_enough(*_counted(apart, classes))


def _counted(
    apart: Sequence[_Apart], classes: Sequence[Class]
) -> tuple[tuple[Class, ...], tuple[int, ...]]:
    """Return the classes that are painted, and how many strokes each has."""
    every = [label for one in apart for label in one.label_of.tolist()]
    named = complete(classes, every)
    return named, tuple(every.count(one.label) for one in named)


def _require_enough(classes: Sequence[Class], counts: Sequence[int]) -> None:
    if not classes:
        raise LabelError("There are no strokes yet. Paint at least three of each class.")
    if sum(count >= LEAST_STROKES for count in counts) < 2:
        raise LabelError(
            f"Too few strokes to tell how good it is. Paint at least {LEAST_STROKES} strokes, "
            f"apart from one another, of two classes or more; {too_few(classes, counts)}."
        )


def _separate(
    strokes: Mapping[str, Labelled],
    groups: Mapping[str, NDArray[np.integer]] | None,
    recipe: Recipe,
) -> list[_Apart]:
    """Return the separate strokes of every image that has any."""
    owners = groups or {key: components(s.points) for key, s in strokes.items()}
    apart = []
    for key, (source, points) in strokes.items():
        if not len(points.label):
            continue
        pairs = np.column_stack([owners[key], points.label])
        found, number = np.unique(pairs, axis=0, return_inverse=True)
        few = _thinned(points, number.reshape(-1))
        depth, step = _volume(source, recipe)
        few, found = separate(few, found[:MAX_GROUPS, 1], APART, depth=depth, step=step)
        apart.append(_Apart(key, few, found.astype(np.uint16)))
    return apart


def _rows(
    strokes: Mapping[str, Labelled],
    apart: Sequence[_Apart],
    param: Param,
    cache: FeatureCache,
    cancel: Cancel | None,
) -> tuple[NDArray[np.floating], NDArray[np.intp], Places]:
    """Return features, the stroke of every row, and where the rows of every image lie."""
    recipe = Recipe.of(param)
    common = _common(strokes, param, recipe)
    X: list[NDArray[np.floating]] = []
    stroke: list[NDArray[np.intp]] = []
    places: list[tuple[NDArray[np.integer], int]] = []
    before = 0
    for key, points, label_of in apart:
        stop_if(cancel)
        source, all_of_it = strokes[key]
        every = len(all_of_it.label)
        made, at = rows(source, points, recipe, common, cap=every, cache=cache)
        X.append(made)
        stroke.append(at.label.astype(np.intp) - 1 + before)
        places.append((at.places, len(at.label)))
        before += len(label_of)
    return np.concatenate(X), np.concatenate(stroke), places


def _volume(source: Source, recipe: Recipe) -> tuple[int, float]:
    """Return how many planes are looked at together, and how far apart they are in pixels."""
    if recipe.axes == "yx":
        return 1, 1.0
    voxel = recipe.voxel or source.voxel
    return source.depth, 1.0 if voxel is None else voxel[0] / voxel[2]


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
    """Return the fold of every stroke, those of a class dealt out evenly; -1 where too few."""
    fold = np.full(len(label_of), -1)
    random = np.random.default_rng(0)
    for label in np.unique(label_of):
        members = random.permutation(np.flatnonzero(label_of == label))
        if len(members) >= LEAST_STROKES:
            fold[members] = np.arange(len(members)) % folds
    return fold


def stop_if(cancel: Cancel | None) -> None:
    """Raise Cancelled where it is asked for."""
    if cancel is not None and cancel():
        raise Cancelled("The work was cancelled.")
