"""What a decision rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stroma.classify.contract import Classifier


def importance(
    names: Sequence[str], classifier: Classifier, *, most: int | None = None
) -> list[tuple[str, float]]:
    """Return features with their share in the decision (all add up to 1), largest first."""
    shares = classifier.feature_importances_
    order = np.argsort(-shares, kind="stable")[:most]
    return [(names[i], float(shares[i])) for i in order]
