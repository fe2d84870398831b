"""OME-XML in TIFFs: which image is which, its spacing and channels, and the files of a set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from stroma.data.classes import Class
from stroma.errors import FormatError, LabelError, MissingFileError, short
from stroma.io.axes import Facts
from stroma.io.class_names import OME_CLASSES, checked
from stroma.io.units import in_one_unit, seconds

MAX_XML = 2**27
"""Longer texts are not parsed (128 MiB hold the description of a million planes)."""


@dataclass(frozen=True)
class Source:
    """Where the description of a file of a set lies.

    Parameters
    ----------
    xml : str or None
        What to read instead of the description in the file; None where that one holds.
    notes : sequence of str
        What is missing.
    """

    xml: str | None = None
    notes: tuple[str, ...] = ()


def source(xml: str, path: Path) -> Source:
    """Return the description to go by, after checking that the files of the set are there.

    A member whose description lies in a companion file is read with that one. A file that was
    renamed is read as itself.

    Raises
    ------
    MissingFileError
        If a file that holds planes is not there.
    FormatError
        If it is not beside this one.
    """
    root = _parsed(xml, path)
    only = root.find("{*}BinaryOnly")
    if only is not None:
        return _companion(str(only.get("MetadataFile", "")), path)
    named = _names(root)
    if _is_renamed(root, named, path):
        return Source(_without_names(root))
    for name in named:
        member = _beside(name, path)
        if not member.is_file():
            raise MissingFileError(
                f"{path} is one file of a set, of which {short(name)} is missing in "
                f"{path.parent}. Copy it there, or export the image as one file."
            )
    return Source()


def _parsed(xml: str, path: Path) -> Element:
    if len(xml) > MAX_XML:
        raise FormatError(f"{path} carries a description of {len(xml)} characters; too long.")
    return ElementTree.fromstring(xml)


def _companion(name: str, path: Path) -> Source:
    """Return the description that lies in another file, if it is there."""
    other = _beside(name, path) if name else path
    missing = (
        f"{path} is one file of a set that {short(name) or 'another file'} describes, which is not "
        "beside it. Only what is in this file is read, without names, spacing and other planes.",
    )
    if other == path or not other.is_file() or other.stat().st_size > MAX_XML:
        return Source(None, missing)
    if other.suffix.lower() in (".tif", ".tiff"):
        return Source(None, missing)
    xml = other.read_text(encoding="utf-8", errors="replace").strip()
    found = source(xml, path)
    return Source(found.xml or xml, found.notes)


def _beside(name: str, path: Path) -> Path:
    """Return the path of a file of the set; only those in the same folder are looked at."""
    if name != Path(name).name or name in ("", ".", ".."):
        raise FormatError(
            f"{path} names {short(name)!r} as a file of its set. Only files in the same folder "
            "are read; move it there and export the set again."
        )
    return path.with_name(name)


def _names(root: Element) -> dict[str, str]:
    """Return the files that hold planes, with their identifiers."""
    found = {}
    for uuid in root.iterfind("{*}Image/{*}Pixels/{*}TiffData/{*}UUID"):
        name = uuid.get("FileName")
        if name and uuid.text != root.get("UUID"):
            found[name] = str(uuid.text)
    return found


def _is_renamed(root: Element, named: Mapping[str, str], path: Path) -> bool:
    """Tell whether all planes lie in one file that is called otherwise, so in this one."""
    if len(named) != 1 or root.get("UUID"):
        return False
    (name,) = named
    if name.lower() == path.name.lower():
        return False
    all_planes = root.findall("{*}Image/{*}Pixels/{*}TiffData")
    held = root.findall("{*}Image/{*}Pixels/{*}TiffData/{*}UUID")
    return len(held) == len(all_planes) and not path.with_name(Path(name).name).exists()


def _without_names(root: Element) -> str:
    for plane in root.iterfind("{*}Image/{*}Pixels/{*}TiffData"):
        for uuid in plane.findall("{*}UUID"):
            plane.remove(uuid)
    return ElementTree.tostring(root, encoding="unicode")


def facts(xml: str, series: Sequence[Any], number: int) -> Facts:
    """Return what the description says of one series of a file."""
    found = _image(ElementTree.fromstring(xml), series, number)
    pixels = None if found is None else found.find("{*}Pixels")
    if pixels is None:
        return Facts()
    spacing, unit = _spacing(pixels.attrib)
    names = [str(c.get("Name", "")) for c in pixels.findall("{*}Channel")]
    return Facts(spacing, unit, names if all(names) else ())


def _image(root: Element, series: Sequence[Any], number: int) -> Element | None:
    """Return the description of a series: images that have no planes are none."""
    left: Iterator[Element] = iter(root.findall("{*}Image"))
    found: Element | None = None
    for one in series[: number + 1]:
        found = next((e for e in left if str(e.get("Name") or "") == (one.name or "")), None)
    return found


def _spacing(said: Mapping[str, str]) -> tuple[dict[str, float], str]:
    """Return the spacing in the unit of x (or the first that has one), in time in seconds."""
    lengths = {
        axis: (
            _number(said.get(f"PhysicalSize{axis.upper()}")),
            said.get(f"PhysicalSize{axis.upper()}Unit", "µm"),
        )
        for axis in "xyz"
    }
    spacing, unit = in_one_unit(lengths)
    step = seconds(_number(said.get("TimeIncrement")), said.get("TimeIncrementUnit", "s"))
    return spacing | ({"t": step} if step else {}), unit


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def classes(xml: str, path: Path) -> tuple[Class, ...]:
    """Return the classes that a label image carries as an annotation."""
    root = _parsed(xml, path)
    found = root.findall(f".//{{*}}MapAnnotation[@Namespace='{OME_CLASSES}']/{{*}}Value/{{*}}M")
    try:
        listed = [
            {"label": m.get("K"), "color": (m.text or "")[:7], "name": (m.text or "")[8:]}
            for m in found
        ]
        return checked(listed)
    except (ValueError, TypeError, LabelError) as error:
        raise FormatError(
            f"{path} carries class names that cannot be read: {short(error)}"
        ) from error
