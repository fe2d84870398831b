"""What can be done to a session's document, as plain values that go to the journal and back.

Everything here may come from a file that a stranger made: an operation checks itself when it is
created, and `Document.apply` checks it against what is there.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import LabelError, ParameterError
from stroma.session.strokes import TileKey

MAX_RADIUS = 512.0
MAX_POINTS = 100_000
MAX_NAME = 1000
MAX_DISPLAY = 100_000
MAX_COORDINATE = 1e7

Point = tuple[float, float]


@dataclass(frozen=True)
class Operation:
    """Something that is done to a document."""

    op: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """Return the operation as plain values."""
        return {"op": self.op} | {f.name: _plain(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the operation that ``to_json`` gave plain values for."""
        return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})


@dataclass(frozen=True)
class AddImage(Operation):
    """Open an image.

    Parameters
    ----------
    image : str
        Key of the image in the session.
    name : str
        For people.
    sizes : dict of str to int
        Samples along t, z, y, x, as far as present.
    reference : dict
        Where the image is and how to recognise it; empty for one that is in memory only.
    """

    op = "open"
    image: str
    name: str
    sizes: Mapping[str, int]
    reference: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the name and the sizes."""
        text(self.image, "an image's key")
        text(self.name, "an image's name")
        mapping(self.reference, "an image's reference")
        axes = "".join(mapping(self.sizes, "an image's sizes"))
        if axes not in ("yx", "zyx", "tyx", "tzyx"):
            raise ParameterError(f"An image's sizes are along t, z, y, x, got {axes!r}.")
        for axis, size in self.sizes.items():
            whole(size, f"the size along {axis}", 1, 2**31)


@dataclass(frozen=True)
class CloseImage(Operation):
    """Close an image, and forget its strokes; cannot be undone."""

    op = "close"
    image: str


@dataclass(frozen=True)
class SetReference(Operation):
    """Say where an image is now."""

    op = "reference"
    image: str
    reference: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check the type."""
        mapping(self.reference, "an image's reference")


@dataclass(frozen=True)
class SetRegion(Operation):
    """Set or (None) remove the region of interest of an image, in pixels."""

    op = "region"
    image: str
    region: Box | None

    def __post_init__(self) -> None:
        """Turn a list into a box, and check it."""
        if self.region is not None:
            object.__setattr__(self, "region", box(self.region))


@dataclass(frozen=True)
class SetDisplay(Operation):
    """Set how an image is shown; what it means is the front end's affair."""

    op = "display"
    image: str
    display: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check the type and size."""
        mapping(self.display, "display settings")
        if len(repr(self.display)) > MAX_DISPLAY:
            raise ParameterError(f"Display settings have at most {MAX_DISPLAY} characters.")


@dataclass(frozen=True)
class SetClass(Operation):
    """Add a class, or change its name and colour."""

    op = "class"
    label: int
    name: str
    color: str

    def __post_init__(self) -> None:
        """Check all three."""
        one_class({"label": self.label, "name": self.name, "color": self.color})


@dataclass(frozen=True)
class RemoveClass(Operation):
    """Remove a class and its strokes."""

    op = "remove class"
    label: int


@dataclass(frozen=True)
class Paint(Operation):
    """Draw a line with a round brush; label 0 erases.

    Parameters
    ----------
    image : str
        The image.
    plane : int
        Position among its planes, t before z.
    points : tuple of (y, x)
        In pixels; the first pixel reaches from 0 to 1.
    radius : float
        In pixels.
    label : int
        1 to 65535, or 0.
    continues : int
        Number of the edit this one is part of, 0 for a new one.
    """

    op = "paint"
    image: str
    plane: int
    points: tuple[Point, ...]
    radius: float
    label: int
    continues: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        whole(self.plane, "a plane", 0, 2**31)
        object.__setattr__(self, "points", points(self.points, least=1))
        object.__setattr__(self, "radius", number(self.radius, "a radius", 0, MAX_RADIUS))
        whole(self.label, "a label", 0, 65535)
        whole(self.continues, "the number of an edit", 0, 2**53)


@dataclass(frozen=True)
class Fill(Operation):
    """Fill a polygon (inside where an odd number of its sides lie to the left); 0 erases."""

    op = "fill"
    image: str
    plane: int
    points: tuple[Point, ...]
    label: int

    def __post_init__(self) -> None:
        """Check the values."""
        whole(self.plane, "a plane", 0, 2**31)
        object.__setattr__(self, "points", points(self.points, least=3))
        whole(self.label, "a label", 0, 65535)


@dataclass(frozen=True)
class Stamp(Operation):
    """Give marked pixels of a box a label; 0 erases.

    Parameters
    ----------
    image : str
        The image.
    plane : int
        Position among its planes, t before z.
    box : Box
        Pixels of the plane.
    mask : bytes
        Which of them are marked, as `brush.packed_mask` writes it.
    label : int
        1 to 65535, or 0.
    continues : int
        Number of the edit this one is part of, 0 for a new one.
    """

    op = "stamp"
    image: str
    plane: int
    box: Box
    mask: bytes
    label: int
    continues: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        whole(self.plane, "a plane", 0, 2**31)
        object.__setattr__(self, "box", box(self.box))
        object.__setattr__(self, "mask", data(self.mask))
        whole(self.label, "a label", 0, 65535)
        whole(self.continues, "the number of an edit", 0, 2**53)


@dataclass(frozen=True)
class Clear(Operation):
    """Erase all strokes of an image, or of one of its planes, or of one class there."""

    op = "clear"
    image: str
    plane: int | None = None
    label: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.plane is not None:
            whole(self.plane, "a plane", 0, 2**31)
        if self.label is not None:
            whole(self.label, "a label", 1, 65535)


@dataclass(frozen=True)
class Import(Operation):
    """Lay labels over (or, with ``replace``, in place of) the strokes of an image.

    Parameters
    ----------
    image : str
        The image.
    tiles : tuple of (key, bytes)
        What `StrokeTiles.packed` returns.
    classes : tuple of Class
        Classes the labels stand for; those already known are changed.
    replace : bool
        Erase what was there.
    """

    op = "import"
    image: str
    tiles: tuple[tuple[TileKey, bytes], ...]
    classes: tuple[Class, ...] = ()
    replace: bool = False

    def __post_init__(self) -> None:
        """Turn plain values into tiles and classes."""
        object.__setattr__(self, "tiles", tuple(tile(t) for t in listed(self.tiles, "tiles")))
        classes = tuple(
            c if isinstance(c, Class) else one_class(c) for c in listed(self.classes, "classes")
        )
        object.__setattr__(self, "classes", classes)


@dataclass(frozen=True)
class Undo(Operation):
    """Unmake the last edit."""

    op = "undo"


@dataclass(frozen=True)
class Redo(Operation):
    """Make the edit that was undone last again."""

    op = "redo"


OPERATIONS: dict[str, type[Operation]] = {
    kind.op: kind
    for kind in (
        AddImage,
        CloseImage,
        SetReference,
        SetRegion,
        SetDisplay,
        SetClass,
        RemoveClass,
        Paint,
        Fill,
        Stamp,
        Clear,
        Import,
        Undo,
        Redo,
    )
}


def from_json(values: Any) -> Operation:
    """Return an operation from plain values.

    Raises
    ------
    ParameterError, LabelError
        If they are not those of an operation.
    """
    kind = OPERATIONS.get(str(mapping(values, "an operation").get("op")))
    if kind is None:
        raise ParameterError(f"{str(values.get('op'))[:50]!r} is not an operation.")
    missing = [f.name for f in fields(kind) if f.name not in values]
    if missing:
        raise ParameterError(f"The operation {kind.op!r} lacks {', '.join(missing)}.")
    return kind.from_json(values)


def _plain(value: Any) -> Any:
    if isinstance(value, Box):
        return [value.top, value.left, value.bottom, value.right]
    if isinstance(value, Class):
        return {"label": value.label, "name": value.name, "color": value.color}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return dict(value) if isinstance(value, Mapping) else value


def whole(value: Any, what: str, low: int, high: int) -> int:
    """Return a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        error = LabelError if "label" in what else ParameterError
        raise error(f"{what} is a whole number from {low} to {high}, got {str(value)[:50]}.")
    return value


