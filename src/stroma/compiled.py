"""How loops are compiled: for one thread, without the GIL, kept between runs.

Numba's cache links functions by module and name, so no two compiled functions may share both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Array = Any
"""An array in a compiled function, which knows its kind at the call."""

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Return a function compiled; a division by zero gives what it gives in numpy."""
    return cast("Function", numba.njit(nogil=True, cache=True, error_model="numpy")(function))
