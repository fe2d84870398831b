"""Only the largest part of a class: a rule that is chosen where it helps, as nnU-Net does.

Isensee et al. 2021, doi 10.1038/s41592-020-01008-z. First all classes but the background are tried
together, then each by itself. A rule is taken if the mean Dice of the classes rises and that of no
class falls, on what was kept from training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.metrics.semantic import dice

Labels = NDArray[np.integer[Any]]
Rule = tuple[tuple[int, ...], ...]
"""Groups of labels; of each, one after the other, the largest connected part is kept."""


def only_largest(labels: Labels, rule: Rule) -> Labels:
    """Return labels of one plane or volume of which only the largest parts are left, 0 elsewhere.

    Pixels are neighbours across corners too; of parts of one size, the first stays.
    """
    result = labels
    for group in rule:
        parts, count = ndimage.label(np.isin(result, group), np.ones((3,) * labels.ndim, np.uint8))
        if count > 1:
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            result = np.where((parts > 0) & (parts != sizes.argmax()), 0, result)
    return result.astype(labels.dtype, copy=False)


def found_rule(results: Sequence[Labels], truths: Sequence[Labels], labels: Sequence[int]) -> Rule:
    """Return the rule that helps; () where none does.

    Parameters
    ----------
    results, truths : sequence of (*space) arrays
        What a network said of images that it did not learn from, and what they are; -1 where
        nobody knows.
    labels : sequence of int
        Classes; 0 is the background.
    """
    classes = [n for n in labels if n]
    rule: Rule = ()
    now = _dice(results, truths, labels)
    for group in [tuple(classes), *((n,) for n in classes if len(classes) > 1)]:
        tried = (*rule, group)
        then = _dice([only_largest(r, tried) for r in results], truths, labels)
        if np.nanmean(then) > np.nanmean(now) and not (then < now).any():
            rule, now = tried, then
    return rule


def _dice(
    results: Sequence[Labels], truths: Sequence[Labels], labels: Sequence[int]
) -> NDArray[np.float64]:
    """Return the Dice of every class but the background, the mean over images; NaN without any."""
    each = np.stack([dice(r, t, labels=labels) for r, t in zip(results, truths, strict=True)])
    seen = (~np.isnan(each)).sum(0)
    mean: NDArray[np.float64] = np.divide(
        np.nansum(each, axis=0), seen, out=np.full(len(seen), np.nan), where=seen > 0
    )
    return mean[[i for i, n in enumerate(labels) if n]]
