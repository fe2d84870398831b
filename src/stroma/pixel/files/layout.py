"""What a model file holds, and what may stand at each place."""

from __future__ import annotations

from typing import Any

from stroma.classify.limits import MAX_FEATURES
from stroma.data.classes import MAX_LABEL
from stroma.errors import FormatError
from stroma.pixel.files.schema import (
    Check,
    any_array,
    anything,
    array,
    each,
    maybe,
    named,
    number,
    record,
    text,
    truth,
    whole,
)

MAX_CHANNELS = 10_000

PER_CHANNEL = ("mean", "std", "minimum", "maximum", "low", "high", "noise")


def _equally_long(check: Check) -> Check:
    """Return a check for statistics, further checked to be of equally many channels."""

    def of_all(value: Any, place: str) -> dict[str, Any]:
        found: dict[str, Any] = check(value, place)
        if len({len(found[name]) for name in PER_CHANNEL}) > 1:
            raise FormatError(f"{place} are of different numbers of channels")
        return found

    return of_all


_TEXT = text(2000)
_NUMBERS = each(number(), least=1, most=MAX_CHANNELS)
_MEASURED = {"count": whole(0, 2**62), **dict.fromkeys(PER_CHANNEL, _NUMBERS)}
_COLOURS = maybe(_equally_long(record(_MEASURED)))
_STATISTICS = _equally_long(record({**_MEASURED, "lab": _COLOURS}))

_FITTED = {
    "kind": _TEXT,
    "params": named(anything, most=100),
    "arrays": named(any_array, most=100),
    "channels": whole(1, MAX_CHANNELS),
    "in_channels": maybe(each(whole(0, MAX_CHANNELS), least=1, most=MAX_CHANNELS)),
    "rgb": maybe(truth),
    "feature_names": each(_TEXT, least=1, most=MAX_FEATURES),
    "statistics": maybe(_STATISTICS),
    "weights": each(
        record(dict.fromkeys(("name", "repository", "revision", "file", "digest"), _TEXT)),
        most=100,
    ),
}

_ENTRY = {
    "plane": array("iu", None),
    "yx": array("iu", None, 2),
    "label": array("iu", None),
    "statistics": maybe(_STATISTICS),
    "made_by": _TEXT,
    "X": array("f", None, None),
    "y": array("iu", None),
    "at": array("iu", None, 4),
}

_CLASS = {"label": whole(1, MAX_LABEL), "name": _TEXT, "color": text(7)}

STATE = record(
    {
        "param": named(anything, most=200),
        "fitted": maybe(record(_FITTED, optional=("rgb",))),
        "classes": each(record(_CLASS), most=MAX_LABEL),
        "memory": named(record(_ENTRY, optional=("at",)), most=100_000),
    }
)
"""Everything a model file holds."""
