"""Units of length and of time, however a file spells them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

_METRES = {
    "µm": 1e-6,
    "nm": 1e-9,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "pm": 1e-12,
    "Å": 1e-10,
    "in": 0.0254,
    "fm": 1e-15,
    "dm": 0.1,
    "km": 1e3,
    "ft": 0.3048,
    "yd": 0.9144,
    "mi": 1609.344,
}
_SPELLINGS = {
    "um": "µm",
    "μm": "µm",  # the Greek letter; the first is the micro sign
    "\\u00b5m": "µm",  # as ImageJ escapes it
    "micron": "µm",
    "microns": "µm",
    "micrometer": "µm",
    "micrometre": "µm",
    "nanometer": "nm",
    "nanometre": "nm",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
    "picometer": "pm",
    "picometre": "pm",
    "angstrom": "Å",
    "ångström": "Å",
    "ångstrom": "Å",
    "femtometer": "fm",
    "femtometre": "fm",
    "decimeter": "dm",
    "decimetre": "dm",
    "kilometer": "km",
    "kilometre": "km",
    "inch": "in",
    "inches": "in",
    "foot": "ft",
    "yard": "yd",
    "mile": "mi",
}
_FULL_NAMES = {
    "µm": "micrometer",
    "nm": "nanometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "pm": "picometer",
    "Å": "angstrom",
    "in": "inch",
    "fm": "femtometer",
    "dm": "decimeter",
    "km": "kilometer",
    "ft": "foot",
    "yd": "yard",
    "mi": "mile",
}
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("ps", "picosecond", "picoseconds"), 1e-12),
    **dict.fromkeys(("fs", "femtosecond", "femtoseconds"), 1e-15),
}


def symbol(unit: str) -> str:
    """Return the symbol of a unit of length ("µm" for "micron"); "" if it is none."""
    text = unit.strip()
    text = _SPELLINGS.get(text.lower(), text)
    return text if text in _METRES else ""


def full_name(unit: str) -> str:
    """Return the name OME-Zarr has for a symbol; "" for no unit."""
    return _FULL_NAMES.get(unit, "")


def convert(length: float, unit: str, to: str) -> float:
    """Return a length in another unit; both are symbols.

    The factor is the decimal one: 2 µm are 2000 nm, which division of floats would miss.
    """
    factor = Fraction(str(_METRES[unit])) / Fraction(str(_METRES[to]))
    return length * float(factor)


def seconds(duration: float, unit: str) -> float | None:
    """Return a duration in seconds; None where the unit is none of time."""
    factor = _SECONDS.get(unit.strip().lower())
    return None if factor is None else duration * factor


def in_one_unit(lengths: Mapping[str, tuple[float, str]]) -> tuple[dict[str, float], str]:
    """Return lengths along axes in one unit, that of x (or of the first axis that has one).

    Parameters
    ----------
    lengths : mapping of str to (float, str)
        Axis -> length and how the file spells its unit. Lengths that are not above 0, and those
        whose unit is none of length, are left out.
    """
    known = {a: (n, symbol(u)) for a, (n, u) in lengths.items() if 0 < n < math.inf and symbol(u)}
    unit = next((known[a][1] for a in "xyz" if a in known), "")
    return {a: convert(n, u, unit) for a, (n, u) in known.items()}, unit
