"""Classes as text that label files carry with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stroma.data.classes import MAX_LABEL, Class
from stroma.errors import FormatError, LabelError

KEY = "stroma-classes"
OME_CLASSES = "stroma/classes"
"""Namespace of the annotation in which OME-XML carries classes."""
MAX_TEXT = 2**22
"""Longer texts are not looked at (4 MiB hold a name for every label)."""


def to_text(classes: Sequence[Class]) -> str:
    """Return classes as JSON."""
    listed = [{"label": c.label, "name": c.name, "color": c.color} for c in classes]
    return json.dumps({KEY: listed})


def from_text(text: str, path: Path) -> tuple[Class, ...]:
    """Return the classes in a text; none if it is about something else.

    Raises
    ------
    FormatError
        If it is about classes, but they are not valid.
    """
    if KEY not in text[:100]:
        return ()
    try:
        if len(text) > MAX_TEXT:
            raise ValueError(f"a text of {len(text)} characters")
        return checked(json.loads(text)[KEY])
    except (ValueError, KeyError, TypeError, LabelError, RecursionError) as error:
        raise FormatError(f"{path} carries class names that cannot be read: {error}") from error


def checked(listed: Any) -> tuple[Class, ...]:
    """Return classes from a list of mappings with label, name and color.

    Raises
    ------
    LabelError, KeyError, TypeError, ValueError
        If an entry is not valid.
    """
    classes = {int(c["label"]): c for c in listed[: MAX_LABEL + 1]}
    return tuple(
        Class(label, str(c.get("name", ""))[:200], str(c.get("color", "")))
        for label, c in sorted(classes.items())
    )
