"""Agreement of how space is parted into objects, as electron micrographs are scored: ARAND, VoI."""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage.metrics import adapted_rand_error, variation_of_information

from stroma.metrics.shared import require_same_shape


def partition_scores(result: Any, truth: Any) -> dict[str, float]:
    """Return how much of true objects is split among several, and how much is merged.

    Of pairs of pixels and of information, so that objects count by their size and need not match
    one to one. Only pixels of true objects count; what is found to be no object there is one part.

    Parameters
    ----------
    result, truth : integer arrays of the same shape
        Objects by number, 0 for none; the truth is below 0 where nobody knows.

    Returns
    -------
    dict
        ``arand``, the adapted Rand error, 0 to 1: 1 less F1 of pairs of pixels in one object
        (Arganda-Carreras et al. 2015, doi 10.3389/fnana.2015.00142). ``voi split`` and ``voi
        merge``, the two parts of the variation of information, in bits from 0 (Meila 2007, doi
        10.1016/j.jmva.2006.11.013). Less is better; all are 0 where there is no true object.
    """
    found, true = np.asarray(result), np.asarray(truth)
    require_same_shape(found, true)
    inside = true > 0
    if not inside.any():
        return {"arand": 0.0, "voi split": 0.0, "voi merge": 0.0}
    # Counted without gaps: the table of pairs has a row for every number up to the largest.
    parts = [np.unique(values[inside], return_inverse=True)[1] for values in (true, found)]
    with np.errstate(invalid="ignore"):  # where all objects are one pixel there is no pair of them
        error = np.nan_to_num(adapted_rand_error(*parts, ignore_labels=())[0])
    split, merge = variation_of_information(*parts)
    return {"arand": float(error), "voi split": float(split), "voi merge": float(merge)}
