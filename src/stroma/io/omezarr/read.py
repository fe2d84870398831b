"""OME-Zarr 0.4 (zarr v2) and 0.5 (zarr v3), and plain zarr arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import zarr

from stroma.data.classes import MAX_LABEL, Class
from stroma.data.image import Image
from stroma.errors import FormatError, LabelError, StromaError
from stroma.io.axes import Facts, arrange, asked, guess
from stroma.io.class_names import checked
from stroma.io.lazy import DAMAGE, damaged
from stroma.io.units import convert, symbol

_COLOURS = ("red", "green", "blue")


def read(path: Path, *, axes: str | None = None, series: int = 0) -> Image:
    """Return the image in a zarr folder, lazily; its coarser levels are in ``levels``."""
    try:
        node = zarr.open(path, mode="r")
        if isinstance(node, zarr.Array):
            return _plain(node, axes, path)
        return _multiscale(_image_group(node, series, path), axes, path)
    except StromaError:
        raise
    except (*DAMAGE, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error


def read_classes(path: Path) -> tuple[Class, ...]:
    """Return the names and colours in the "image-label" part of the metadata."""
    node = zarr.open(path, mode="r")
    said = {} if isinstance(node, zarr.Array) else metadata(node).get("image-label", {})
    try:
        named = {p["label-value"]: str(p.get("name", "")) for p in said.get("properties", ())}
        colours = {c["label-value"]: c["rgba"] for c in said.get("colors", ())}
        listed = [
            {"label": n, "name": named.get(n, ""), "color": _hex(colours.get(n))}
            for n in {**named, **colours}
            if 1 <= int(n) <= MAX_LABEL
        ]
        return checked(listed)
    except (ValueError, KeyError, TypeError, AttributeError, LabelError) as error:
        raise FormatError(f"{path} carries class names that cannot be read: {error}") from error


def metadata(group: zarr.Group) -> Mapping[str, Any]:
    """Return the OME part of a group's attributes: under "ome" since 0.5, at the top before."""
    attributes: Mapping[str, Any] = group.attrs.asdict()
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def _image_group(group: zarr.Group, series: int, path: Path) -> zarr.Group:
    """Return the group that holds an image: this one, or a numbered one in it."""
    said = metadata(group)
    if said.get("multiscales"):
        return group
    if "plate" in said:
        first = said["plate"].get("wells", [{"path": "A/1"}])[0]["path"]
        raise FormatError(f"{path} is a plate; name one field of it, as in {path / first / '0'}.")
    inner = sorted((name for name in group if name.isdecimal()), key=int)
    if series >= len(inner):
        raise FormatError(f"{path} has no multiscales metadata, so it is not an OME-Zarr image.")
    chosen = group[inner[series]]
    if isinstance(chosen, zarr.Array) or not metadata(chosen).get("multiscales"):
        raise FormatError(f"{path} has no multiscales metadata, so it is not an OME-Zarr image.")
    return chosen


def _plain(array: zarr.Array[Any], axes: str | None, path: Path) -> Image:
    """Return an array without OME metadata; axes from its dimension names, asked or guessed."""
    _check_values(array, path)
    names = getattr(array.metadata, "dimension_names", None) or ()
    named = "".join(str(n).lower() for n in names)
    if axes is not None:
        named = asked(axes, array.shape, path)
    elif len(named) != array.ndim:
        named = guess(array.shape)
    return arrange(array, named, Facts(), path)


def _multiscale(group: zarr.Group, axes: str | None, path: Path) -> Image:
    said = metadata(group)
    scales = said["multiscales"][0]
    described = [a if isinstance(a, Mapping) else {"name": a} for a in scales.get("axes", "tczyx")]
    named = "".join(str(a["name"]).lower() for a in described)
    images = []
    for dataset in scales["datasets"]:
        array = group[dataset["path"]]
        if not isinstance(array, zarr.Array):
            raise FormatError(f"{path} has no array {dataset['path']!r}, which its metadata names.")
        _check_values(array, path)
        letters = named if axes is None else asked(axes, array.shape, path)
        if len(letters) != array.ndim:
            raise FormatError(f"{path} names axes {named!r} for an array of shape {array.shape}.")
        known = _facts(described, _scale(scales, dataset, array.ndim), said)
        images.append(arrange(array, letters, known, path))
    return replace(_with_colours(images[0]), levels=tuple(map(_with_colours, images[1:])))


def _check_values(array: zarr.Array[Any], path: Path) -> None:
    """Refuse what is no image, and codecs that run code from the file."""
    if array.dtype.kind not in "biuf":
        raise FormatError(f"{path} holds values of type {array.dtype}; an image holds numbers.")
    codecs = [str(getattr(c, "codec_id", c)) for c in (*array.filters, *array.compressors)]
    if any("pickle" in codec.lower() for codec in codecs):
        raise FormatError(
            f"{path} stores its values as Python pickles, which are not safe to load."
        )


def _scale(scales: Mapping[str, Any], dataset: Mapping[str, Any], n: int) -> list[float]:
    """Return the spacing along every axis: that of the level times that of all levels."""
    total = [1.0] * n
    for holder in (dataset, scales):
        for transform in holder.get("coordinateTransformations", ()):
            if transform.get("type") == "scale" and len(transform.get("scale", ())) == n:
                total = [a * float(b) for a, b in zip(total, transform["scale"], strict=True)]
    return total


def _facts(
    axes: Sequence[Mapping[str, Any]], scale: Sequence[float], said: Mapping[str, Any]
) -> Facts:
    units = {a["name"]: symbol(str(a.get("unit", ""))) for a in axes}
    sizes = dict(zip((a["name"] for a in axes), scale, strict=False))
    unit = next((units[a] for a in "xyz" if units.get(a)), "")
    spacing = {
        a: convert(s, units[a] or unit, unit) if units.get(a) else s
        for a, s in sizes.items()
        if a != "c" and (units.get(a) or unit or a == "t" or s != 1)
    }
    shown = said.get("omero", {}).get("channels", ())
    names = [str(channel.get("label", "")) for channel in shown]
    return Facts(spacing, unit, names if all(names) else ())


def _hex(rgba: Sequence[int] | None) -> str:
    return "" if rgba is None else "#" + bytes(rgba[:3]).hex()


def _with_colours(image: Image) -> Image:
    """Mark an image whose channels are called red, green and blue as one of colours."""
    named = tuple(name.lower() for name in image.channels) == _COLOURS
    return replace(image, rgb=True) if named else image
