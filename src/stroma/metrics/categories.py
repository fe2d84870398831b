"""Classes of whole images beside the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stroma.metrics.semantic import confusion


def category_scores(
    found: Sequence[int], truth: Sequence[int], *, labels: Sequence[int]
) -> dict[str, float]:
    """Return how many images got their class.

    Parameters
    ----------
    found, truth : sequence of int
        Label of every image; those whose truth is none of ``labels`` do not count.
    labels : sequence of int
        The classes.

    Returns
    -------
    dict
        "balanced accuracy", the mean over the classes that occur of the share of their images that
        are found, so that a rare class counts as much as a common one; "accuracy", the share of
        all images; and the share of each class, "recall 2". Of no image at all, all are 0.
    """
    table = confusion(np.asarray(found, np.int64), np.asarray(truth, np.int64), labels=labels)
    right, every = np.diagonal(table), table.sum(1)
    shares = {
        f"recall {label}": float(n / of)
        for label, n, of in zip(labels, right, every, strict=True)
        if of
    }
    mean = float(np.mean(list(shares.values()))) if shares else 0.0
    accuracy = float(right.sum() / max(1, every.sum()))
    return {"balanced accuracy": mean, "accuracy": accuracy, **shares}
