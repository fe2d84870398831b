"""What can be done to objects, as plain values for the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.objects.correct import KINDS, MANY
from stroma.session.core import checks
from stroma.session.core.operations import Operation
from stroma.session.events import Event
from stroma.session.objects.book import Click, Place, finding_of, place

MOST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class SetObjects(Operation):
    """Hold objects here: those of a label image, or those that were found until now.

    Parameters
    ----------
    image : str
        Key of the image.
    source : str
        Where they come from, for people.
    frames : tuple of (frame, bytes)
        Labels of whole frames, compressed; frames that are left out have no objects.
    """

    op = "objects"
    image: str
    source: str
    frames: tuple[tuple[int, bytes], ...]

    def __post_init__(self) -> None:
        """Check the types."""
        if not isinstance(self.source, str) or len(self.source) > checks.MAX_NAME:
            raise ParameterError("Where objects come from is a text of up to 1000 characters.")
        made = []
        for one in checks.listed(self.frames, "frames"):
            number, data = checks.listed(one, "a frame")
            made.append((checks.whole(number, "a frame", 0, 2**31), checks.data(data)))
        object.__setattr__(self, "frames", tuple(made))


@dataclass(frozen=True)
class FollowObjects(Operation):
    """Find objects in the segmentation, as it is at any time; or (None) have none.

    Parameters
    ----------
    image : str
        Key of the image.
    how : mapping or None
        Fields of `Finding`.
    """

    op = "follow objects"
    image: str
    how: Mapping[str, Any] | None

    def __post_init__(self) -> None:
        """Check how they are found."""
        if self.how is not None:
            finding_of(self.how)


@dataclass(frozen=True)
class CorrectObjects(Operation):
    """Correct objects by hand, see `stroma.objects.correct`.

    Parameters
    ----------
    image : str
        Key of the image.
    kind : {"merge", "split", "delete", "draw", "fill", "reassign"}
        What is done.
    plane : int
        Number of the plane, across z.
    objects : tuple of int
        To which.
    points : tuple of (y, x)
        Of a line or polygon.
    continues : int
        Number of the step of undo that this is a part of; 0 for a new one.
    """

    op = "correct objects"
    image: str
    kind: str
    plane: int
    objects: tuple[int, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    continues: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if self.kind not in KINDS:
            raise ParameterError(
                f"No correction {str(self.kind)[:30]!r}. Known: {', '.join(KINDS)}."
            )
        checks.whole(self.plane, "the number of a plane", 0, 2**40)
        checks.whole(self.continues, "the number of an edit", 0, 2**53)
        numbers = checks.listed(self.objects, "objects")
        if len(numbers) > MANY:
            raise ParameterError(f"At most {MANY} objects are corrected at once.")
        found = tuple(checks.whole(n, "the number of an object", 0, MOST_NUMBER) for n in numbers)
        object.__setattr__(self, "objects", found)
        object.__setattr__(self, "points", checks.points(self.points, least=0))


@dataclass(frozen=True)
class CommitObject(Operation):
    """Make marked pixels an object, or give them to one that is there.

    Parameters
    ----------
    image : str
        Key of the image.
    plane : int
        Number of the plane that was worked on.
    parts : tuple of (frame, box, bytes)
        Where: boxes as those of `Part`, and what is marked in them, a byte for each pixel,
        compressed.
    replaces : int
        Number of an object whose place it takes in these frames; 0 for a new one.
    continues : int
        Number of the step of undo that this is a part of; 0 for a new one.
    """

    op = "commit object"
    image: str
    plane: int
    parts: tuple[tuple[int, tuple[int, ...], bytes], ...]
    replaces: int = 0
    continues: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        checks.whole(self.plane, "the number of a plane", 0, 2**53)
        checks.whole(self.replaces, "the number of an object", 0, MOST_NUMBER)
        checks.whole(self.continues, "the number of an edit", 0, 2**53)
        made = []
        for one in checks.listed(self.parts, "parts"):
            frame, edges, data = checks.listed(one, "a part")
            box = tuple(checks.whole(e, "an edge", 0, 2**31) for e in checks.listed(edges, "edges"))
            made.append((checks.whole(frame, "a frame", 0, 2**31), box, checks.data(data)))
        if not made:
            raise ParameterError("Mark the pixels of the object first.")
        object.__setattr__(self, "parts", tuple(made))


@dataclass(frozen=True)
class ClickObjects(Operation):
    """Say of which class objects are; pixels stand for the objects they lie on.

    Parameters
    ----------
    image : str
        Key of the image.
    come : tuple of ((frame, z, y, x), class)
        What is said now.
    gone : tuple of (frame, z, y, x)
        What was said before and is no more.
    continues : int
        Number of the step of undo that this is a part of; 0 for a new one.
    """

    op = "label objects"
    image: str
    come: tuple[Click, ...] = ()
    gone: tuple[Place, ...] = ()
    continues: int = 0

    def __post_init__(self) -> None:
        """Check the places and classes."""
        checks.whole(self.continues, "the number of an edit", 0, 2**53)
        come = []
        for one in checks.listed(self.come, "clicks"):
            at, label = checks.listed(one, "a click")
            come.append((place(at), checks.whole(label, "a label", 1, 65535)))
        object.__setattr__(self, "come", tuple(come))
        object.__setattr__(self, "gone", tuple(map(place, checks.listed(self.gone, "places"))))


@dataclass(frozen=True)
class SetObjectClass(Operation):
    """Add, rename or recolour a class of objects; ``continues`` as for others."""

    op = "object class"
    label: int
    name: str
    color: str
    continues: int = 0

    def __post_init__(self) -> None:
        """Check the class."""
        checks.whole(self.continues, "the number of an edit", 0, 2**53)
        checks.one_class({"label": self.label, "name": self.name, "color": self.color})
        Class(self.label, self.name, self.color)


@dataclass(frozen=True)
class RemoveObjectClass(Operation):
    """Remove a class of objects, and what was said to be of it."""

    op = "remove object class"
    label: int = field()

    def __post_init__(self) -> None:
        """Check the label."""
        checks.whole(self.label, "a label", 1, 65535)


OPERATIONS: tuple[type[Operation], ...] = (
    SetObjects,
    FollowObjects,
    CorrectObjects,
    CommitObject,
    ClickObjects,
    SetObjectClass,
    RemoveObjectClass,
)


@dataclass(frozen=True)
class ObjectsChanged(Event):
    """Objects of an image, what is said of them, or (no image) their classes changed."""

    image: str
