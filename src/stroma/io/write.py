"""One door for writing images and labels; a file appears whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.errors import FormatError, ParameterError
from stroma.io.atomic import check_target, replaced
from stroma.io.describe import Description, describe_image, describe_labels
from stroma.io.omezarr.labels import belongs_to_image, enlist, prepare
from stroma.io.tables import WRITERS

MAX_PNG = 65535
"""The largest value in a PNG."""


def write_image(
    path: str | Path,
    array: Any,
    *,
    axes: str,
    spacing: Mapping[str, float] | None = None,
    unit: str = "",
    channels: Sequence[str] = (),
    rgb: bool = False,
    ome_version: str = "0.4",
) -> Path:
    """Write an image: PNG, TIFF, OME-TIFF, NPY or OME-Zarr, by the ending of the name.

    Parameters
    ----------
    path : str or Path
        Where to; an existing file is replaced.
    array : array-like
        The values; only OME-Zarr is written without having them all in memory.
    axes : str
        One letter of ``tczyx`` per axis, in that order.
    spacing : mapping of str to float, optional
        Distance between samples along an axis: ``unit`` in space, seconds in time.
    unit : str
        Unit of length of the spacing.
    channels : sequence of str
        Names of the channels.
    rgb : bool
        Whether the three channels are red, green and blue.
    ome_version : {"0.4", "0.5"}
        Version of OME-Zarr.

    Returns
    -------
    Path
        The file written.
    """
    array = _as_array(array)
    about = describe_image(array, axes, spacing=spacing, unit=unit, channels=channels, rgb=rgb)
    return _write(Path(path), array, about, ome_version)


def write_labels(
    path: str | Path,
    labels: Any,
    *,
    like: Image | None = None,
    classes: Sequence[Class] = (),
    axes: str = "",
    ome_version: str = "0.4",
) -> Path:
    """Write labels with the classes they stand for.

    Written to ``image.zarr/labels/NAME``, they become labels of that OME-Zarr image.

    Parameters
    ----------
    path : str or Path
        Where to; the ending of the name is the format.
    labels : array-like
        Integers; 0 is unlabelled.
    like : Image, optional
        The image they belong to: its axes (without c), spacing and unit are written.
    classes : sequence of Class
        Names and colours, kept by TIFF, PNG and OME-Zarr.
    axes : str
        One letter per axis, where there is no image to tell.
    ome_version : {"0.4", "0.5"}
        Version of OME-Zarr.

    Returns
    -------
    Path
        The file written.
    """
    labels = _as_array(labels)
    about = describe_labels(labels.shape, labels.dtype, axes=axes, like=like, classes=classes)
    if about.dtype.kind == "f":
        raise ParameterError(f"Labels are integers, got {about.dtype}.")
    return _write(Path(path), labels, about, ome_version)


def format_of(path: Path) -> str:
    """Return the ending in the table of writers that a name has.

    Raises
    ------
    FormatError
        If no writer knows it.
    """
    if belongs_to_image(path):
        return ".zarr"
    name = path.name.lower()
    for ending in sorted(WRITERS, key=len, reverse=True):
        if name.endswith(ending):
            return ending
    raise FormatError(
        f"{path.name} has an ending that no writer knows. Known: {', '.join(sorted(WRITERS))}."
    )


def check_labels_target(path: Path) -> None:
    """Refuse a path that no labels can be written to, before they are made.

    Raises
    ------
    FormatError
        If no writer knows the ending.
    MissingFileError
        If there is no such folder.
    """
    format_of(path)
    if not belongs_to_image(path):
        check_target(path)


def check_labels_fit(path: Path, axes: str, largest: int = 0) -> None:
    """Refuse labels that a file of that kind cannot hold, before anything is written.

    Raises
    ------
    FormatError
        If it is a PNG, and they are no plane, or too large.
    """
    if format_of(path) != ".png":
        return
    advice = "Write TIFF or OME-Zarr instead."
    if axes != "yx":
        raise FormatError(f"{path.name}: a PNG holds one plane, got axes {axes!r}. {advice}")
    if largest > MAX_PNG:
        raise FormatError(
            f"{path.name}: a PNG holds numbers up to {MAX_PNG}, got {largest}. {advice}"
        )


def checked_version(version: str) -> str:
    """Return the version of OME-Zarr, if it is one that is written."""
    if version not in ("0.4", "0.5"):
        raise ParameterError(f"OME-Zarr is written as '0.4' or '0.5', got {version!r}.")
    return version


def _as_array(values: Any) -> Any:
    """Return what has a shape and a type as it is, so that it may be lazy; else an array."""
    return values if hasattr(values, "dtype") else np.asarray(values)


def _write(path: Path, array: Any, about: Description, ome_version: str) -> Path:
    ending = format_of(path)
    version = checked_version(ome_version)
    inside = belongs_to_image(path)
    if inside:
        version = prepare(path)
    options = {"version": version} if ending == ".zarr" else {}
    with replaced(path) as temporary:
        WRITERS[ending](temporary, array, about, **options)
    if inside:
        enlist(path)
    return path
