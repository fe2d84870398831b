"""What can be done to a session's document, as plain values that go to the journal and back.

Everything here may come from a file that a stranger made: an operation checks itself when it is
created, and `Document.apply` checks it against what is there.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Self

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.session.core import checks

MAX_DISPLAY = 100_000
MARKS = "", "accepted", "skipped"
"""How far the work on an image is; empty where it is still to be done."""

MOST_PIXELS = 2**62
"""Of an image; what is more cannot be counted."""

LEAST_SPACING, MOST_SPACING = 1e-6, 1e6
"""Size of a pixel in µm: a picometre to a metre."""


@dataclass(frozen=True)
class Operation:
    """Something that is done to a document."""

    op: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """Return the operation as plain values."""
        return {"op": self.op} | {f.name: plain(getattr(self, f.name)) for f in fields(self)}

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
        checks.key(self.image)
        checks.text(self.name, "an image's name")
        checks.mapping(self.reference, "an image's reference")
        axes = "".join(checks.mapping(self.sizes, "an image's sizes"))
        if axes not in ("yx", "zyx", "tyx", "tzyx"):
            raise ParameterError(f"An image's sizes are along t, z, y, x, got {axes!r}.")
        for axis, size in self.sizes.items():
            checks.whole(size, f"the size along {axis}", 1, 2**31)
        if (count := math.prod(self.sizes.values())) > MOST_PIXELS:
            raise ParameterError(
                f"An image has at most {MOST_PIXELS:.0e} pixels, got {count:.0e}: its sizes are "
                f"damaged."
            )


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
        if len(encoded(self)) > MAX_DISPLAY:
            raise ParameterError(f"Display settings have at most {MAX_DISPLAY} characters.")


@dataclass(frozen=True)
class SetSpacing(Operation):
    """Set the size of an image's pixels, in µm along y and x and perhaps z; empty for its own."""

    op = "spacing"
    image: str
    spacing: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check the axes and the numbers."""
        axes = set(checks.mapping(self.spacing, "a pixel size"))
        if axes and not {"y", "x"} <= axes <= {"z", "y", "x"}:
            raise ParameterError(
                f"A pixel size is given along y and x, and z of a volume, got {sorted(axes)}."
            )
        for axis, size in self.spacing.items():
            number = isinstance(size, int | float) and not isinstance(size, bool)
            if not number or not LEAST_SPACING <= size <= MOST_SPACING:
                raise ParameterError(
                    f"A pixel is {LEAST_SPACING:g} to {MOST_SPACING:g} µm large along {axis}, got "
                    f"{str(size)[:50]}."
                )


@dataclass(frozen=True)
class MarkImage(Operation):
    """Say how far the work on an image is: accepted, skipped or (empty) to be done."""

    op = "mark"
    image: str
    mark: str

    def __post_init__(self) -> None:
        """Check the mark."""
        if self.mark not in MARKS:
            known = ", ".join(map(repr, MARKS))
            raise ParameterError(f"An image is marked as one of {known}, got {self.mark!r:.50}.")


@dataclass(frozen=True)
class Undo(Operation):
    """Unmake the last edit."""

    op = "undo"


@dataclass(frozen=True)
class Redo(Operation):
    """Make the edit that was undone last again."""

    op = "redo"


OPERATIONS: tuple[type[Operation], ...] = (
    AddImage,
    CloseImage,
    SetReference,
    SetRegion,
    SetDisplay,
    SetSpacing,
    MarkImage,
    Undo,
    Redo,
)
"""What can be done whatever benches there are."""


def from_json(values: Any, kinds: Mapping[str, type[Operation]]) -> Operation:
    """Return an operation from plain values; ``kinds`` are all there are, by name.

    Raises
    ------
    ParameterError, LabelError
        If they are not those of an operation.
    """
    kind = kinds.get(str(checks.mapping(values, "an operation").get("op")))
    if kind is None:
        raise ParameterError(f"{str(values.get('op'))[:50]!r} is not an operation.")
    needed = (f.name for f in fields(kind) if f.default is f.default_factory is MISSING)
    missing = [name for name in needed if name not in values]
    if missing:
        raise ParameterError(f"The operation {kind.op!r} lacks {', '.join(missing)}.")
    return kind.from_json(values)


def encoded(operation: Operation) -> bytes:
    """Return an operation as a line of JSON.

    Raises
    ------
    ParameterError
        If it holds what JSON cannot: infinite numbers, values of other types, endless nesting.
    """
    try:
        text = json.dumps(operation.to_json(), separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise ParameterError(
            f"{operation.op!r} holds a value that cannot be saved ({str(error)[:100]}). Give "
            f"finite numbers, texts, lists and mappings."
        ) from error
    return text.encode()


def plain(value: Any) -> Any:
    """Return boxes, classes and bytes as JSON knows them; everything else as it is."""
    if isinstance(value, Box):
        return [value.top, value.left, value.bottom, value.right]
    if isinstance(value, Class):
        return {"label": value.label, "name": value.name, "color": value.color}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return dict(value) if isinstance(value, Mapping) else value