def number(value: Any, what: str, low: float, high: float) -> float:
    """Return a finite number within bounds."""
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not (math.isfinite(value) and low <= value <= high):
        raise ParameterError(f"{what} is a number from {low} to {high}, got {str(value)[:50]}.")
    return float(value)


def text(value: Any, what: str) -> str:
    """Return a text that is neither empty nor endless."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise ParameterError(f"{what} is a text of 1 to {MAX_NAME} characters.")
    return value


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return a mapping."""
    if not isinstance(value, Mapping):
        raise ParameterError(f"{what} are given by name, got {type(value).__name__}.")
    return value


def listed(value: Any, what: str) -> tuple[Any, ...]:
    """Return a list as a tuple."""
    if not isinstance(value, list | tuple):
        raise ParameterError(f"{what} are a list, got {type(value).__name__}.")
    return tuple(value)


def points(values: Any, *, least: int) -> tuple[Point, ...]:
    """Return (y, x) points with coordinates within reason."""
    pairs = listed(values, "points")
    if not least <= len(pairs) <= MAX_POINTS:
        raise ParameterError(f"Give {least} to {MAX_POINTS} points, got {len(pairs)}.")
    return tuple(_point(pair) for pair in pairs)


def _point(pair: Any) -> Point:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ParameterError(f"A point is (y, x), got {str(pair)[:50]}.")
    y, x = (number(v, "a coordinate", -MAX_COORDINATE, MAX_COORDINATE) for v in pair)
    return y, x


def box(value: Any) -> Box:
    """Return a box that is not empty."""
    edges = (value.top, value.left, value.bottom, value.right) if isinstance(value, Box) else value
    edges = listed(edges, "the edges of a box")
    if len(edges) != 4:
        raise ParameterError(f"A box is (top, left, bottom, right), got {len(edges)} numbers.")
    made = Box(*(whole(e, "an edge of a box", -(2**31), 2**31) for e in edges))
    if made.bottom <= made.top or made.right <= made.left:
        raise ParameterError(f"The box {edges} is empty.")
    return made


def one_class(values: Any) -> Class:
    """Return a class from plain values."""
    given = mapping(values, "a class")
    whole(given.get("label"), "a label", 1, 65535)
    text(given.get("name"), "a class's name")
    if not isinstance(given.get("color"), str):
        raise LabelError("A colour is written '#rrggbb'.")
    return Class(given["label"], given["name"], given["color"])


def tile(value: Any) -> tuple[TileKey, bytes]:
    """Return a tile: its place, and its compressed labels."""
    pair = listed(value, "a tile")
    if len(pair) != 2:
        raise ParameterError("A tile is its place and its labels.")
    place = listed(pair[0], "a tile's place")
    if len(place) != 3:
        raise ParameterError("A tile's place is its plane, row and column.")
    plane, row, column = (whole(v, "a tile's place", 0, 2**31) for v in place)
    return (plane, row, column), data(pair[1])


def data(value: Any) -> bytes:
    """Return bytes, which are written as base64."""
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ParameterError("Labels are written as base64.") from error
