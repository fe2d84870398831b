"""The planes of an image by number: those along t and z, and those that cut a volume otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stroma.blocks.box import Box
from stroma.data.cut import ROWS_AND_COLUMNS
from stroma.errors import ParameterError
from stroma.session.core import checks
from stroma.session.events import Position


@dataclass(frozen=True, eq=False)
class Planes:
    """How planes are numbered.

    First come the planes across z, t before z. An image with z has two more families: those across
    y, whose rows are z and columns x, and those across x, whose rows are z and columns y.

    Parameters
    ----------
    sizes : mapping of str to int
        Samples along t, z, y and x, as far as present.
    """

    sizes: Mapping[str, int]

    @property
    def outer(self) -> dict[str, int]:
        """Sizes along t and z, as far as present."""
        return {a: n for a, n in self.sizes.items() if a in "tz"}

    @property
    def along_z(self) -> int:
        """Number of planes across z, t times z."""
        return self.times * self.sizes.get("z", 1)

    @property
    def times(self) -> int:
        """Samples along t; 1 without."""
        return self.sizes.get("t", 1)

    @property
    def families(self) -> dict[str, int]:
        """Number of planes across every axis there are planes across."""
        found = {"z": self.along_z}
        return found | ({a: self.times * self.sizes[a] for a in "yx"} if "z" in self.sizes else {})

    def across(self, number: int) -> str:
        """Return the axis that a plane lies across: z, y or x."""
        return self._place(number)[0]

    def shape(self, number: int) -> tuple[int, int]:
        """Return the height and width of a plane."""
        axes = self.axes(number)
        return self.sizes[axes[0]], self.sizes[axes[1]]

    def axes(self, number: int) -> str:
        """Return the axes along which its rows and its columns are counted."""
        return ROWS_AND_COLUMNS[self.across(number)]

    def number(self, position: Position, name: str) -> int:
        """Return the number of a plane from its position.

        Parameters
        ----------
        position : dict of str to int
            Along t and z, of which an axis of one sample, or all, may be left out; or along t and y
            or x, for a plane that cuts a volume.
        name : str
            What people call the image.

        Raises
        ------
        ParameterError
            If there is no such plane.
        """
        given = dict(position)
        across = next((a for a in self.families if a != "z" and a in given), "z")
        index = 0
        for axis in (a for a in ("t", across) if a in self.sizes):
            at = given.pop(axis, 0)
            index *= self.sizes[axis]
            index += checks.whole(at, f"A position along {axis}", 0, self.sizes[axis] - 1)
        if given:
            raise ParameterError(
                f"The image {name!r} has planes {self._offered()}, not along {list(position)}."
            )
        families = list(self.families)
        return index + sum(self.families[a] for a in families[: families.index(across)])

    def _offered(self) -> str:
        """Say in words what planes there are."""
        time = ["t"] if "t" in self.sizes else []
        cuts = f", {[*time, 'y']} or {[*time, 'x']}" if "z" in self.sizes else ""
        return f"along {list(self.outer)}{cuts}"

    def position(self, number: int) -> Position:
        """Return the position of a plane from its number."""
        across, t, at = self._place(number)
        time = {"t": t} if "t" in self.sizes else {}
        return time | ({across: at} if "z" in self.sizes else {})

    def _place(self, number: int) -> tuple[str, int, int]:
        """Return across which axis a plane lies, its time, and where along that axis."""
        for axis, count in self.families.items():
            if number < count:
                t, at = divmod(number, count // self.times)
                return axis, t, at
            number -= count
        raise AssertionError("there is no such plane")

    def voxels(self, number: int, box: Box) -> Box:
        """Return the voxels of a rectangle of a plane."""
        across, _, at = self._place(number)
        here, rows, columns = (at, at + 1), (box.top, box.bottom), (box.left, box.right)
        spans = {
            "z": (here, rows, columns),
            "y": (rows, here, columns),
            "x": (rows, columns, here),
        }
        return Box.between(*zip(*spans[across], strict=True))

    def level(self, number: int) -> int:
        """Return the number of the first plane across z at the time of a plane."""
        return self._place(number)[1] * self.sizes.get("z", 1)

    def met(self, number: int, other: int, box: Box) -> Box:
        """Return what of a rectangle of a plane across z lies on a plane; perhaps an empty box."""
        across, _, at = self._place(number)
        row = other - self.level(number)
        if across == "z":
            return box if other == number else Box(0, 0, 0, 0)
        low, high, left, right = box.top, box.bottom, box.left, box.right
        if across == "x":
            low, high, left, right = left, right, low, high
        if 0 <= row < self.sizes["z"] and low <= at < high:
            return Box(row, left, row + 1, right)
        return Box(0, 0, 0, 0)

    def region(self, number: int, region: Box | None) -> Box | None:
        """Return what a region, a rectangle of the planes across z, is on a plane.

        An empty box where the plane lies outside; None, which is all of it, as it is.
        """
        across, _, at = self._place(number)
        if region is None or across == "z":
            return region
        depth = self.sizes["z"]
        if across == "y":
            inside = region.top <= at < region.bottom
            return Box(0, region.left, depth if inside else 0, region.right)
        inside = region.left <= at < region.right
        return Box(0, region.top, depth if inside else 0, region.bottom)
