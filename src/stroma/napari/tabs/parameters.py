"""Parameters of a model as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stroma.pixel.choices.aliases import ALIASES
from stroma.pixel.choices.catalogue import Entry
from stroma.pixel.param import Param


def scales_text(scalings: Sequence[Any] | None) -> str:
    """Return the factors of a pyramid as text, those of the parts of a combination joined by +."""
    if not scalings:
        return "as the extractor prefers"
    if isinstance(scalings[0], int):
        return " / ".join(map(str, scalings))
    return " + ".join(map(scales_text, scalings))


def device_of(param: Param) -> str:
    """Return where networks run by some parameters: "auto", "cpu", "cuda" or "mps"."""
    given = param.fe_use_gpu
    return given if isinstance(given, str) else ("auto" if given else "cpu")


def alias_of(param: Param) -> str | None:
    """Return the configuration that parameters belong to; None if they are nobody's."""
    for name, given in ALIASES.items():
        if all(param.get(key) == value for key, value in given.items()):
            return name
    return None


LACKING = {"missing": " · weights are fetched", "by hand": " · weights by hand"}
"""What is said of weights that are not here."""


def title(entry: Entry) -> str:
    """Return the name of an extractor, how many features it has, and what it lacks."""
    count = f" · {entry.grey} features" if entry.grey else ""
    state = " · not installed" if entry.missing else LACKING.get(entry.weights, "")
    return f"{entry.name}{count}{state}"
