"""One image as a session knows it: its planes, its strokes, and how it is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.session.core import checks
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
    """

    key: str
    name: str
    sizes: dict[str, int]
    reference: dict[str, Any]
    region: Box | None = None
    display: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.sizes["y"], self.sizes["x"]

    @property
    def outer(self) -> dict[str, int]:
        """Sizes along t and z, as far as present."""
        return {a: n for a, n in self.sizes.items() if a in "tz"}

    @property
    def planes(self) -> int:
        """Number of planes, t times z."""
        return math.prod(self.outer.values())

    def require_plane(self, number: int) -> None:
        """Check that there is a plane of that number.

        Raises
        ------
        ParameterError
            If not.
        """
        if number >= self.planes:
            raise ParameterError(
                f"The image {self.name!r} has {self.planes} planes, got number {number}."
            )

    def plane_number(self, plane: Position | None) -> int:
        """Return the number of a plane from its position along t and z.

        An axis of one sample may be left out; so may all, for the first plane of an image.

        Raises
        ------
        ParameterError
            If there is no such plane.
        """
        given = dict(plane or {})
        index = 0
        for axis, size in self.outer.items():
            at = given.pop(axis, 0)
            index = index * size + checks.whole(at, f"A position along {axis}", 0, size - 1)
        if given:
            raise ParameterError(
                f"The image {self.name!r} has planes along {list(self.outer)}, not {list(given)}."
            )
        return index

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
        """Return the position of a plane along t and z from its number."""
        at = np.unravel_index(number, tuple(self.outer.values()) or (1,))
        return {axis: int(i) for axis, i in zip(self.outer, at, strict=False)}
