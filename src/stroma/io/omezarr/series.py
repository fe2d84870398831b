"""The images of a zarr folder: scales of a group, series of a file that was converted, fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from stroma.errors import FormatError, StromaError, short
from stroma.io.lazy import DAMAGE, damaged
from stroma.io.omezarr.store import Node, open_node
from stroma.io.series import Series

MAX_FIELDS = 2**17
"""Fields of a plate that are listed."""


@dataclass(frozen=True)
class Place:
    """Where an image lies in a folder.

    Parameters
    ----------
    group : str
        The group, seen from the folder; empty for the folder itself.
    scales : int
        Which of the group's ``multiscales``; -1 for an array without them.
    name : str
        What it is called.
    """

    group: str
    scales: int = 0
    name: str = ""


def list_series(path: Path) -> tuple[Series, ...]:
    """Return the images in a zarr folder."""
    try:
        node = open_node(path)
        return tuple(
            Series(i, place.name, _sizes(node, place)) for i, place in enumerate(places(node, path))
        )
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error


def places(node: Node, path: Path) -> tuple[Place, ...]:
    """Return where the images of a folder lie, in the order of the folder.

    Raises
    ------
    FormatError
        If there is none.
    """
    if isinstance(node, zarr.Array):
        return (Place("", -1),)
    said = metadata(node)
    found = _own(said) or _fields(node, said) or _converted(node)
    if not found:
        raise FormatError(f"{path} has no multiscales metadata, so it is not an OME-Zarr image.")
    return found


def metadata(group: zarr.Group) -> Mapping[str, Any]:
    """Return the OME part of a group's attributes: under "ome" since 0.5, at the top before."""
    attributes: Mapping[str, Any] = group.attrs.asdict()
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def _own(said: Mapping[str, Any]) -> tuple[Place, ...]:
    """Return the images of a group itself: one for every set of scales."""
    scales = _list(said.get("multiscales"))
    return tuple(Place("", i, str(_mapping(s).get("name") or "")) for i, s in enumerate(scales))


def _fields(node: zarr.Group, said: Mapping[str, Any]) -> tuple[Place, ...]:
    """Return the fields of a well, or of all wells of a plate."""
    if "well" in said:
        images = _list(_mapping(said["well"]).get("images"))
        names = [str(_mapping(i).get("path") or "") for i in images]
        return tuple(Place(name, 0, f"field {name}") for name in names if name)
    wells = _list(_mapping(said.get("plate")).get("wells"))
    found: list[Place] = []
    for well in wells:
        name = str(_mapping(well).get("path") or "")
        inner = node.get(name) if name else None
        if isinstance(inner, zarr.Group) and len(found) < MAX_FIELDS:
            inside = metadata(inner)
            fields = _fields(inner, inside) if "well" in inside else ()
            found += [Place(f"{name}/{f.group}", 0, f"{name}/{f.group}") for f in fields]
    return tuple(found)


def _converted(node: zarr.Group) -> tuple[Place, ...]:
    """Return the numbered groups that a converter writes, one for every series of the original."""
    numbered = sorted((name for name in node if name.isdecimal()), key=int)
    found = []
    for name in numbered:
        inner = node[name]
        if isinstance(inner, zarr.Group) and metadata(inner).get("multiscales"):
            title = _mapping(_list(metadata(inner)["multiscales"])[0]).get("name")
            found.append(Place(name, 0, str(title or "")))
    return tuple(found)


def _sizes(node: Node, place: Place) -> dict[str, int]:
    """Return the size of the finest level, where it can be told without trouble."""
    try:
        group = node[place.group] if place.group and isinstance(node, zarr.Group) else node
        if isinstance(group, zarr.Array):
            return {}
        scales = scales_of(group, place)
        array = group[scales["datasets"][0]["path"]]
        axes = axes_of(scales)
        assert isinstance(array, zarr.Array)
        return dict(zip(axes, array.shape, strict=True))
    except DAMAGE:
        return {}  # what is wrong is said where the image is read


def scales_of(group: zarr.Group, place: Place) -> Mapping[str, Any]:
    """Return the metadata of an image."""
    found: Mapping[str, Any] = metadata(group)["multiscales"][place.scales]
    return found


def axes_of(scales: Mapping[str, Any]) -> str:
    """Return one letter per axis; those of the first versions are fixed."""
    described = scales.get("axes") or list("tczyx")
    names = [str(a["name"] if isinstance(a, Mapping) else a).lower() for a in described]
    if any(len(name) != 1 for name in names):
        raise ValueError(
            f"its axes {short(names)} have names of several letters, not t, c, z, y, x"
        )
    return "".join(names)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []
