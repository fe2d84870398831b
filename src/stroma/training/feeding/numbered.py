"""Whether labels that objects are learned from number them one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.errors import LabelError
from stroma.training.feeding.cases import Case

FEW = 10
"""Labels have at most so many numbers where these may be classes."""

PARTS = 3
"""So many parts lie apart under a number that is a class, on average."""

SPECK = 0.1
"""A part of less than this share of the largest one is a slip of the brush, and not counted."""


def require_objects(cases: Sequence[Case], numbers: Collection[int]) -> None:
    """Refuse masks and classes where objects are learned: one number for what lies apart.

    No target decodes an object of several parts, so nothing that can be learned is refused.

    Parameters
    ----------
    cases : sequence of Case
        With labels.
    numbers : collection of int
        All that occur in them, above 0.

    Raises
    ------
    LabelError
        If a few numbers stand for many parts that do not touch.
    """
    if not 0 < len(numbers) <= FEW:
        return
    known = [case.labels for case in cases if case.labels is not None]
    found = [parts for labels in known for n in numbers if (parts := _parts(labels == n))]
    if sum(found) < PARTS * len(found):
        return
    told = ", ".join(map(str, sorted(numbers)))
    label = min(numbers)
    raise LabelError(
        f"Objects are learned one by one, and these labels have no number for each: they hold "
        f"{told} alone, in {sum(found)} parts that do not touch. Number the objects 1, 2, ... in "
        f"every image. Of a mask, `stroma objects MASK --class {label} --split 1 --label-image "
        f"OBJECTS` does that, with a number for each part; look at what touches. To learn which "
        "pixels are of such objects, target='semantic'."
    )


def _parts(mask: NDArray[np.bool_]) -> int:
    """Return how many parts a mask has that do not touch, specks apart."""
    labels, _ = ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, mask.ndim))
    sizes = np.bincount(labels.ravel())[1:]
    return int((sizes > SPECK * sizes.max(initial=0)).sum())
