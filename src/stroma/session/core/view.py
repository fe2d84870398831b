"""What somebody is looking at."""

from __future__ import annotations

from dataclasses import dataclass

from stroma.blocks.box import Box
from stroma.data.cut import across
from stroma.session.core.results import PlaneKey
from stroma.session.events import Position


@dataclass(frozen=True)
class View:
    """What somebody is looking at.

    Parameters
    ----------
    image : str
        Key of the image.
    plane : int
        Number of the plane.
    position : dict of str to int
        The same, along t and z; or y or x.
    box : Box
        Pixels in view.
    """

    image: str
    plane: int
    position: Position
    box: Box

    @property
    def key(self) -> PlaneKey:
        """The plane, as results know it."""
        return self.image, self.plane

    @property
    def across(self) -> str:
        """The axis that the plane lies across: z, y or x."""
        return across(self.position)

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column of the middle."""
        return self.box.middle
