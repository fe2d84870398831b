"""One image as a session knows it: its planes, its strokes, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session.core.planes import Planes
from stroma.session.events import Position


@dataclass
class Sheet:
    """One image as a document knows it.

    Parameters
    ----------
    key : str
        Its key in the session.
    name : str
        For people.
    sizes : dict of str to int
        Samples along t, z, y, x, as far as present.
    reference : dict
        Where the image is.
    region : Box or None
        Region of interest.
    display : dict
        How it is shown.
    spacing : dict of str to float
        Size of a pixel along y, x (and z) in µm, where somebody gave it; empty for the file's own.
    mark : str
        How far the work on it is; see `stroma.session.core.operations.MARKS`.
    """

    key: str
    name: str
    sizes: dict[str, int]
    reference: dict[str, Any]
    region: Box | None = None
    display: dict[str, Any] = field(default_factory=dict)
    spacing: dict[str, float] = field(default_factory=dict)
    mark: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the planes across z."""
        return self.sizes["y"], self.sizes["x"]

    @property
    def outer(self) -> dict[str, int]:
        """Sizes along t and z, as far as present."""
        return self.cuts.outer

    @property
    def planes(self) -> int:
        """Number of planes across z, t times z."""
        return self.cuts.along_z

    @cached_property
    def cuts(self) -> Planes:
        """All planes, also those that cut a volume across y or x."""
        return Planes(self.sizes)

    def require_plane(self, number: int) -> None:
        """Check that there is a plane of that number.

        Raises
        ------
        ParameterError
            If not.
        """
        count = sum(self.cuts.families.values())
        if number >= count:
            raise ParameterError(
                f"The image {self.name!r} has {count} planes, got number {number}."
            )

    def plane_number(self, plane: Position | None) -> int:
        """Return the number of a plane from its position along t and z, or t and y or x.

        An axis of one sample may be left out; so may all, for the first plane of an image.

        Raises
        ------
        ParameterError
            If there is no such plane.
        """
        return self.cuts.number(plane or {}, self.name)

    def require_inside(self, region: Box | None) -> Box | None:
        """Return what of a region lies in the image; None, which is all of it, as it is.

        Raises
        ------
        ParameterError
            If nothing of it does.
        """
        if region is None:
            return None
        inside = region.clipped(Box.of(self.shape))
        if inside.bottom <= inside.top or inside.right <= inside.left:
            raise ParameterError(f"The region lies outside the image {self.name!r}.")
        return inside

    def position(self, number: int) -> Position:
        """Return the position of a plane along t and z, or t and y or x, from its number."""
        return self.cuts.position(number)
