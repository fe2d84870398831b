"""What can be done with strokes and classes; checked as those of the core are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stroma.blocks.box import Box
from stroma.data.classes import Class, require_classes
from stroma.errors import ParameterError
from stroma.session.core import checks
from stroma.session.core.checks import Point
from stroma.session.core.operations import Operation
from stroma.session.core.packs import TileKey

MAX_RADIUS = 512.0
MAX_HEIGHT = 1000.0


@dataclass(frozen=True)
class SetResult(Operation):
    """Say where the segmentation of an image was written.

    Parameters
    ----------
    image : str
        The image.
    path : str
        The file.
    answers : str
        What tells the strokes and settings that it answers from others.
    """

    op = "result"
    image: str
    path: str
    answers: str

    def __post_init__(self) -> None:
        """Check the texts."""
        if "\0" in checks.text(self.path, "a path"):
            raise ParameterError(f"{self.path[:50]!r} is not a path.")
        checks.text(self.answers, "what a result answers")


@dataclass(frozen=True)
class SetClass(Operation):
    """Add a class, or change its name and colour."""

    op = "class"
    label: int
    name: str
    color: str

    def __post_init__(self) -> None:
        """Check all three."""
        checks.one_class({"label": self.label, "name": self.name, "color": self.color})


@dataclass(frozen=True)
class SetClasses(Operation):
    """Add classes, or change those that have the same labels.

    Parameters
    ----------
    classes : tuple of Class
        One for a label at most.
    continues : int
        Number of the edit this one is part of, 0 for a new one.
    """

    op = "classes"
    classes: tuple[Class, ...]
    continues: int = 0

    def __post_init__(self) -> None:
        """Turn plain values into classes, and check them."""
        object.__setattr__(self, "classes", require_classes(read_classes(self.classes)))
        checks.whole(self.continues, "the number of an edit", 0, 2**53)


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
        In widths of pixels.
    label : int
        1 to 65535, or 0.
    continues : int
        Number of the edit this one is part of, 0 for a new one.
    height : float
        Of a pixel, in its widths: a brush is round in the sample.
    """

    op = "paint"
    image: str
    plane: int
    points: tuple[Point, ...]
    radius: float
    label: int
    continues: int = 0
    height: float = 1.0

    def __post_init__(self) -> None:
        """Check the values."""
        checks.number(self.height, "the height of a pixel", 1 / MAX_HEIGHT, MAX_HEIGHT)
        object.__setattr__(self, "points", checks.points(self.points, least=1))
        object.__setattr__(self, "radius", checks.number(self.radius, "a radius", 0, MAX_RADIUS))
        _check_place(self)


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
        object.__setattr__(self, "points", checks.points(self.points, least=3))
        _check_place(self)


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
        object.__setattr__(self, "box", checks.box(self.box))
        object.__setattr__(self, "mask", checks.data(self.mask))
        _check_place(self)


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
            checks.whole(self.plane, "a plane", 0, 2**31)
        if self.label is not None:
            checks.whole(self.label, "a label", 1, 65535)


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
        object.__setattr__(
            self, "tiles", tuple(tile(t) for t in checks.listed(self.tiles, "tiles"))
        )
        object.__setattr__(self, "classes", read_classes(self.classes))


OPERATIONS: tuple[type[Operation], ...] = (
    SetResult,
    SetClass,
    SetClasses,
    RemoveClass,
    Paint,
    Fill,
    Stamp,
    Clear,
    Import,
)


def _check_place(drawn: Paint | Fill | Stamp) -> None:
    """Check on which plane and with which label something is drawn, and what it is part of."""
    checks.whole(drawn.plane, "a plane", 0, 2**31)
    checks.whole(drawn.label, "a label", 0, 65535)
    if not isinstance(drawn, Fill):
        checks.whole(drawn.continues, "the number of an edit", 0, 2**53)


def tile(value: Any) -> tuple[TileKey, bytes]:
    """Return a tile from plain values: its place, and its compressed labels."""
    pair = checks.listed(value, "a tile")
    if len(pair) != 2:
        raise ParameterError("A tile is its place and its labels.")
    place = checks.listed(pair[0], "a tile's place")
    if len(place) != 3:
        raise ParameterError("A tile's place is its plane, row and column.")
    plane, row, column = (checks.whole(v, "a tile's place", 0, 2**31) for v in place)
    return (plane, row, column), checks.data(pair[1])


def read_classes(values: Any) -> tuple[Class, ...]:
    """Return classes from plain values, or as they are."""
    return tuple(
        c if isinstance(c, Class) else checks.one_class(c) for c in checks.listed(values, "classes")
    )
