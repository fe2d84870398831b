"""Checks of plain values that may come from a file that a stranger made."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from typing import Any

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError, StromaError, short

MAX_POINTS = 100_000
MAX_NAME = 1000
MAX_KEY = 64
MAX_COORDINATE = 1e7

Point = tuple[float, float]


PYTHON = re.compile(r"unpack|convert|literal|argument|object|\b(?:int|float|str|list|dict)\b")
"""Words of errors that Python itself raises."""


def reason(error: BaseException) -> str:
    """Return why values of a file cannot be used, without what Python says of its own types."""
    if isinstance(error, StromaError) or (
        isinstance(error, ValueError) and not PYTHON.search(str(error))
    ):
        return str(error)
    if isinstance(error, KeyError):
        return f"{short(error.args[0] if error.args else 'something')} is missing"
    if isinstance(error, MemoryError | ArithmeticError):
        return "a number in it is too large"
    return "a value in it is not of the kind that it must be"


def whole(value: Any, what: str, low: int, high: int) -> int:
    """Return a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        error = LabelError if "label" in what else ParameterError
        raise error(f"{what} is a whole number from {low} to {high}, got {str(value)[:50]}.")
    return value


def number(value: Any, what: str, low: float, high: float) -> float:
    """Return a finite number within bounds."""
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not (math.isfinite(value) and low <= value <= high):
        raise ParameterError(f"{what} is a number from {low} to {high}, got {str(value)[:50]}.")
    return float(value)


def flag(value: Any, what: str) -> bool:
    """Return what is true or false."""
    if not isinstance(value, bool):
        raise ParameterError(f"{what} is true or false, got {str(value)[:50]}.")
    return value


def text(value: Any, what: str) -> str:
    """Return a text that is neither empty nor endless."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise ParameterError(f"{what} is a text of 1 to {MAX_NAME} characters.")
    return value


def key(value: Any) -> str:
    """Return the key of an image: letters and digits, safe in the name of a file."""
    given = text(value, "an image's key")
    if len(given) > MAX_KEY or not all(c.isascii() and (c.isalnum() or c in "-_") for c in given):
        raise ParameterError(
            f"An image's key has at most {MAX_KEY} letters, digits, - and _, got {given[:50]!r}."
        )
    return given


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return a mapping."""
    if not isinstance(value, Mapping):
        raise ParameterError(f"{what} are given by name, got {type(value).__name__}.")
    return value


def listed(value: Any, what: str) -> tuple[Any, ...]:
    """Return a list as a tuple."""
    if not isinstance(value, list | tuple):
        raise ParameterError(f"{what} are a list, got {type(value).__name__}.")
    return tuple(value)


def points(values: Any, *, least: int) -> tuple[Point, ...]:
    """Return (y, x) points with coordinates within reason."""
    pairs = listed(values, "points")
    if not least <= len(pairs) <= MAX_POINTS:
        raise ParameterError(f"Give {least} to {MAX_POINTS} points, got {len(pairs)}.")
    return tuple(_point(pair) for pair in pairs)


def _point(pair: Any) -> Point:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ParameterError(f"A point is (y, x), got {str(pair)[:50]}.")
    y, x = (number(v, "a coordinate", -MAX_COORDINATE, MAX_COORDINATE) for v in pair)
    return y, x


def box(value: Any) -> Box:
    """Return a box that is not empty."""
    edges = (value.top, value.left, value.bottom, value.right) if isinstance(value, Box) else value
    edges = listed(edges, "the edges of a box")
    if len(edges) != 4:
        raise ParameterError(f"A box is (top, left, bottom, right), got {len(edges)} numbers.")
    made = Box(*(whole(e, "an edge of a box", -(2**31), 2**31) for e in edges))
    if made.bottom <= made.top or made.right <= made.left:
        raise ParameterError(f"The box {edges} is empty.")
    return made


def one_class(values: Any) -> Class:
    """Return a class from plain values."""
    given = mapping(values, "a class")
    whole(given.get("label"), "a label", 1, 65535)
    text(given.get("name"), "a class's name")
    if not isinstance(given.get("color"), str):
        raise LabelError("A colour is written '#rrggbb'.")
    return Class(given["label"], given["name"], given["color"])


def data(value: Any) -> bytes:
    """Return bytes, which are written as base64."""
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ParameterError("Labels are written as base64.") from error
