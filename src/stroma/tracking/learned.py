"""Costs of links that are learned from annotated tracks: boosted trees on pairs of detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify import CLASSIFIERS
from stroma.classify.contract import Classifier
from stroma.data.tracks import Floats, Ints
from stroma.errors import FormatError, NotTrainedError
from stroma.tracking.annotated import (
    Annotated,
    common_measures,
    paired,
    require_enough,
    wider_than_usual,
)
from stroma.tracking.candidates import Candidates
from stroma.tracking.families import Families
from stroma.tracking.pairs import family_features, pair_features, pair_names, plausible
from stroma.tracking.told import damaged, outdated, read_told, told

APART, SAME = 1, 2
"""Classes of pairs."""

LEAST = 1e-3
"""Probability below which a link costs no more."""

MOST_PAIRS = 400_000
"""Pairs that are learned from; of more, as many drawn evenly."""

USUAL = 0.5
"""Hand-made price of a division that is as likely as not, where divisions were not learned."""

ENOUGH_DIVISIONS = 8
"""Divisions that are learned from at least."""


@dataclass(frozen=True)
class LinkModel:
    """Tells from a pair of objects whether they are the same.

    ``fit`` returns a fitted copy. A fitted one is a cost: called with candidates, it returns what
    each costs, the logarithm to base 2 of one over the probability of the link.

    Parameters
    ----------
    params : mapping
        Parameters of the boosted trees (`stroma.classify.catboost.CatBoost`).
    measures_ : tuple of str
        What it looks at beside places, areas and overlaps: "intensity" where it was told.
    wider : float
        How many times as far as is typical (`stroma.tracking.candidates.typical_reach`) objects
        may get, found by ``fit``.
    scores_ : mapping of str to float
        "recall" and "precision" of links in frames that were left out.
    families_ : Classifier or None
        Tells divisions; None where too few were annotated, so that they cost what they do unless
        learned.
    """

    learner: ClassVar[str] = "trees"

    params: Mapping[str, Any] = field(default_factory=lambda: {"iterations": 150, "rsm": 1.0})
    measures_: tuple[str, ...] = field(default=(), kw_only=True)
    wider: float = field(default=1.0, kw_only=True)
    scores_: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    learned_: Classifier | None = field(default=None, kw_only=True, repr=False, compare=False)
    families_: Classifier | None = field(default=None, kw_only=True, repr=False, compare=False)

    def fit(self, movies: Sequence[Annotated]) -> Self:
        """Return a copy fitted to annotated movies.

        Raises
        ------
        LabelError
            If there are fewer than 20 links, or nothing that is no link.
        """
        measures, wider = common_measures(movies), wider_than_usual(movies)
        parts = [_rows(movie, measures, wider, i) for i, movie in enumerate(movies)]
        X = np.concatenate([part.X for part in parts])
        y = np.concatenate([part.y for part in parts])
        group = np.concatenate([part.group for part in parts])
        require_enough(y == SAME)
        learned = self._blank().fit(*_fewer(X, y))
        scores = self._held_out(X, y, group)
        return replace(
            self,
            measures_=measures,
            wider=wider,
            scores_=scores,
            learned_=learned,
            families_=self._of_families(parts),
        )

    def _of_families(self, parts: Sequence[_Rows]) -> Classifier | None:
        X = np.concatenate([part.families for part in parts])
        y = np.concatenate([part.divided for part in parts])
        if min((y == SAME).sum(), (y == APART).sum()) < ENOUGH_DIVISIONS:
            return None
        return self._blank().fit(*_fewer(X, y))

    def _blank(self) -> Classifier:
        found: Classifier = CLASSIFIERS["catboost"](**self.params)
        return found

    def _held_out(self, X: NDArray[np.float32], y: Ints, group: Ints) -> dict[str, float]:
        """Return the scores on each part of the frames when learned from the others."""
        same = np.zeros(len(y), np.bool_)
        for part in np.unique(group):
            out = group == part
            if len(np.unique(y[~out])) < 2:
                return {}
            own = self._blank().fit(*_fewer(X[~out], y[~out]))
            same[out] = own.predict_proba(X[out])[:, 1] > 0.5
        true = y == SAME
        right = int((same & true).sum())
        return {"recall": right / int(true.sum()), "precision": right / max(1, int(same.sum()))}

    def __call__(self, pairs: Candidates) -> Floats:
        """Return the (m,) cost of every pair: 0 for a sure link, 1 for a chance of one half."""
        return _surprise(self._fitted(), pair_features(pairs, self.measures_))

    def _fitted(self) -> Classifier:
        if self.learned_ is None:
            raise NotTrainedError("Links were not learned yet. Call fit with annotated movies.")
        return self.learned_

    def divisions(self, pairs: Candidates, cost: Floats, appear: float) -> Families:
        """Return the possible divisions: one that is as likely as not is neither gain nor loss.

        Parameters
        ----------
        pairs : Candidates
            The m pairs.
        cost : (m,) float64
            What they cost.
        appear : float
            Price of a daughter that appears instead.
        """
        families = plausible(pairs)
        single = cost[families.edges].min(axis=1, initial=np.inf)
        if self.families_ is None:
            return Families(families.edges, single + appear + families.price - USUAL)
        measured = family_features(pairs, families, pair_features(pairs, self.measures_))
        return Families(families.edges, single + appear * _surprise(self.families_, measured))

    def state(self) -> dict[str, Any]:
        """Return everything as plain values and arrays, for a file."""
        learned, families = self._fitted(), self.families_
        return {
            **told(self.learner, self),
            "params": learned.params(),
            "arrays": learned.arrays(),
            "families": None if families is None else families.arrays(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a fitted model, every value checked (they may come from a stranger).

        Raises
        ------
        FormatError
            If something is missing or damaged, or of a version with other measures of pairs.
        """
        said = read_told(state)
        try:
            params, known = dict(state["params"]), CLASSIFIERS["catboost"]
            learned, families = known.from_arrays(params, state["arrays"]), state["families"]
            families = None if families is None else known.from_arrays(params, families)
        except FormatError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(str(error)) from error
        count = len(pair_names(said["measures_"]))
        if not _is_of(learned, count):
            raise outdated()
        if families is not None and not _is_of(families, 2 * count + 3):
            raise outdated()
        return cls(params, **said, learned_=learned, families_=families)


def _is_of(trees: Classifier, columns: int) -> bool:
    return trees.n_features_in_ == columns and trees.classes_.tolist() == [APART, SAME]


def _surprise(trees: Classifier, X: NDArray[np.float32]) -> Floats:
    """Return the logarithm to base 2 of one over the probability of SAME."""
    if not len(X):
        return np.zeros(0)
    chance = trees.predict_proba(X)[:, 1].astype(np.float64)
    return np.asarray(-np.log2(np.maximum(chance, LEAST)))


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is learned from a movie: features and class of pairs, and of divisions."""

    X: NDArray[np.float32]
    y: Ints
    group: Ints
    families: NDArray[np.float32]
    divided: Ints


def _rows(movie: Annotated, measures: tuple[str, ...], wider: float, number: int) -> _Rows:
    found = paired(movie, wider, number)
    X, families = pair_features(found.pairs, measures), plausible(found.pairs)
    return _Rows(
        X,
        np.where(found.same, SAME, APART),
        found.part,
        family_features(found.pairs, families, X),
        np.where(found.same[families.edges].all(axis=1), SAME, APART),
    )


def _fewer(X: NDArray[np.float32], y: Ints) -> tuple[NDArray[np.float32], Ints]:
    step = -(-len(y) // MOST_PAIRS)
    return X[::step], y[::step]
