"""What a TIFF says about its image: axes, spacing, channels; from OME, ImageJ or plain tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import tifffile

from stroma.data.classes import Class
from stroma.errors import FormatError, LabelError
from stroma.io.axes import Facts, guess
from stroma.io.class_names import OME_CLASSES, checked, from_text
from stroma.io.units import convert, symbol

_OPACITY = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
_KNOWN = "TCZYXS"


def letters(series: Any) -> str:
    """Return one letter per axis; axes the file does not name follow the rules for no names."""
    axes, shape = series.axes, series.shape
    unnamed = [i for i, a in enumerate(axes) if a not in _KNOWN and shape[i] > 1]
    rest = "".join(a for a in axes if a in _KNOWN)
    free = [a for a in guess((1,) * (len(unnamed) + 2))[:-2].upper() if a not in rest]
    free += [a for a in "ZTC" if a not in rest and a not in free]
    names = dict(zip(unnamed, free, strict=False))
    return "".join(names.get(i, a if a in _KNOWN else "-") for i, a in enumerate(axes)).lower()


def facts(file: Any, index: int, series: Any) -> Facts:
    """Return what is known about a series besides its axes."""
    page = series.keyframe
    if file.is_ome and series.kind == "ome":
        known = _ome(file.ome_metadata, index)
    elif file.is_imagej:
        known = _imagej(file.imagej_metadata or {}, page)
    else:
        known = _plain(page)
    return replace(known, alpha=_has_opacity(page))


def _has_opacity(page: Any) -> bool:
    if any(extra in _OPACITY for extra in page.extrasamples):
        return True
    return bool(page.photometric == tifffile.PHOTOMETRIC.RGB and page.samplesperpixel == 4)


def _ome(xml: str, index: int) -> Facts:
    """Read the OME-XML of one image."""
    images = ElementTree.fromstring(xml).findall("{*}Image")
    pixels = images[index].find("{*}Pixels") if index < len(images) else None
    if pixels is None:
        return Facts()
    spacing, unit = _ome_spacing(pixels.attrib)
    names = [str(c.get("Name", "")) for c in pixels.findall("{*}Channel")]
    return Facts(spacing, unit, names if all(names) else ())


def _ome_spacing(said: Mapping[str, str]) -> tuple[dict[str, float], str]:
    """Return the spacing in the unit of x (or the first that has one)."""
    lengths: dict[str, tuple[float, str]] = {}
    for axis in "xyz":
        text = said.get(f"PhysicalSize{axis.upper()}")
        unit = symbol(said.get(f"PhysicalSize{axis.upper()}Unit", "µm"))
        if text and unit and float(text) > 0:
            lengths[axis] = float(text), unit
    unit = next((u for _, u in lengths.values()), "")
    spacing = {a: convert(n, u, unit) for a, (n, u) in lengths.items()}
    if said.get("TimeIncrement"):
        spacing["t"] = float(said["TimeIncrement"])
    return spacing, unit


def _imagej(said: Mapping[str, Any], page: Any) -> Facts:
    """Read ImageJ's description; x and y are in the resolution tags, per unit."""
    unit = symbol(str(said.get("unit", "")))
    spacing = _per_unit(page) if unit else {}
    if unit and _number(said.get("spacing")):
        spacing["z"] = float(said["spacing"])
    if _number(said.get("finterval")):
        spacing["t"] = float(said["finterval"])
    labels = said.get("Labels") or ()
    return Facts(spacing, unit, tuple(str(label) for label in labels))


def _plain(page: Any) -> Facts:
    """Read the resolution tags if they are per centimetre; per inch they are about printing."""
    if page.resolutionunit != tifffile.RESUNIT.CENTIMETER:
        return Facts()
    spacing = {a: convert(s, "cm", "µm") for a, s in _per_unit(page).items()}
    return Facts(spacing, "µm" if spacing else "")


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
        return _ome_classes(file.ome_metadata, path) if file.is_ome else ()


def _ome_classes(xml: str, path: Path) -> tuple[Class, ...]:
    root = ElementTree.fromstring(xml)
    found = root.findall(f".//{{*}}MapAnnotation[@Namespace='{OME_CLASSES}']/{{*}}Value/{{*}}M")
    try:
        listed = [
            {"label": m.get("K"), "color": (m.text or "")[:7], "name": (m.text or "")[8:]}
            for m in found
        ]
        return checked(listed)
    except (ValueError, TypeError, LabelError) as error:
        raise FormatError(f"{path} carries class names that cannot be read: {error}") from error
