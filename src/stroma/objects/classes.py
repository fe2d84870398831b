"""Classes of objects, learnt from a few that were labelled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stroma.classify import CLASSIFIERS
from stroma.classify.contract import Classifier
from stroma.data.classes import MAX_LABEL, Class, complete
from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import (
    FitError,
    FormatError,
    LabelError,
    NotTrainedError,
    ParameterError,
    ShapeError,
    UnknownNameError,
)
from stroma.objects.telling import telling

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Labels = NDArray[np.integer] | Mapping[int, int] | Sequence[int]

PLACES = (LABEL, "t", "front", "top", "left", "back", "bottom", "right", "touches_border")
RESULTS = ("centroid_", "class", "uncertainty", "orientation_")
"""Beginnings of columns that say where or what an object is, not how."""

OF_IMAGE = ("intensity_", "mass_shift_", "ring_", "contrast")
"""Beginnings of columns that are measured in an image."""

GREATEST = 1e20
"""Values of features are cut off here, above all that is measured."""

MOST_LEFT_OUT = 50
"""Above so many labelled objects they are left out in so many groups, not one by one."""


def features_of(table: ObjectTable) -> tuple[str, ...]:
    """Return the columns that say how objects are; those in pixels only where none is in µm."""
    names = [n for n in table if n not in PLACES and not n.startswith(RESULTS)]
    numbers = [n for n in names if np.asarray(table[n]).dtype.kind in "biuf"]
    return tuple(n for n in numbers if not _is_double(n, numbers))


def _is_double(name: str, names: Sequence[str]) -> bool:
    pairs = (("_px", "_um"), ("_px", "_um2"), ("_px2", "_um2"), ("_vx", "_um3"))
    return any(name.endswith(a) and name.removesuffix(a) + b in names and a != b for a, b in pairs)


@dataclass(frozen=True)
class ObjectClassifier:
    """Tells classes of objects apart by their measurements.

    ``fit`` returns a fitted copy; what was fitted before stays as it is.

    Parameters
    ----------
    classifier : str
        "forest", "ensemble", "logistic" or "catboost".
    columns : sequence of str, optional
        Measurements to look at. Where left out, those of all that say how objects are
        (`features_of`) which tell the labelled ones apart best: the more, the more are labelled.
    params : mapping, optional
        Parameters of the classifier.

    Attributes
    ----------
    columns_ : tuple of str
        The measurements it looks at.
    classes_ : (K,) int64
        The classes it tells apart, ascending.
    """

    classifier: str = "forest"
    columns: tuple[str, ...] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[Class, ...] = ()
    columns_: tuple[str, ...] = field(default=(), kw_only=True, repr=False)
    usual_: Floats = field(default_factory=lambda: np.zeros(0), kw_only=True, repr=False)
    learned_: Classifier | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.columns is not None:
            object.__setattr__(self, "columns", tuple(self.columns))
            if not self.columns or len(set(self.columns)) < len(self.columns):
                raise ParameterError(f"Columns are named once, at least one; got {self.columns}.")
        self._blank()

    def _blank(self) -> Classifier:
        found: Classifier = CLASSIFIERS[self.classifier](**self.params)
        return found

    def fit(
        self, table: ObjectTable | Sequence[ObjectTable], labels: Labels | Sequence[Labels]
    ) -> Self:
        """Return a copy fitted to the labelled objects of one table, or of several.

        Parameters
        ----------
        table : ObjectTable or sequence of them
            Measurements of all objects.
        labels : (n,) int array or mapping of int to int, or a sequence of them
            Class of each row, 0 where it is not labelled; or of the objects of some numbers.

        Raises
        ------
        LabelError
            If fewer than two classes are labelled.
        FitError
            If all that are labelled are alike.
        UnknownNameError
            If a table has not the columns.
        """
        tables, each = _several(table, labels)
        names = self.columns or features_of(tables[0])
        classes = np.concatenate([_labelled(t, y) for t, y in zip(tables, each, strict=True)])
        every = np.concatenate([t.matrix(names) for t in tables])
        y = classes[classes > 0]
        if len(np.unique(y)) < 2:
            raise LabelError(
                f"Objects of two classes at least are labelled, got {np.unique(y).tolist()}. "
                "Label one object of each class."
            )
        if self.columns is None:
            best = telling(_ready(every, _usual(every)).astype(np.float64), classes)
            names, every = tuple(names[i] for i in best), every[:, best]
        usual = _usual(every[classes > 0])
        X = _ready(every[classes > 0], usual)
        if (X[0] == X).all():
            raise FitError(
                f"The {len(X)} labelled objects are alike in all that is measured, so their "
                "classes cannot be told apart. Label others that differ, or give an image to "
                "measure values in."
            )
        known = complete(self.classes, np.unique(y))
        learned = self._blank().fit(X, y)
        return replace(self, columns_=names, usual_=usual, learned_=learned, classes=known)

    @property
    def classes_(self) -> Ints:
        """The (K,) classes it tells apart."""
        return self._fitted().classes_

    def _fitted(self) -> Classifier:
        if self.learned_ is None:
            raise NotTrainedError("No objects were labelled yet. Label one of each class first.")
        return self.learned_

    def predict_proba(self, table: ObjectTable) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of the classes of all objects."""
        learned = self._fitted()
        if not table.rows:
            return np.zeros((0, len(learned.classes_)), np.float32)
        self._require_columns(table)
        return learned.predict_proba(_ready(table.matrix(self.columns_), self.usual_))

    def _require_columns(self, table: ObjectTable) -> None:
        """Say what to give where objects lack what the classes were learnt from."""
        lacking = [name for name in self.columns_ if name not in table]
        if not lacking:
            return
        of_image = [name for name in lacking if name.startswith(OF_IMAGE)]
        raise UnknownNameError(
            f"The classes were learnt from {(of_image or lacking)[0]!r}, which is not measured of "
            "these objects. "
            + (
                "Give their image, too."
                if of_image
                else "Give what was given with those that were labelled."
            )
        )

    def predict(self, table: ObjectTable) -> Ints:
        """Return the (n,) most probable class of every object."""
        return np.asarray(self.classes_[self.predict_proba(table).argmax(axis=1)])

    def uncertainty(self, table: ObjectTable) -> Floats:
        """Return how near the second class is: 0 (sure) to 1 (two are as probable)."""
        ordered = np.sort(self.predict_proba(table), axis=1)
        return 1 - (ordered[:, -1] - ordered[:, -2]).astype(np.float64)

    def next_to_label(self, table: ObjectTable, labels: Labels, *, count: int = 1) -> Ints:
        """Return the rows of the objects that it would learn most from, best first.

        These are the most uncertain of those that are not labelled.
        """
        free = np.flatnonzero(_labelled(table, labels) == 0)
        order = np.argsort(-self.uncertainty(table)[free], kind="stable")
        return np.asarray(free[order[:count]], np.int64)

    def leave_one_out(self, table: ObjectTable, labels: Labels) -> float:
        """Return the share of labelled objects that are classed rightly when learnt from others.

        An object that is the only one of its class counts as wrong, and one without which the
        others are all alike. More than 50 are left out in 50 groups. NaN where no class has two
        labelled objects, so that none could be right.
        """
        y = _labelled(table, labels)
        rows = np.flatnonzero(y)
        if not len(rows):
            raise LabelError("No objects are labelled. Label one of each class first.")
        if np.unique(y[rows], return_counts=True)[1].max() < 2:
            return math.nan
        right = 0
        for part in range(min(len(rows), MOST_LEFT_OUT)):
            out = rows[part::MOST_LEFT_OUT]
            rest = y.copy()
            rest[out] = 0
            if len(np.unique(rest[rest > 0])) < 2:
                continue
            own = ObjectTable({n: table[n][out] for n in (LABEL, *self._names(table))})
            try:
                right += int((self.fit(table, rest).predict(own) == y[out]).sum())
            except FitError:
                continue
        return right / len(rows)

    def _names(self, table: ObjectTable) -> tuple[str, ...]:
        return self.columns or features_of(table)

    def classed(self, table: ObjectTable) -> ObjectTable:
        """Return the table with class, its name and probability, and uncertainty of all objects."""
        chance = self.predict_proba(table)
        called = {c.label: c.name for c in self.classes}
        found = self.classes_[chance.argmax(axis=1)]
        columns: dict[str, NDArray[Any]] = {
            "class": found,
            "class_name": np.array([called[int(c)] for c in found], dtype=np.str_),
            "class_probability": chance.max(axis=1, initial=0).astype(np.float64),
            "uncertainty": self.uncertainty(table),
        }
        return table.extended(columns)

    def state(self) -> dict[str, Any]:
        """Return everything as plain values and arrays, for a file."""
        learned = self._fitted()
        return {
            "classifier": self.classifier,
            "columns": list(self.columns_),
            "usual": self.usual_,
            "classes": [{"label": c.label, "name": c.name, "color": c.color} for c in self.classes],
            "params": learned.params(),
            "arrays": learned.arrays(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a fitted classifier, every value checked (they may come from a stranger).

        Raises
        ------
        FormatError
            If something is missing or damaged.
        """
        try:
            columns, usual = _stored_columns(state)
            kind, params = str(state["classifier"]), dict(state["params"])
            learned = CLASSIFIERS[kind].from_arrays(params, state["arrays"])
            known = tuple(Class(int(c["label"]), c["name"], c["color"]) for c in state["classes"])
            classes = complete(known, learned.classes_)
        except FormatError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"The classes of objects are damaged: {error}.") from error
        if learned.n_features_in_ != len(columns):
            raise FormatError(
                f"The classes of objects are damaged: {len(columns)} columns are named, but "
                f"{learned.n_features_in_} were learnt."
            )
        own = cls(kind, columns, params, classes)
        return replace(own, columns_=columns, usual_=usual, learned_=learned)


def _stored_columns(state: Mapping[str, Any]) -> tuple[tuple[str, ...], Floats]:
    columns, usual = state["columns"], state["usual"]
    if not isinstance(columns, list) or not all(isinstance(c, str) for c in columns):
        raise FormatError("The classes of objects are damaged: columns are no list of names.")
    fits = isinstance(usual, np.ndarray) and usual.shape == (len(columns),)
    if not fits or usual.dtype != np.float64 or not np.isfinite(usual).all():
        raise FormatError("The classes of objects are damaged: usual values do not fit columns.")
    return tuple(columns), usual


def _several(table: Any, labels: Any) -> tuple[list[ObjectTable], list[Labels]]:
    if isinstance(table, ObjectTable):
        return [table], [labels]
    tables, each = list(table), list(labels)
    if not tables or len(tables) != len(each):
        raise ShapeError(f"Every table has its labels; got {len(tables)} and {len(each)}.")
    return tables, each


def _labelled(table: ObjectTable, labels: Labels) -> Ints:
    """Return the class of every row, 0 where there is none."""
    if isinstance(labels, Mapping):
        labels = _from_numbers(table, labels)
    found = np.asarray(labels)
    if found.shape != (table.rows,) or found.dtype.kind not in "iu":
        raise ShapeError(
            f"There is one class, a whole number, for each of {table.rows} objects; got "
            f"{found.shape} {found.dtype}."
        )
    if found.min(initial=0) < 0 or found.max(initial=0) > MAX_LABEL:
        raise LabelError(f"Classes are 1 to {MAX_LABEL}, 0 for none; got {np.unique(found)}.")
    return found.astype(np.int64)


def _from_numbers(table: ObjectTable, labels: Mapping[int, int]) -> Ints:
    numbers = np.asarray(table[LABEL])
    found = np.zeros(table.rows, np.int64)
    for number, cls in labels.items():
        rows = np.flatnonzero(numbers == number)
        if len(rows) != 1:
            raise LabelError(
                f"{'No object has' if not len(rows) else 'Several objects have'} the number "
                f"{number}. Give one class for every row instead."
            )
        found[rows] = cls
    return found


def _usual(X: Floats) -> Floats:
    """Return what stands for a value that could not be measured: the median of those that could."""
    finite = np.where(np.isfinite(X), X, np.nan)
    known = np.isfinite(finite).any(axis=0)
    usual = np.zeros(X.shape[1])
    if known.any():
        usual[known] = np.nanmedian(finite[:, known], axis=0)
    return usual


def _ready(X: Floats, usual: Floats) -> NDArray[np.float32]:
    filled = np.where(np.isfinite(X), X, usual)
    return np.clip(filled, -GREATEST, GREATEST).astype(np.float32)
