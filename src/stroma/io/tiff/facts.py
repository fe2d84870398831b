"""What a TIFF says about its image: axes, spacing, channels; from OME, ImageJ or plain tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tifffile

from stroma.data.classes import Class
from stroma.errors import short
from stroma.io.axes import Facts, guess
from stroma.io.class_names import from_text
from stroma.io.lazy import DAMAGE
from stroma.io.orientation import oriented
from stroma.io.tiff import ome, vendor
from stroma.io.units import convert, in_one_unit, seconds, symbol

_OPACITY = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
_KNOWN = "TCZYXS"
UNSAID = "IQ"
"""Axes of which a file says only that they are there."""

PRINT_DPI = (72, 96, 100, 120, 144, 150, 180, 200, 240, 300, 360, 400, 600, 720, 1200, 2400, 4800)
"""Resolutions of screens and printers; they say nothing about what a picture shows."""

LOSSY = (6, 7, 33007, 34892)
"""Compressions of the JPEG family; others may keep the values."""


def letters(series: Any) -> str:
    """Return one letter per axis; axes the file does not name follow the rules for no names."""
    axes, shape = vendor.axes(series), series.shape
    unnamed = [i for i, a in enumerate(axes) if a not in _KNOWN and shape[i] > 1]
    rest = "".join(a for a in axes if a in _KNOWN)
    free = [a for a in guess((1,) * (len(unnamed) + 2))[:-2].upper() if a not in rest]
    free += [a for a in "ZTC" if a not in rest and a not in free]
    names = dict(zip(unnamed, free, strict=False))
    return "".join(names.get(i, a if a in _KNOWN else "-") for i, a in enumerate(axes)).lower()


def facts(file: Any, every: Sequence[Any], number: int, path: Path) -> Facts:
    """Return what is known about a series besides its axes.

    What cannot be read of it is left out, and said.
    """
    series = every[number]
    page = series.keyframe
    try:
        known = _said(file, every, number)
    except DAMAGE as error:
        note = f"What {path} says about its pixel size and channels cannot be read"
        known = Facts(notes=(f"{note}: {short(error)}. It is left out.",))
    notes = (*known.notes, *oriented(page.tags.valueof(274, 1), path), *_missing(series, path))
    lossy = page.compression in LOSSY
    return replace(known, alpha=_has_opacity(page), notes=notes, lossy=lossy)


def renamed(series: Any, path: Path) -> tuple[str, ...]:
    """Say which axes of a file an image does not have, and what `letters` calls them instead."""
    ours = {"t": "times", "z": "planes along z", "c": "channels"}
    kinds = {**tifffile.TIFF.AXES_NAMES, **vendor.AXES.get(series.kind, {})}
    told = [
        f"{path} has {n} images along an axis that images have not ({kinds.get(axis, axis)}); they "
        f"are read as {ours[letter]}. Name the axes with axes= if they are something else."
        for axis, letter, n in zip(vendor.axes(series), letters(series), series.shape, strict=True)
        if axis not in _KNOWN + UNSAID and letter in ours and n > 1
    ]
    return (*told, *vendor.doubts(series, path))


def _missing(series: Any, path: Path) -> tuple[str, ...]:
    """Say how many planes the file does not have."""
    absent = sum(page is None for page in series.pages) if series.dataoffset is None else 0
    if not absent:
        return ()
    return (
        f"{path} lacks {absent} of the {len(series)} planes that it should have; they are read as "
        "zeros. Export it again if it should be complete.",
    )


def _said(file: Any, every: Sequence[Any], number: int) -> Facts:
    series = every[number]
    if file.is_ome and series.kind == "ome":
        return ome.facts(file.ome_metadata, every, number)
    if file.is_imagej:
        return _imagej(file.imagej_metadata or {}, series.keyframe)
    return vendor.facts(file) or _plain(series.keyframe)


def _has_opacity(page: Any) -> bool:
    if any(extra in _OPACITY for extra in page.extrasamples):
        return True
    return bool(page.photometric == tifffile.PHOTOMETRIC.RGB and page.samplesperpixel == 4)


def _imagej(said: Mapping[str, Any], page: Any) -> Facts:
    """Read ImageJ's description; x and y are in the resolution tags, per unit.

    An inch is none: ImageJ writes it for pictures that have a print resolution.
    """
    unit = str(said.get("unit", ""))
    lengths = {} if symbol(unit) in ("", "in") else _lengths(said, _per_unit(page), unit)
    if symbol(unit) == "cm" and any(is_print(1 / n) for a, (n, _) in lengths.items() if a in "xy"):
        lengths = {a: v for a, v in lengths.items() if a == "z"}
    spacing, found = in_one_unit(lengths)
    interval = float(said["finterval"]) if _number(said.get("finterval")) else 0.0
    step = seconds(interval, _text(said, "tunit", "s"))
    times = {"t": step} if step else {}
    return Facts(spacing | times, found, _names(said))


def _names(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what channels are called, where all planes of one are called the same."""
    given = said.get("Labels") or ()
    labels = (given,) if isinstance(given, str) else tuple(map(str, given))
    count = int(said["channels"]) if _number(said.get("channels")) else len(labels)
    names = labels[:count]
    return names if names * (len(labels) // max(count, 1)) == labels else ()


def _lengths(
    said: Mapping[str, Any], plane: Mapping[str, float], unit: str
) -> dict[str, tuple[float, str]]:
    """Return every spacing with its own unit; that of x holds where there is no other."""
    lengths = {a: (n, _text(said, f"{a}unit", unit)) for a, n in plane.items()}
    if _number(said.get("spacing")):
        lengths["z"] = float(said["spacing"]), _text(said, "zunit", unit)
    return lengths


def _text(said: Mapping[str, Any], key: str, other: str) -> str:
    return str(said.get(key) or other)


def _plain(page: Any) -> Facts:
    """Read the resolution tags if they are per centimetre; per inch they are about printing."""
    if page.resolutionunit != tifffile.RESUNIT.CENTIMETER:
        return Facts()
    per_cm = _per_unit(page)
    if any(is_print(1 / size) for size in per_cm.values()):
        return Facts()
    spacing = {a: convert(s, "cm", "µm") for a, s in per_cm.items()}
    return Facts(spacing, "µm" if spacing else "")


def is_print(per_cm: float) -> bool:
    """Tell whether a number of samples per centimetre is about paper, not about the specimen.

    So are the usual resolutions of screens and printers, also where they are rounded to whole
    samples per centimetre, and one per centimetre, which programs write that know nothing.
    """
    usual = [dpi / 2.54 for dpi in PRINT_DPI]
    near = any(abs(per_cm - n) <= 1e-3 * n for n in usual)
    return near or per_cm == 1 or per_cm in {round(n) for n in usual}


def _per_unit(page: Any) -> dict[str, float]:
    """Return the spacing that the resolution tags (samples per unit) stand for."""
    pairs = {"x": page.tags.get("XResolution"), "y": page.tags.get("YResolution")}
    spacing = {}
    for axis, tag in pairs.items():
        samples, units = tag.value if tag is not None else (0, 1)
        if samples > 0 and units > 0:
            spacing[axis] = units / samples
    return spacing


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0


def read_classes(path: Path) -> tuple[Class, ...]:
    """Return the classes that a label image carries, as ImageJ info or as an OME annotation."""
    with tifffile.TiffFile(path) as file:
        if file.is_imagej:
            return from_text(str((file.imagej_metadata or {}).get("Info", "")), path)
        return ome.classes(file.ome_metadata, path) if file.is_ome else ()
