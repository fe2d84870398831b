"""What makes an array that holds nothing behave as one that does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

SUMS = ("all", "any", "argmax", "argmin", "max", "mean", "min", "prod", "std", "sum", "var")
VALUES = (
    "argsort",
    "astype",
    "clip",
    "copy",
    "cumsum",
    "dot",
    "nonzero",
    "repeat",
    "round",
    "take",
)
SHAPES = ("take", "T", "flat", "flatten", "ravel", "reshape", "squeeze", "swapaxes", "transpose")
OBJECTS = ("item", "tobytes", "tolist")
METHODS = frozenset((*SUMS, *VALUES, *SHAPES, *OBJECTS))
"""What of an array in memory is asked of all values, which are read for it."""


class ArrayLike(NDArrayOperatorsMixin):
    """Arithmetic, comparison and the methods of an array, for whoever has ``__array__``.

    All values are read for each; who wants a part takes it first, by an index.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Answer as the values would."""
        if any(isinstance(one, ArrayLike) for one in options.get("out", ())):
            return NotImplemented
        values = (np.asarray(one) if isinstance(one, ArrayLike) else one for one in inputs)
        return getattr(ufunc, method)(*values, **options)

    def __getattr__(self, name: str) -> Any:
        """Answer with what the values have under that name."""
        if name in METHODS:
            return getattr(np.asarray(self), name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def size(self) -> int:
        """How many values there are."""
        return math.prod(self.shape)

    def __contains__(self, value: object) -> bool:
        """Tell whether a value is among the values."""
        return value in np.asarray(self)


def by_values(key: Any) -> bool:
    """Tell whether a key picks values one by one, or adds axes, rather than cutting a box."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(part is None or _is_mask(part) for part in parts)


def _is_mask(part: Any) -> bool:
    if isinstance(part, slice | int | np.integer) or part is Ellipsis:
        return False
    found: NDArray[Any] = np.asarray(part)
    return found.dtype == bool
