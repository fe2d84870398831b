"""What one step of undo changed in strokes and classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.session.core import checks
from stroma.session.core.operations import plain
from stroma.session.core.packs import blank
from stroma.session.core.sheet import Sheet
from stroma.session.strokes.operations import read_classes, tile
from stroma.session.strokes.tiles import TILE, Delta, StrokeTiles, unpacked

ClassChange = tuple[tuple[Class, ...], tuple[Class, ...]]
"""The classes before and after."""


@dataclass(frozen=True)
class Painted:
    """A change of strokes, or of classes, or of both.

    Parameters
    ----------
    strokes : tuple of (image, Delta)
        What changed in the strokes, in order.
    classes : (before, after), optional
        The classes, where these changed.
    at : int or None
        Number of the plane that was painted on, where it was one; planes that cut a volume across
        y or x have numbers too.
    """

    strokes: tuple[tuple[str, Delta], ...] = ()
    classes: ClassChange | None = None
    at: int | None = None

    @property
    def image(self) -> str:
        """Key of the first image that it changed; empty where it changed none."""
        return self.strokes[0][0] if self.strokes else ""

    @property
    def plane(self) -> int:
        """Number of the plane that was painted on, or of the first that it changed there."""
        if self.at is not None:
            return self.at
        return self.strokes[0][1].key[0] if self.strokes else 0

    @property
    def size(self) -> int:
        """How many tiles it changed."""
        return len(self.strokes)

    def reversed(self) -> Painted:
        """Return the change back."""
        back = tuple((image, delta.reversed()) for image, delta in reversed(self.strokes))
        return Painted(back, None if self.classes is None else self.classes[::-1], self.at)

    def followed_by(self, later: Painted) -> Painted:
        """Return this change and a later one as one."""
        classes = self.classes or later.classes
        if self.classes is not None and later.classes is not None:
            classes = self.classes[0], later.classes[1]
        return Painted((*self.strokes, *later.strokes), classes, self.at)

    def without(self, image: str) -> Painted | None:
        """Return what is left when an image is closed; None for nothing."""
        left = tuple(s for s in self.strokes if s[0] != image)
        return (
            Painted(left, self.classes, self.at if left else None) if left or self.classes else None
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "changes": [
                [image, list(d.key), plain(d.box), plain(d.before), plain(d.after)]
                for image, d in self.strokes
            ],
            "classes": None if self.classes is None else plain(self.classes),
            "at": self.at,
        }


def read(
    values: Mapping[str, Any], tiles: Mapping[str, StrokeTiles], sheets: Mapping[str, Sheet]
) -> Painted:
    """Return the change that ``to_json`` gave plain values for; older ones say not where it was.

    Raises
    ------
    ParameterError, LabelError, KeyError, ValueError
        If they are not those of a change of these images.
    """
    changes = checks.listed(values["changes"], "changes")
    classes = values["classes"]
    if classes is not None:
        before, after = checks.listed(classes, "the classes of an edit")
        classes = (read_classes(before), read_classes(after))
    strokes, at = tuple(_read_delta(c, tiles) for c in changes), values.get("at")
    if at is not None and strokes:
        sheets[strokes[0][0]].require_plane(checks.whole(at, "a plane", 0, 2**53))
    return Painted(strokes, classes, at if strokes else None)


def _read_delta(values: Any, tiles: Mapping[str, StrokeTiles]) -> tuple[str, Delta]:
    image, place, edges, before, after = checks.listed(values, "a change")
    strokes = tiles[image]
    (plane, row, column), _ = tile((place, b""))
    box = checks.box(edges)
    whole = Box(row * TILE, column * TILE, (row + 1) * TILE, (column + 1) * TILE)
    if plane >= strokes.planes or box.clipped(whole).clipped(Box.of(strokes.shape)) != box:
        raise ParameterError("A change lies outside its tile.")
    delta = Delta((plane, row, column), box, checks.data(before), checks.data(after))
    nothing = blank(2 * box.area)
    for data in (delta.before, delta.after):
        if data != nothing:  # which is most of what was there before
            unpacked(data, box.shape)
    return image, delta
