"""Limiting a segmentation to a region that a mask image marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import MissingFileError, ShapeError
from stroma.io import STROKE_READERS, read_image, read_strokes


@dataclass(frozen=True)
class Region:
    """The pixels to segment: all, or where a mask is not 0.

    Parameters
    ----------
    mask : Image or None
        One plane for all planes of the image, or one for each.
    """

    mask: Image | None = None

    def inside(self, plane: dict[str, int], rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Return which pixels of a rectangle belong to the region."""
        return self.within(plane, (rows, columns))

    def touches(self, place: Mapping[str, int], box: Sequence[slice]) -> bool:
        """Tell whether any pixel of a box along (z,) y and x belongs to the region."""
        return self.mask is None or bool(self.within(place, box).any())

    def within(self, place: Mapping[str, int], box: Sequence[slice]) -> NDArray[np.bool_]:
        """Return which pixels of a box along (z,) y and x belong to the region.

        Along z it has one plane where the region is the same in all.
        """
        sides = dict(zip("zyx"[-len(box) :], box, strict=True))
        if self.mask is None:
            return np.ones([side.stop - side.start for side in box], bool)
        at = {a: i for a, i in place.items() if a in self.mask.sizes}
        values: NDArray[Any] = self.mask.at(**at).read(
            {a: side for a, side in sides.items() if a in self.mask.sizes}
        )
        flat = (1,) * (len(box) - values.ndim)
        inside: NDArray[np.bool_] = values.reshape(flat + values.shape) != 0
        return inside

    def cut(
        self, plane: dict[str, int], rows: slice, columns: slice, values: NDArray[Any]
    ) -> NDArray[Any]:
        """Return values with 0 outside the region."""
        return values if self.mask is None else values * self.inside(plane, rows, columns)


def open_region(mask: Path | None, path: Path, image: Image) -> Region:
    """Return the region of an image, from a mask file or a folder of masks with its name.

    A mask is an image that is 0 outside, or marks of ImageJ or QuPath, whatever their class.

    Raises
    ------
    MissingFileError
        If a folder has no mask for the image.
    ShapeError
        If the mask does not have the image's size.
    """
    if mask is None:
        return Region()
    found = _opened(_file(mask, path), image)
    axes = {a: n for a, n in found.sizes.items() if n > 1 or a in "yx"}
    sizes = {a: n for a, n in image.sizes.items() if a != "c"}
    if {a: axes[a] for a in "yx"} != {
        a: sizes[a] for a in "yx"
    } or not axes.items() <= sizes.items():
        raise ShapeError(f"The mask {found.source} has {axes}, its image {path} has {sizes}.")
    return Region(found.at(**dict.fromkeys(set(found.sizes) - set(axes), 0)))


def _opened(mask: Path, image: Image) -> Image:
    if mask.suffix.lower() not in STROKE_READERS or mask.is_dir():
        return read_image(mask)
    marked = read_strokes(mask, image, unnamed="region")
    return Image(marked.labels, marked.axes, source=str(mask))


def _file(mask: Path, path: Path) -> Path:
    if not mask.is_dir() or mask.suffix == ".zarr":
        return mask
    alike = sorted(p for p in mask.iterdir() if p.name.split(".")[0] == path.name.split(".")[0])
    if not alike:
        raise MissingFileError(f"There is no mask for {path.name} in {mask}.")
    return alike[0]
