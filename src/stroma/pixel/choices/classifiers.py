"""Which classifier the parameters ask for, and what it is called in files and parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.classify import CLASSIFIERS
from stroma.classify.contract import Classifier
from stroma.classify.sampling import training_rows
from stroma.errors import LabelError
from stroma.pixel.param import Param

TITLES = {
    "catboost": "CatBoost",
    "forest": "RandomForest",
    "logistic": "Logistic",
    "ensemble": "Ensemble",
    "families": "Families",
}
"""What ``Param.classifier`` says after training, in the words of the original."""


def unfitted(param: Param, *, use_rf: bool = False) -> tuple[str, Classifier]:
    """Return the name of the classifier to fit, and the classifier.

    Raises
    ------
    UnknownNameError
        If ``param.clf`` is not registered.
    """
    name = "forest" if use_rf else str(param.clf)
    options: dict[str, Any] = {}
    if name == "catboost":
        options = {
            "iterations": param.clf_iterations,
            "learning_rate": param.clf_learning_rate,
            "depth": param.clf_depth,
        }
    return name, CLASSIFIERS[name](**options)


def fit(
    classifier: Classifier,
    X: NDArray[np.floating],
    y: NDArray[np.uint16],
    cap: int,
) -> Classifier:
    """Return the classifier fitted to rows in canonical order.

    Raises
    ------
    LabelError
        If there are no rows, or only one class.
    FitError
        If the features cannot tell the classes apart at all.
    """
    found = np.unique(y)
    if len(found) == 0:
        raise LabelError(
            "No annotations provided for training: all pixels are 0 (unlabelled). Paint at least "
            "a few pixels of two classes."
        )
    if len(found) == 1:
        raise LabelError(
            f"Not enough classes found in the annotations: all painted pixels have the label "
            f"{found[0]}. At least two classes are required for training."
        )
    return classifier.fit(*training_rows(X, y, cap=cap))
