"""Pixels of an image, as engines take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image

Pixels: TypeAlias = tuple[NDArray[Any], bool]
"""Values (C, y, x) or (C, z, y, x), and whether they are red, green and blue."""


def pixels_of(image: Image, box: Mapping[str, slice] | None = None) -> Pixels:
    """Return the pixels of an image, or of a part of it.

    Parameters
    ----------
    image : Image
        A plane or a volume, perhaps with channels.
    box : mapping of axis to slice, optional
        Which part; all of it unless given.
    """
    values, axes = image.read(box), image.kept_axes
    first = np.moveaxis(values, axes.index("c"), 0) if "c" in axes else values[None]
    return first, image.rgb and len(first) == 3
