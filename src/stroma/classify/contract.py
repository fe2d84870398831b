"""What a classifier is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray


class Classifier(Protocol):
    """Learns classes from rows of features, and is nothing but named arrays afterwards.

    A frozen dataclass of parameters before ``fit``; ``fit`` returns a fitted copy, so that a
    failed fit leaves what was there. Fitted attributes end in ``_``.

    Attributes
    ----------
    classes_ : (K,) int64
        The labels seen, ascending; probability k belongs to ``classes_[k]``.
    n_features_in_ : int
        Length of the rows it was fitted to.
    """

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The (K,) labels seen, ascending; NotTrainedError before ``fit``."""
        ...

    @property
    def n_features_in_(self) -> int:
        """Length of the rows it was fitted to; NotTrainedError before ``fit``."""
        ...

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> Self:
        """Return a copy fitted to n rows of F features and their labels.

        Raises
        ------
        FitError
            If all features are constant, or the library refuses for another reason.
        """
        ...

    def predict_proba(self, X: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the (n, K) probabilities of n rows; float16 rows as float32."""
        ...

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """The (F,) share of every feature in the decision, adding up to 1."""
        ...

    def params(self) -> dict[str, Any]:
        """Return the parameters as plain numbers and strings."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything fitted as named arrays."""
        ...

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild a fitted classifier, checking every array (they may come from a stranger).

        Raises
        ------
        FormatError
            If an array is missing, has a wrong dtype or shape, or holds an index out of range.
        """
        ...
