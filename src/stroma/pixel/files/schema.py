"""What may stand where in a file from a stranger: small checks, put together to large ones.

A check takes a value and the place it stands at, and returns the value, or raises FormatError that
says what should be there and what is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError

Check = Callable[[Any, str], Any]

SHOWN = 80
"""Characters of a wrong value that a message repeats."""


def wrong(place: str, wanted: str, value: Any) -> FormatError:
    """Return the error for a value that is not what its place wants."""
    return FormatError(f"{place} should be {wanted}, it is {shortened(value)}")


def shortened(value: Any) -> str:
    """Return a value for a message: short, whatever it is."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    if isinstance(value, dict | list | tuple | bytes):
        return f"{type(value).__name__} of length {len(value)}"
    if isinstance(value, int) and not -(10**SHOWN) < value < 10**SHOWN:
        return "a number with more digits than fit here"
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."


def anything(value: Any, place: str) -> Any:
    """Accept what another check looks at."""
    return value


def truth(value: Any, place: str) -> bool:
    """Accept true and false."""
    if type(value) is not bool:
        raise wrong(place, "true or false", value)
    return value


def whole(low: int, high: int) -> Check:
    """Return a check for a whole number from low to high."""

    def check(value: Any, place: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise wrong(place, f"a whole number from {low} to {high}", value)
        return value

    return check


def number(low: float = -math.inf) -> Check:
    """Return a check for a finite number, not below ``low``."""

    def check(value: Any, place: str) -> float:
        plain = type(value) in (int, float) and abs(value) < LARGEST
        if not plain or value < low:
            raise wrong(place, "a finite number" if low < 0 else f"a number from {low:g}", value)
        return float(value)

    return check


LARGEST = 1e300
"""Absolute value above which a number is as good as infinite."""


def text(most: int) -> Check:
    """Return a check for text of at most so many characters."""

    def check(value: Any, place: str) -> str:
        if type(value) is not str or len(value) > most:
            raise wrong(place, f"text of at most {most} characters", value)
        return value

    return check


def maybe(check: Check) -> Check:
    """Return a check that accepts None too."""
    return lambda value, place: None if value is None else check(value, place)


def each(check: Check, *, least: int = 0, most: int) -> Check:
    """Return a check for a list, of which every item passes another."""

    def of_all(value: Any, place: str) -> list[Any]:
        if type(value) not in (list, tuple) or not least <= len(value) <= most:
            raise wrong(place, f"a list of {least} to {most}", value)
        return [check(item, f"{place}[{i}]") for i, item in enumerate(value)]

    return of_all


def named(check: Check, *, most: int) -> Check:
    """Return a check for a mapping from any names, of which every value passes another."""

    def of_all(value: Any, place: str) -> dict[str, Any]:
        if type(value) is not dict or len(value) > most or not all(type(k) is str for k in value):
            raise wrong(place, f"names with values, at most {most}", value)
        return {key: check(item, f"{place}.{key[:SHOWN]}") for key, item in value.items()}

    return of_all


def record(checks: Mapping[str, Check], *, optional: Collection[str] = ()) -> Check:
    """Return a check for a mapping that holds these names; what else it holds is left out.

    Names in ``optional`` may be missing, and are None then; their check sees to that.
    """

    def of_all(value: Any, place: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong(place, "names with values", value)
        lacking = [key for key in checks if key not in value and key not in optional]
        if lacking:
            raise FormatError(f"{place} has no {lacking[0]!r}")
        return {key: check(value.get(key), f"{place}.{key}") for key, check in checks.items()}

    return of_all


def array(kinds: str, *shape: int | None) -> Check:
    """Return a check for an array of these kinds of numbers and this shape (None: any length)."""

    def check(value: Any, place: str) -> NDArray[Any]:
        fits = isinstance(value, np.ndarray) and value.dtype.kind in kinds
        if fits and len(shape) == value.ndim:
            pairs = zip(shape, value.shape, strict=True)
            if all(wanted in (None, length) for wanted, length in pairs):
                return np.asarray(value)
        raise wrong(place, f"an array of {len(shape)} dimensions", value)

    return check


def any_array(value: Any, place: str) -> NDArray[Any]:
    """Accept an array of any type and shape, which another check looks at."""
    if not isinstance(value, np.ndarray):
        raise wrong(place, "an array", value)
    return value
