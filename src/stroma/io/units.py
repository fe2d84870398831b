"""Units of length, however a file spells them."""

from __future__ import annotations

_METRES = {
    "µm": 1e-6,
    "nm": 1e-9,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "pm": 1e-12,
    "Å": 1e-10,
    "in": 0.0254,
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
    "inch": "in",
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
    """Return a length in another unit; both are symbols."""
    return length if unit == to else length * (_METRES[unit] / _METRES[to])
