"""What all classifiers share: parameters before a fit, and what was learned after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from stroma.classify.rows import fitted, prediction_data
from stroma.classify.stored import Arrays, stored_params


class Learned(Protocol):
    """What a fit leaves behind: named arrays that turn rows of features into probabilities."""

    @property
    def classes(self) -> NDArray[np.int64]:
        """The (K,) labels, ascending."""
        ...

    @property
    def n_features(self) -> int:
        """Length of a row."""
        ...

    @property
    def importances(self) -> NDArray[np.float64]:
        """The (F,) share of every feature in the decision."""
        ...

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n contiguous rows."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all parts as named arrays."""
        ...


L = TypeVar("L", bound=Learned)


@dataclass(frozen=True)
class Learner(ABC, Generic[L]):
    """A classifier: a frozen dataclass of parameters, with ``learned_`` after ``fit``.

    A kind of classifier adds its parameters, ``fit``, and how ``learned_`` is read from arrays.
    """

    learned_: L | None = field(default=None, kw_only=True, repr=False, compare=False)

    @abstractmethod
    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels."""

    @classmethod
    @abstractmethod
    def read(cls, arrays: Arrays) -> L:
        """Return what a fit left behind, from its arrays, every one checked."""

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The (K,) labels seen, ascending."""
        return fitted(self.learned_).classes

    @property
    def n_features_in_(self) -> int:
        """Length of the rows it was fitted to."""
        return fitted(self.learned_).n_features

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """The (F,) share of every feature in the decision."""
        return fitted(self.learned_).importances

    def predict_proba(self, X: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n rows."""
        learned = fitted(self.learned_)
        return learned.predict_proba(prediction_data(X, learned.n_features))

    def predict(self, X: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the (n,) most probable labels of n rows."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    @classmethod
    def _params(cls) -> list[str]:
        return [f.name for f in fields(cls) if f.name != "learned_"]

    def params(self) -> dict[str, Any]:
        """Return the parameters, by the library's names."""
        return {name: getattr(self, name) for name in self._params()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learned as named arrays."""
        return fitted(self.learned_).arrays()

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Arrays) -> Self:
        """Rebuild a fitted classifier from its parameters and arrays."""
        return cls(**stored_params(params, cls._params()), learned_=cls.read(arrays))
