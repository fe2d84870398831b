"""What is to be written, besides the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stroma.data.classes import Class
from stroma.data.image import AXES, Image
from stroma.errors import ParameterError, ShapeError
from stroma.io.units import symbol

LABEL_AXES = {2: "yx", 3: "zyx", 4: "tzyx"}
"""Axes of labels about which nothing is known."""


@dataclass(frozen=True)
class Description:
    """What is known about an array that is to be written.

    Parameters
    ----------
    shape : tuple of int
        Size along every axis.
    dtype : numpy.dtype
        Type of the values.
    axes : str
        One letter of ``tczyx`` per axis, in that order.
    spacing : mapping of str to float
        Distance between samples along an axis.
    unit : str
        Unit of the spatial spacing.
    channels : sequence of str
        Names of the channels.
    rgb : bool
        Whether the channels are red, green and blue.
    labels : bool
        Whether the values are labels (never averaged), not intensities.
    classes : sequence of Class
        What the labels stand for.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    spacing: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    channels: tuple[str, ...] = ()
    rgb: bool = False
    labels: bool = False
    classes: tuple[Class, ...] = ()

    def __post_init__(self) -> None:
        """Check that the axes fit the shape, and the values can be stored."""
        if self.axes != "".join(a for a in AXES if a in self.axes) or not {"y", "x"} <= {
            *self.axes
        }:
            raise ShapeError(
                f"Axes are letters of {AXES!r} in that order with y and x, got {self.axes!r}."
            )
        if len(self.axes) != len(self.shape):
            raise ShapeError(f"The axes {self.axes!r} do not fit the shape {self.shape}.")
        if self.dtype.kind not in "biuf" or self.dtype.itemsize > 8:
            raise ParameterError(
                f"Values of type {self.dtype} cannot be written; give numbers of up to 64 bits."
            )
        if self.unit and not symbol(self.unit):
            raise ParameterError(f"The unit {self.unit!r} is not one of length, such as 'µm'.")
        if self.channels and len(self.channels) != self.sizes.get("c", 1):
            raise ShapeError(f"{len(self.channels)} channel names do not fit {self.sizes}.")

    @property
    def sizes(self) -> dict[str, int]:
        """Number of samples along every axis."""
        return dict(zip(self.axes, self.shape, strict=True))

    @property
    def nbytes(self) -> int:
        """Size of all values in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


def describe_image(
    array: Any,
    axes: str,
    *,
    spacing: Mapping[str, float] | None,
    unit: str,
    channels: Sequence[str],
    rgb: bool,
) -> Description:
    """Return the description of an image."""
    return Description(
        tuple(int(n) for n in array.shape),
        np.dtype(array.dtype),
        axes,
        spacing=dict(spacing or {}),
        unit=symbol(unit) or unit,
        channels=tuple(channels),
        rgb=rgb,
    )


def describe_labels(
    shape: Sequence[int], dtype: Any, *, axes: str, like: Image | None, classes: Sequence[Class]
) -> Description:
    """Return the description of labels, with axes and spacing of the image they belong to.

    Raises
    ------
    ShapeError
        If the labels do not have the size of the image.
    """
    plain = Description(
        tuple(int(n) for n in shape),
        np.dtype(dtype),
        axes or _axes_of_labels(len(shape), like),
        labels=True,
        classes=tuple(classes),
    )
    if like is None:
        return plain
    other = {a: (plain.sizes[a], n) for a, n in like.sizes.items() if a in plain.sizes}
    if any(ours != theirs for axis, (ours, theirs) in other.items() if axis != "c"):
        raise ShapeError(f"Labels of {plain.sizes} do not fit an image of {like.sizes}.")
    spacing = {a: s for a, s in like.spacing.items() if a in plain.axes}
    return replace(plain, spacing=spacing, unit=like.unit)


def _axes_of_labels(ndim: int, like: Image | None) -> str:
    own = like.kept_axes.replace("c", "") if like is not None else LABEL_AXES.get(ndim, "")
    if len(own) != ndim:
        raise ShapeError(
            f"Labels with {ndim} dimensions do not fit "
            f"{'an image with axes ' + repr(like.kept_axes) if like is not None else 'any rule'}. "
            "Give axes=, one letter of 'tczyx' per dimension."
        )
    return own
