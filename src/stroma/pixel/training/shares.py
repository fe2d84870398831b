"""How much filters and networks have to say, where each has an ensemble of its own.

Whether a network helps is told by strokes that were left out: the linear members of all ensembles
are fitted without a fifth of the strokes and asked for it, five times. They alone are asked, since
trees take several times as long and chose no better (see the benchmarks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from stroma.classify.contract import Classifier
from stroma.classify.ensemble import Ensemble
from stroma.classify.families import FamilyEnsemble, families, seen
from stroma.classify.logistic import Logistic
from stroma.classify.sampling import training_order
from stroma.errors import FitError
from stroma.features.build import part_names
from stroma.features.pipeline import Pipeline, is_network
from stroma.pixel.training.pieces import pieces

STEPS = 6
"""Shares that are tried are multiples of one part in so many."""

FOLDS = 5
"""Strokes are left out a part at a time, of so many."""

LEAST_PIECES = 2
"""Pieces of strokes of a class below which none of them is left out."""

CAP = 400
"""Labelled pixels of a class that are learned from and asked for."""

OF_FILTERS = 3
"""Parts of `STEPS` that filters have to say at least. What is told of pixels by themselves is too
kind to networks: results are smoothed afterwards, from which filters gain more."""

HANDICAP, CAUTION = 0.03, 0.5
"""What a mix without filters would have to gain, in squared errors of probabilities, and by how
many standard errors any mix has to be better than the filters alone."""

Places = Sequence[tuple[NDArray[np.integer] | None, int]]
"""For every image, where its rows lie, and how many there are."""


def weighed(
    classifier: Classifier,
    X: NDArray[np.floating],
    y: NDArray[np.integer],
    places: Places,
    ends: tuple[int, ...],
) -> Classifier:
    """Return a classifier that knows its families, and what each has to say; others unchanged.

    Where no strokes of two classes can be left out, the filters decide alone.

    Parameters
    ----------
    classifier : Classifier
        Unfitted.
    X : (n, F) float array
        Features of the labelled pixels of all images, one after the other.
    y : (n,) int array
        Their labels.
    places : sequence of ((m, 4) int array or None, m)
        Where the pixels of every image lie; pixels of unknown places are never left out.
    ends : tuple of int
        Where the features ahead of the first network end, and those of each network but the last.
    """
    if not isinstance(classifier, FamilyEnsemble):
        return classifier
    blank = replace(classifier, ends=ends)
    if not ends or len(np.unique(y)) < 2:
        return blank
    piece, order = _pieces(places, y)
    kept = order[training_order(X[order], y[order], cap=CAP)]
    fold = dealt(piece[kept], y[kept])
    if len(np.unique(y[kept][fold >= 0])) < 2:
        return blank
    try:
        found = _best(np.asarray(X[kept], np.float32), y[kept], fold, ends, len(y) / len(kept))
    except FitError:  # without one part of the strokes, features are all alike
        return blank
    return replace(blank, shares=found)


def _pieces(places: Places, y: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the piece of every pixel, counted over all images, and the pixels in order of place.

    The piece of a pixel whose place is unknown is -1.
    """
    found, where, begin = np.full(len(y), -1), np.full((len(y), 4), -1), 0
    for at, count in places:
        own = slice(begin, begin + count)
        if at is not None and count:
            found[own], where[own] = found.max() + 1 + pieces(at, y[own]), at
        begin += count
    return found, np.lexsort(where.T[::-1])


def dealt(piece: NDArray[np.intp], y: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return the part in which every pixel is left out, from 0; -1 is never.

    The pieces of a class are dealt out evenly, by the order in which they appear.
    """
    _, first, number = np.unique(piece, return_index=True, return_inverse=True)
    label, known = y[first], piece[first] >= 0
    fold, random, begin = np.full(len(first), -1), np.random.default_rng(0), 0
    for one in np.unique(label):
        members = np.flatnonzero((label == one) & known)
        if len(members) >= LEAST_PIECES:
            members = random.permutation(members[np.argsort(first[members])])
            fold[members] = (begin + np.arange(len(members))) % FOLDS
            begin += len(members)
    return fold[number.reshape(-1)]


def _best(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    fold: NDArray[np.intp],
    ends: tuple[int, ...],
    of_all: float,
) -> tuple[float, ...]:
    """Return the mix that tells left-out pixels best, cautiously.

    Parameters
    ----------
    of_all : float
        Pixels there are for every one of these, by which they count.
    """
    codes, columns = np.unique(y, return_inverse=True)[1], families(ends, X.shape[1])
    mixes, blank = _mixes(len(columns)), Logistic(C=Ensemble.C * of_all, max_iter=300)
    said = np.stack([_left_out(seen(X, own), codes, fold, blank) for own in columns])
    errors = _errors(mixes, said[:, fold >= 0], codes[fold >= 0], fold[fold >= 0])
    gain = errors - errors[:, :1]
    error = np.sqrt(len(gain)) * gain.std(axis=0, ddof=1) if len(gain) > 1 else np.inf
    found = gain.sum(axis=0) + CAUTION * error + HANDICAP * (1 - mixes[:, 0])
    return tuple(mixes[np.argmin(found)].tolist())


def _left_out(
    rows: NDArray[np.float32], codes: NDArray[np.intp], fold: NDArray[np.intp], blank: Logistic
) -> NDArray[np.float32]:
    """Return the (n, K) probabilities of pixels, from those in other parts."""
    said = np.zeros((len(codes), codes.max() + 1), np.float32)
    for part in np.unique(fold[fold >= 0]):
        asked = fold == part
        fitted = blank.fit(rows[~asked], codes[~asked])
        said[np.ix_(asked, fitted.classes_)] = fitted.predict_proba(rows[asked])
    return said


def _errors(
    mixes: NDArray[np.float64],
    said: NDArray[np.float32],
    codes: NDArray[np.intp],
    fold: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return the (parts, G) squared error (Brier) of every mix, summed; classes count alike."""
    counts = np.bincount(codes)
    weight = 1 / counts[codes] / (counts > 0).sum()
    parts = (fold == np.unique(fold)[:, None]) * weight
    errors = []
    for mix in mixes:
        wrong = np.tensordot(mix, said, 1)
        wrong[np.arange(len(codes)), codes] -= 1
        errors.append(parts @ np.square(wrong).sum(axis=1))
    return np.stack(errors, axis=1)


def _mixes(count: int) -> NDArray[np.float64]:
    """Return the (G, M) mixes of so many ensembles that are tried; the first one alone first."""
    steps = product(range(STEPS + 1), repeat=count - 1)
    rest = np.array([one for one in steps if sum(one) <= STEPS - OF_FILTERS]).reshape(-1, count - 1)
    return np.column_stack([STEPS - rest.sum(axis=1), rest]) / STEPS


def shares_of(classifier: Classifier, pipeline: Pipeline, name: str) -> dict[str, float]:
    """Return what each family has to say, by the names of its extractors; none without families.

    Parameters
    ----------
    classifier : Classifier
        Fitted.
    pipeline : Pipeline
        Its features.
    name : str
        The extractors of the pipeline, joined by "+".
    """
    if not isinstance(classifier, FamilyEnsemble) or classifier.learned_ is None:
        return {}
    found: list[list[str]] = [[]]
    for part, own in zip(pipeline.parts, part_names(name), strict=True):
        if is_network(part) and found[0]:
            found.append([])
        found[-1].append(own)
    together = ["+".join(names) for names in found]
    shares = classifier.learned_.shares
    return dict(zip(together, shares, strict=True)) if len(shares) > 1 else {name: 1.0}
