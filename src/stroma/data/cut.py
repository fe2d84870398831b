"""Planes that cut a volume across y or x, as images of their own."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image

ROWS_AND_COLUMNS = {"z": "yx", "y": "zx", "x": "zy"}
"""By the axis that a plane lies across, those along which its rows and columns are counted."""


def across(position: Container[str]) -> str:
    """Return the axis that a plane lies across, by the axes along which its position is given."""
    return next((axis for axis in "yx" if axis in position), "z")


@dataclass(frozen=True, eq=False)
class CutArray:
    """A cut of an image as an array that is read box by box.

    Parameters
    ----------
    image : Image
        The cut.
    """

    image: Image

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis that is left."""
        return self.image.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.image.dtype

    def __getitem__(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Read a box given by integers and slices, one per axis."""
        return self.image.at(**dict(zip(self.image.kept_axes, key, strict=True))).read()


def flat(image: Image) -> Image:
    """Return an image with rows and columns called y and x; reads nothing.

    An image without t that lacks y or x, since it was cut there, has the axes that are left in
    their place: z is called y, and, of a cut across x, y is called x. Others are returned as they
    are.
    """
    axes = image.kept_axes
    if {"y", "x"} <= set(axes):
        return image
    named = dict(zip(axes[-2:], "yx", strict=True))
    spacing = {named[a]: size for a, size in image.spacing.items() if a in named}
    levels = tuple(flat(level) for level in image.levels if level.kept_axes == axes)
    return replace(
        Image(CutArray(image), f"{axes[:-2]}yx"),
        spacing=spacing,
        unit=image.unit,
        channels=image.channels,
        rgb=image.rgb,
        source=image.source,
        levels=levels,
    )
