"""The ``labels`` group of an OME-Zarr image, which lists the label images in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zarr

from stroma.io.atomic import is_zarr


def belongs_to_image(path: Path) -> bool:
    """Tell whether a path is ``image.zarr/labels/NAME`` of an image that exists."""
    return path.parent.name == "labels" and is_zarr(path.parent.parent)


def prepare(path: Path) -> str:
    """Make sure that the group exists; return the version of OME-Zarr of its image."""
    image = zarr.open_group(path.parent.parent, mode="r")
    form = image.metadata.zarr_format
    zarr.open_group(path.parent, mode="a", zarr_format=form)
    return "0.5" if form == 3 else "0.4"


def enlist(path: Path) -> None:
    """Add the name of a label image to the list of its group."""
    group = zarr.open_group(path.parent, mode="r+")
    v3 = group.metadata.zarr_format == 3
    attributes: Mapping[str, Any] = group.attrs.asdict()
    said = _mapping(attributes.get("ome")) if v3 else attributes
    names = [str(n) for n in said.get("labels", [])]
    names += [path.name] if path.name not in names else []
    if v3:
        group.attrs["ome"] = {**said, "version": "0.5", "labels": names}
    else:
        group.attrs["labels"] = names


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
