"""What can be done while objects are carved, as plain values for the journal."""

from __future__ import annotations

from dataclasses import dataclass

from stroma.session.core import checks
from stroma.session.core.operations import Operation
from stroma.session.events import Event
from stroma.session.objects.carving.kept import How, Line
from stroma.session.objects.operations import CommitObject


@dataclass(frozen=True)
class CarveOperation(Operation):
    """Something that is done while objects of an image are carved.

    Parameters
    ----------
    image : str
        Key of the image.
    """

    image: str


@dataclass(frozen=True)
class CarveStroke(CarveOperation):
    """Draw on the object that is meant, or on background; as `Line` has it."""

    op = "carve stroke"
    plane: int
    points: tuple[tuple[float, float], ...]
    on: bool = True
    radius: float = 2.0

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "points", self.line.points)

    @property
    def line(self) -> Line:
        """The stroke."""
        return Line(self.plane, self.points, self.on, self.radius)


@dataclass(frozen=True)
class SetBoundaries(CarveOperation):
    """Choose what bounds objects; as `How` has it."""

    op = "boundaries to carve"
    boundary: str = "edges"
    sigma: float = 1.6
    label: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        _ = self.how

    @property
    def how(self) -> How:
        """What bounds objects."""
        return How(self.boundary, self.sigma, self.label)


@dataclass(frozen=True)
class TakeBackStroke(CarveOperation):
    """Drop the last stroke at hand."""

    op = "take back carve stroke"


@dataclass(frozen=True)
class ClearCarving(CarveOperation):
    """Drop the strokes at hand; an object that was reopened stays as it was."""

    op = "clear carving"


@dataclass(frozen=True)
class CommitCarved(CommitObject):
    """Make what was carved an object with a name.

    Parameters
    ----------
    name : str
        What it is called.
    lock : bool
        Whether its pixels are left as they are from then on.
    """

    op = "commit carved object"
    name: str = ""
    lock: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        checks.text(self.name, "the name of an object")
        object.__setattr__(self, "lock", self.lock is True)


@dataclass(frozen=True)
class NamedOperation(CarveOperation):
    """Something that is done to a carved object.

    Parameters
    ----------
    name : str
        What it is called.
    """

    name: str

    def __post_init__(self) -> None:
        """Check the name."""
        checks.text(self.name, "the name of an object")


@dataclass(frozen=True)
class ReopenCarved(NamedOperation):
    """Unlock a carved object, and take its strokes up again."""

    op = "reopen carved object"


@dataclass(frozen=True)
class LockCarved(NamedOperation):
    """Leave the pixels of a carved object as they are whatever is done to objects, or not."""

    op = "lock carved object"
    locked: bool = True


OPERATIONS: tuple[type[Operation], ...] = (
    CarveStroke,
    SetBoundaries,
    TakeBackStroke,
    ClearCarving,
    CommitCarved,
    ReopenCarved,
    LockCarved,
)


@dataclass(frozen=True)
class CarvingChanged(Event):
    """Strokes, names or locks of carving in an image changed."""

    image: str
