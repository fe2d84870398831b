"""Parameters as YAML: plain numbers, texts and lists of them, and nothing that YAML knows besides.

A value is what is written. Types that other readers guess (dates, numbers of base 60) are not
known, tags and references are refused, and sizes are bounded, so that a file can neither run
anything nor unfold into more than it holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stroma.errors import FormatError
from stroma.pixel.files.regular import read_regular
from stroma.pixel.files.schema import shortened

MAX_BYTES = 2**16
"""Bytes of a file of parameters; one with all layers of a large network has an eighth of it."""

MAX_DEPTH = 4
"""Lists within lists."""

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?\d+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_MOST_DIGITS = 18


def read_values(path: Path) -> dict[str, Any]:
    """Return the names and values in a file of parameters.

    Raises
    ------
    MissingFileError, FileError
        If it is not there or cannot be read.
    FormatError
        If it is not YAML of names and plain values, or too large; the message names the file.
    """
    data = read_regular(path, most=MAX_BYTES, what="parameter file")
    try:
        return values_in(data.decode("utf-8"))
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = "" if where is None else f" (line {where.line + 1})"
        reason = getattr(error, "problem", None) or "it cannot be read"
        raise FormatError(f"{path} is not a YAML file{line}: {shortened(reason)}.") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not a YAML file: it is not text.") from error
    except RecursionError as error:
        raise FormatError(f"{path} is not a file of parameters: it is nested too deep.") from error
    except FormatError as error:
        raise FormatError(f"{path} is not a file of parameters: {error}.") from error


def values_in(text: str) -> dict[str, Any]:
    """Return the names and values in YAML text."""
    events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            found = _value(event, events, 0)
            _require_end(events)
            if isinstance(found, dict):
                return found
            break
    raise FormatError("it holds no names with values")


def _require_end(events: Iterator[Any]) -> None:
    if any(isinstance(event, yaml.NodeEvent) for event in events):
        raise FormatError("it holds more than one document")


def _value(event: Any, events: Iterator[Any], depth: int) -> Any:
    line = event.start_mark.line + 1
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise FormatError(f"line {line} refers to another place, which parameters do not")
    if event.tag is not None:
        raise FormatError(f"line {line} asks for {shortened(event.tag)}, which is no plain value")
    if depth > MAX_DEPTH:
        raise FormatError(f"line {line} is nested more than {MAX_DEPTH} deep")
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(e, events, depth + 1) for e in _until(events, yaml.SequenceEndEvent)]
    if isinstance(event, yaml.MappingStartEvent):
        if depth:
            raise FormatError(f"line {line} holds names with values where a value should be")
        return _mapping(events, depth)
    return event.value if event.style else _scalar(event.value, line)


def _mapping(events: Iterator[Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in _until(events, yaml.MappingEndEvent):
        line = key.start_mark.line + 1
        name = key.value if isinstance(key, yaml.ScalarEvent) else None
        if name is None or name in found:
            raise FormatError(f"line {line} holds no name, or one that is there already")
        found[name] = _value(next(events), events, depth + 1)
    return found


def _until(events: Iterator[Any], end: type) -> Iterator[Any]:
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _scalar(written: str, line: int) -> Any:
    """Return what an unquoted value means."""
    if written in _WORDS:
        return _WORDS[written]
    if not _NUMBER.fullmatch(written):
        return written
    if len(written) > _MOST_DIGITS + 8:
        raise FormatError(f"line {line} holds a number of {len(written)} characters")
    number = int(written) if _WHOLE.fullmatch(written) else float(written)
    if not math.isfinite(number) or abs(number) > 10**_MOST_DIGITS:
        raise FormatError(f"line {line} holds a number that is too large")
    return number
