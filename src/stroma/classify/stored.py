"""Arrays of a fitted classifier, which may come from a stranger, checked before they are used.

One reader serves all kinds. A kind lists its arrays, each with its type and a letter for every
axis; equal letters are equal lengths. No sum or difference of stored numbers is taken before they
are known to be in range, since it could overflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.classify.limits import MAX_CLASSES
from stroma.data.classes import MAX_LABEL
from stroma.errors import FormatError

Arrays = Mapping[str, NDArray[Any]]

Layout = Mapping[str, tuple[str, str]]
"""For every array its dtype and its axes, one letter each: ``{"leaf": ("float64", "TLC")}``."""


def read_arrays(arrays: Arrays, layout: Layout, **known: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a layout, each of its type, shape and C order, and without NaN.

    Parameters
    ----------
    arrays : mapping of str to array
        As they were stored.
    layout : mapping
        What there must be.
    **known
        Lengths of axes that are known before.

    Raises
    ------
    FormatError
        If one is missing, of another type or shape, or holds NaN.
    """
    found: dict[str, NDArray[Any]] = {}
    for name, (dtype, axes) in layout.items():
        array = arrays.get(name)
        if not isinstance(array, np.ndarray):
            raise FormatError(f"The stored classifier has no array {name!r}.")
        if array.dtype != np.dtype(dtype) or not _fits(array.shape, axes, known):
            wanted = " x ".join(str(known.get(axis, "any")) for axis in axes) or "a single number"
            raise FormatError(
                f"The stored array {name!r} should be {dtype}, shape {wanted}; "
                f"it is {array.dtype}, shape {array.shape}."
            )
        if np.isnan(array).any():
            raise FormatError(f"The stored array {name!r} holds NaN.")
        known |= zip(axes, array.shape, strict=True)
        found[name] = np.asarray(array, order="C")
    return found


def _fits(shape: tuple[int, ...], axes: str, known: Mapping[str, int]) -> bool:
    same = len(shape) == len(axes)
    return same and all(known.get(a, n) == n for a, n in zip(axes, shape, strict=True))


def read_classes(arrays: Arrays) -> NDArray[np.int64]:
    """Return the stored classes: 2 to `MAX_CLASSES` labels, ascending."""
    classes = read_arrays(arrays, {"classes": ("int64", "K")})["classes"]
    require(2 <= len(classes) <= MAX_CLASSES, f"it tells {len(classes)} classes apart")
    require(ascend(classes), "classes do not ascend")
    require(classes[0] >= 1 and classes[-1] <= MAX_LABEL, "a class is not 1 to 65535")
    return classes


def ascend(numbers: NDArray[np.integer]) -> bool:
    """Tell whether every number is above the one before it."""
    return bool((numbers[1:] > numbers[:-1]).all())


def require(holds: bool, otherwise: str) -> None:
    """Raise FormatError unless a property of stored arrays holds."""
    if not holds:
        raise FormatError(f"The stored classifier is damaged: {otherwise}.")


def stored_params(params: Any, known: Iterable[str]) -> dict[str, Any]:
    """Return stored parameters, checked to be those the classifier has."""
    require(isinstance(params, Mapping), "its parameters have no names")
    require(set(params) == set(known), f"its parameters are {str(sorted(map(str, params)))[:200]}")
    return dict(params)
