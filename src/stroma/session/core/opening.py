"""An image that joins a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.io.units import convert
from stroma.pixel.door import open_image
from stroma.session.core.planes import Planes
from stroma.session.events import Position


@dataclass(frozen=True)
class OpenImage:
    """An image of a session, as it is now.

    Parameters
    ----------
    key : str
        What the session calls it.
    name : str
        For people.
    image : Image
        Its pixels, lazily.
    region : Box or None
        Region of interest; results are computed only there.
    display : mapping
        How it is shown, as the front end set it.
    missing : bool
        Whether its file is not there, or is another one; its pixels are then 0.
    sized : bool
        Whether somebody gave the size of its pixels, which the file does not.
    mark : str
        "accepted" or "skipped"; empty where it is still to be done.
    """

    key: str
    name: str
    image: Image
    region: Box | None
    display: Mapping[str, Any]
    missing: bool = False
    sized: bool = False
    mark: str = ""

    @cached_property
    def planes(self) -> Planes:
        """Its planes, also those that cut a volume across y or x."""
        return Planes(without_channels(self.image))

    @property
    def outer(self) -> dict[str, int]:
        """Sizes along t and z, as far as present."""
        return self.planes.outer

    def plane_shape(self, plane: Position | None) -> tuple[int, int]:
        """Return the height and width of a plane."""
        return self.planes.shape(self.planes.number(plane or {}, self.name))

    def plane_region(self, plane: Position | None) -> Box | None:
        """Return the region of interest on a plane; None for all of it."""
        return self.planes.region(self.planes.number(plane or {}, self.name), self.region)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the planes across z."""
        return self.image.sizes["y"], self.image.sizes["x"]


def opened(data: Any, axes: str | None = None, series: int = 0) -> Image:
    """Return an image from a file, an array or an `Image`."""
    if isinstance(data, str | Path):
        from stroma.io import read_image

        return read_image(data, axes=axes, series=series)
    return open_image(data, "single").image


def sized(image: Image, spacing: Mapping[str, float]) -> Image:
    """Return an image with pixels of a given size, in µm along some axes; empty leaves it as it is.

    Coarser levels keep their share of it.
    """
    if not spacing:
        return image
    known = {a: s for a, s in image.spacing.items() if a in "zyx"} if image.unit else {}
    metric = {a: convert(s, image.unit, "µm") for a, s in known.items()}
    others = {a: s for a, s in image.spacing.items() if a not in "zyx"}
    given = {**others, **metric, **spacing}
    levels = tuple(
        sized(level, {a: s * image.sizes[a] / level.sizes[a] for a, s in spacing.items()})
        for level in image.levels
    )
    return replace(image, spacing=given, unit="µm", levels=levels)


def without_channels(image: Image) -> dict[str, int]:
    """Return the sizes of an image along all axes but c."""
    return {a: n for a, n in image.sizes.items() if a != "c"}
