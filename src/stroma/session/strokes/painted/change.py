"""What one step of undo changed in strokes and classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.session.core import checks
from stroma.session.core.operations import plain
from stroma.session.core.packs import TileKey
from stroma.session.core.sheet import Sheet
from stroma.session.strokes.operations import read_classes, tile
from stroma.session.strokes.painted.laying import Delta
from stroma.session.strokes.painted.packing import Part, delta_to_json, read_delta, read_parts
from stroma.session.strokes.painted.tiles import StrokeTiles

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
        return int(self.strokes[0][1].pieces.places[0, 0]) if self.strokes else 0

    @property
    def size(self) -> int:
        """How many tiles it changed."""
        return sum(len(delta.pieces.places) for _, delta in self.strokes)

    def boxes(self) -> dict[tuple[str, int], list[Box]]:
        """Return images and planes, in order, and rectangles around what changed there."""
        found: dict[tuple[str, int], list[Box]] = {}
        for image, delta in self.strokes:
            for plane, box in delta.pieces.boxes:
                found.setdefault((image, plane), []).append(box)
        return dict(sorted(found.items()))

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
            "changes": [[image, delta_to_json(d)] for image, d in self.strokes],
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
    strokes, at = tuple(_read_strokes(changes, tiles)), values.get("at")
    if at is not None and strokes:
        sheets[strokes[0][0]].require_plane(checks.whole(at, "a plane", 0, 2**53))
    return Painted(strokes, classes, at if strokes else None)


def _read_strokes(
    changes: Sequence[Any], tiles: Mapping[str, StrokeTiles]
) -> Iterator[tuple[str, Delta]]:
    """Yield what changed, also as it was written when each tile was compressed by itself."""
    for apart, some in groupby(changes, lambda change: len(checks.listed(change, "a change")) != 2):
        if apart:
            yield from _read_apart([_part(change) for change in some], tiles)
        else:
            yield from ((image, read_delta(kept, tiles[image])) for image, kept in some)


def _part(values: Any) -> tuple[str, Part]:
    image, place, edges, before, after = values
    key, _ = tile((place, b""))
    return image, (key, checks.box(edges), checks.data(before), checks.data(after))


def _read_apart(
    changes: Sequence[tuple[str, Part]], tiles: Mapping[str, StrokeTiles]
) -> Iterator[tuple[str, Delta]]:
    """Yield changes of tiles, of as many together as are those of one image, and different."""
    together: dict[TileKey, Part] = {}
    for i, (image, part) in enumerate(changes):
        together[part[0]] = part
        after = changes[i + 1] if i + 1 < len(changes) else None
        if after is None or after[0] != image or after[1][0] in together:
            deltas = read_parts(list(together.values()), tiles[image])
            yield from ((image, delta) for delta in deltas)
            together = {}
