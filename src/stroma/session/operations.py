"""What can be done to a session's document, as plain values that go to the journal and back.

Everything here may come from a file that a stranger made: an operation checks itself when it is
created, and `Document.apply` checks it against what is there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from stroma.blocks.box import Box
from stroma.data.classes import Class, require_classes
from stroma.errors import ParameterError
from stroma.session import checks
from stroma.session.checks import Point
from stroma.session.strokes import TileKey

MAX_RADIUS = 512.0
MAX_DISPLAY = 100_000


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
        checks.text(self.image, "an image's key")
        checks.text(self.name, "an image's name")
        checks.mapping(self.reference, "an image's reference")
        axes = "".join(checks.mapping(self.sizes, "an image's sizes"))
        if axes not in ("yx", "zyx", "tyx", "tzyx"):
            raise ParameterError(f"An image's sizes are along t, z, y, x, got {axes!r}.")
        for axis, size in self.sizes.items():
            checks.whole(size, f"the size along {axis}", 1, 2**31)


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
        checks.mapping(self.reference, "an image's reference")


@dataclass(frozen=True)
class SetRegion(Operation):
    """Set or (None) remove the region of interest of an image, in pixels."""

    op = "region"
    image: str
    region: Box | None

    def __post_init__(self) -> None:
        """Turn a list into a box, and check it."""
        if self.region is not None:
            object.__setattr__(self, "region", checks.box(self.region))


@dataclass(frozen=True)
class SetDisplay(Operation):
    """Set how an image is shown; what it means is the front end's affair."""

    op = "display"
    image: str
    display: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check the type and size."""
        checks.mapping(self.display, "display settings")
        if len(repr(self.display)) > MAX_DISPLAY:
            raise ParameterError(f"Display settings have at most {MAX_DISPLAY} characters.")


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
        object.__setattr__(self, "classes", require_classes(_read_classes(self.classes)))
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
        checks.whole(self.plane, "a plane", 0, 2**31)
        object.__setattr__(self, "points", checks.points(self.points, least=1))
        object.__setattr__(self, "radius", checks.number(self.radius, "a radius", 0, MAX_RADIUS))
        checks.whole(self.label, "a label", 0, 65535)
        checks.whole(self.continues, "the number of an edit", 0, 2**53)


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
        checks.whole(self.plane, "a plane", 0, 2**31)
        object.__setattr__(self, "points", checks.points(self.points, least=3))
        checks.whole(self.label, "a label", 0, 65535)


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
        checks.whole(self.plane, "a plane", 0, 2**31)
        object.__setattr__(self, "box", checks.box(self.box))
        object.__setattr__(self, "mask", checks.data(self.mask))
        checks.whole(self.label, "a label", 0, 65535)
        checks.whole(self.continues, "the number of an edit", 0, 2**53)


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
            self, "tiles", tuple(checks.tile(t) for t in checks.listed(self.tiles, "tiles"))
        )
        object.__setattr__(self, "classes", _read_classes(self.classes))


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
        SetResult,
        SetClass,
        SetClasses,
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
    kind = OPERATIONS.get(str(checks.mapping(values, "an operation").get("op")))
    if kind is None:
        raise ParameterError(f"{str(values.get('op'))[:50]!r} is not an operation.")
    missing = [f.name for f in fields(kind) if f.name not in values]
    if missing:
        raise ParameterError(f"The operation {kind.op!r} lacks {', '.join(missing)}.")
    return kind.from_json(values)


def _read_classes(values: Any) -> tuple[Class, ...]:
    return tuple(
        c if isinstance(c, Class) else checks.one_class(c) for c in checks.listed(values, "classes")
    )


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
