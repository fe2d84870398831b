"""OME-Zarr 0.4 (zarr v2) and 0.5 (zarr v3), and plain zarr arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import zarr

from stroma.data.classes import MAX_LABEL, Class
from stroma.data.image import Image
from stroma.errors import FormatError, LabelError, StromaError, short
from stroma.io.axes import Facts, arrange, asked, guess
from stroma.io.class_names import checked
from stroma.io.lazy import DAMAGE, damaged
from stroma.io.omezarr.bounded import bounded
from stroma.io.omezarr.chunks import Chunks
from stroma.io.omezarr.series import Place, axes_of, metadata, places, scales_of
from stroma.io.omezarr.store import Node, open_node
from stroma.io.series import Series, chosen
from stroma.io.units import in_one_unit, seconds

_COLOURS = ("red", "green", "blue")


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a zarr folder, lazily; its coarser levels are in ``levels``."""
    try:
        node = open_node(path)
        found = places(node, path)
        if series is None and len(found) > 1 and "plate" in _said(node):
            raise FormatError(
                f"{path} is a plate of {len(found)} fields; name one, as in "
                f"{path / found[0].group}, all of them, as in '{path}/*/*/0', or give its number "
                "with series=."
            )
        listed = [Series(i, place.name) for i, place in enumerate(found)]
        number, notes = chosen(path, series, listed)
        place = found[number]
        inner = node[place.group] if place.group and isinstance(node, zarr.Group) else node
        if isinstance(inner, zarr.Array):
            return _plain(inner, axes, path)
        return replace(_multiscale(inner, place, axes, path), notes=notes)
    except StromaError:
        raise
    except DAMAGE as error:
        raise damaged(path, error) from error


def _said(node: Node) -> Mapping[str, Any]:
    return {} if isinstance(node, zarr.Array) else metadata(node)


def read_classes(path: Path) -> tuple[Class, ...]:
    """Return the names and colours in the "image-label" part of the metadata."""
    node = open_node(path)
    said = _said(node).get("image-label", {})
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
        raise FormatError(
            f"{path} carries class names that cannot be read: {short(error)}"
        ) from error


def _plain(array: zarr.Array[Any], axes: str | None, path: Path) -> Image:
    """Return an array without OME metadata; axes from its dimension names, asked or guessed."""
    _check_values(array, path)
    names = getattr(array.metadata, "dimension_names", None) or ()
    named = "".join(str(n).lower() for n in names)
    if axes is not None:
        named = asked(axes, array.shape, path)
    elif len(named) != array.ndim:
        named = guess(array.shape)
    return arrange(Chunks(_safe(array, path), path), named, Facts(), path)


def _multiscale(group: zarr.Group, place: Place, axes: str | None, path: Path) -> Image:
    said = metadata(group)
    scales = scales_of(group, place)
    described = [a if isinstance(a, Mapping) else {"name": a} for a in scales.get("axes", "tczyx")]
    named = axes_of(scales)
    images = []
    for dataset in scales["datasets"]:
        array = group[dataset["path"]]
        if not isinstance(array, zarr.Array):
            raise FormatError(
                f"{path} has no array {short(dataset['path'])!r}, which its metadata names."
            )
        _check_values(array, path)
        letters = named if axes is None else asked(axes, array.shape, path)
        if len(letters) != array.ndim:
            raise FormatError(f"{path} names axes {named!r} for an array of shape {array.shape}.")
        known = _facts(described, _scale(scales, dataset, array.ndim), said)
        images.append(arrange(Chunks(_safe(array, path), path), letters, known, path))
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


def _safe(array: zarr.Array[Any], path: Path) -> zarr.Array[Any]:
    try:
        return bounded(array)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


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
    units = {str(a["name"]): str(a.get("unit") or "") for a in axes}
    sizes = dict(zip(units, scale, strict=False))
    spacing, unit = in_one_unit({a: (sizes[a], units[a]) for a in "xyz" if a in sizes})
    if unit:  # an axis without a unit has that of the others
        spacing |= {a: sizes[a] for a in "xyz" if a in sizes and not units[a]}
    else:
        spacing = {a: sizes[a] for a in "xyz" if sizes.get(a, 1) != 1 and not units[a]}
    step = seconds(sizes["t"], units["t"] or "s") if "t" in sizes else None
    if step and step > 0 and (units["t"] or step != 1):
        spacing["t"] = step
    shown = said.get("omero", {}).get("channels", ())
    names = [str(channel.get("label", "")) for channel in shown]
    return Facts(spacing, unit, names if all(names) else ())


def _hex(rgba: Sequence[int] | None) -> str:
    return "" if rgba is None else "#" + bytes(rgba[:3]).hex()


def _with_colours(image: Image) -> Image:
    """Mark an image whose channels are called red, green and blue as one of colours."""
    named = tuple(name.lower() for name in image.channels) == _COLOURS
    return replace(image, rgb=True) if named else image
