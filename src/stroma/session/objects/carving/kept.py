"""What a session keeps of carving in one image: strokes at hand, and names of carved objects.

Pixels of carved objects are among those of all objects of the image; here is what these do not
say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from stroma.errors import ParameterError, UnknownNameError, short
from stroma.objects.supervoxels import FILTERS
from stroma.registry import suggestion
from stroma.session.core import checks

OF_CLASS = "class"
BOUNDARIES = (*FILTERS, OF_CLASS)
MOST = 2**53
WIDEST = 10_000.0
MOST_SIGMA = 50.0


@dataclass(frozen=True)
class Line:
    """A stroke to carve with.

    Parameters
    ----------
    plane : int
        Number of the plane that it was drawn on; of a volume also one across y or x.
    points : tuple of (y, x)
        In pixels; the first pixel reaches from 0 to 1.
    on : bool
        Whether it lies on the object, or on the background.
    radius : float
        In pixels.
    """

    plane: int
    points: tuple[tuple[float, float], ...]
    on: bool = True
    radius: float = 2.0

    def __post_init__(self) -> None:
        """Check the values."""
        checks.whole(self.plane, "the number of a plane", 0, MOST)
        checks.number(self.radius, "the radius of a stroke", 0, WIDEST)
        object.__setattr__(self, "points", checks.points(self.points, least=1))
        object.__setattr__(self, "on", self.on is True)


@dataclass(frozen=True)
class Named:
    """An object that was carved.

    Parameters
    ----------
    name : str
        For people.
    frame : int
        Where it is.
    number : int
        The object there.
    locked : bool
        Whether its pixels are left as they are whatever is done to objects.
    lines : tuple of Line
        What it was carved with.
    """

    name: str
    frame: int
    number: int
    locked: bool = False
    lines: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        checks.text(self.name, "the name of an object")
        checks.whole(self.frame, "a frame", 0, 2**31)
        checks.whole(self.number, "the number of an object", 1, 2**31 - 1)
        object.__setattr__(self, "locked", self.locked is True)
        object.__setattr__(self, "lines", _made(Line, self.lines))


@dataclass(frozen=True)
class How:
    """What bounds objects that are carved.

    Parameters
    ----------
    boundary : {"edges", "bright", "dark", "class"}
        Steps in brightness; bright or dark lines and sheets; or where a class is probable.
    sigma : float
        Width of the Gaussian that they are found with, in pixels; of a class it says nothing.
    label : int
        The class; 0 for none.
    """

    boundary: str = "edges"
    sigma: float = 1.6
    label: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if self.boundary not in BOUNDARIES:
            raise ParameterError(
                f"No boundaries {short(str(self.boundary))!r}. Known: {', '.join(BOUNDARIES)}."
            )
        checks.number(self.sigma, "the sigma of boundaries", 0.3, MOST_SIGMA)
        least = 1 if self.boundary == OF_CLASS else 0
        checks.whole(self.label, "the label of a class of boundaries", least, 65535)


@dataclass(frozen=True)
class Carvings:
    """All that is kept of carving in an image.

    Parameters
    ----------
    lines : tuple of Line
        Strokes of the object that is being carved.
    named : tuple of Named
        Objects that were carved, in the order in which they were committed.
    opened : tuple of str
        Name of the one that is being carved anew; none for a new object.
    how : tuple of How
        What bounds objects; one.
    """

    lines: tuple[Line, ...] = ()
    named: tuple[Named, ...] = ()
    opened: tuple[str, ...] = ()
    how: tuple[How, ...] = (How(),)

    def known(self, name: str) -> Named:
        """Return an object by its name.

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        names = [one.name for one in self.named]
        if name not in names:
            hint = suggestion(name, names) if names else "None was carved in this image yet."
            raise UnknownNameError(f"There is no object called {short(name)!r}. {hint}")
        return self.named[names.index(name)]

    @property
    def at_hand(self) -> Named | None:
        """The object that is being carved anew."""
        return self.known(self.opened[0]) if self.opened else None

    def free_name(self) -> str:
        """Return a name that no object has."""
        taken = {one.name for one in self.named}
        return next(n for i in range(1, len(taken) + 2) if (n := f"object {i}") not in taken)

    def changed(self, name: str, **values: Any) -> Carvings:
        """Return the same with other values of an object."""
        old = self.known(name)
        named = tuple(replace(one, **values) if one is old else one for one in self.named)
        return replace(self, named=named)

    def with_named(self, one: Named) -> Carvings:
        """Return the same with one more object."""
        return replace(self, named=(*self.named, one))

    def without(self, gone: set[str]) -> Carvings:
        """Return the same without the objects of some names."""
        if not gone:
            return self
        named = tuple(one for one in self.named if one.name not in gone)
        return replace(self, named=named, opened=tuple(n for n in self.opened if n not in gone))

    @property
    def used(self) -> bool:
        """Whether there is anything to keep."""
        return self != Carvings()

    def to_json(self) -> dict[str, Any]:
        """Return this as plain values."""
        return {name: [_plain(one) for one in getattr(self, name)] for name in KINDS}

    @classmethod
    def from_json(cls, values: Any) -> Carvings:
        """Return what ``to_json`` gave plain values for, checked."""
        given = checks.mapping(values, "what was carved")
        found = cls(**{name: _made(kind, given[name]) for name, kind in KINDS.items()})
        names = [one.name for one in found.named]
        if len(set(names)) < len(names) or len(found.how) != 1 or len(found.opened) > 1:
            raise ParameterError("What was carved is damaged: names are there twice.")
        if found.opened:
            found.known(found.opened[0])
        return found

    def spliced(self, splices: tuple[Splice, ...]) -> Carvings:
        """Return this after changes, in their order."""
        made = self
        for one in splices:
            now = getattr(made, one.field)
            end = one.start + len(one.before)
            made = replace(made, **{one.field: now[: one.start] + one.after + now[end:]})
        return made


KINDS: Mapping[str, type] = {"lines": Line, "named": Named, "opened": str, "how": How}


@dataclass(frozen=True)
class Splice:
    """What changed in one field of `Carvings`: from a place on, other things are there.

    Parameters
    ----------
    field : {"lines", "named", "opened", "how"}
        Which.
    start : int
        From where on.
    before, after : tuple
        What was there, and is.
    """

    field: str
    start: int
    before: tuple[Any, ...]
    after: tuple[Any, ...]

    def reversed(self) -> Splice:
        """Return the change back."""
        return Splice(self.field, self.start, self.after, self.before)

    def to_json(self) -> list[Any]:
        """Return this as plain values."""
        sides = ([_plain(one) for one in side] for side in (self.before, self.after))
        return [self.field, self.start, *sides]

    @classmethod
    def from_json(cls, values: Any) -> Splice:
        """Return what ``to_json`` gave plain values for, checked."""
        field, start, before, after = checks.listed(values, "a change of carving")
        if field not in KINDS:
            raise ParameterError(f"Nothing called {short(str(field))!r} is kept of carving.")
        kind = KINDS[field]
        start = checks.whole(start, "a place in a list", 0, MOST)
        return cls(field, start, _made(kind, before), _made(kind, after))


def splices(before: Carvings, after: Carvings) -> tuple[Splice, ...]:
    """Return what changed from one state to another."""
    found = (_splice(name, getattr(before, name), getattr(after, name)) for name in KINDS)
    return tuple(one for one in found if one is not None)


def _splice(field: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Splice | None:
    if old == new:
        return None
    shared = min(len(old), len(new))
    start = next((i for i in range(shared) if old[i] != new[i]), shared)
    end = next((i for i in range(shared - start) if old[-1 - i] != new[-1 - i]), shared - start)
    return Splice(field, start, old[start : len(old) - end], new[start : len(new) - end])


def _plain(one: Any) -> Any:
    if isinstance(one, str):
        return one
    values = {f.name: getattr(one, f.name) for f in fields(one)}
    if "lines" in values:
        values["lines"] = [_plain(line) for line in values["lines"]]
    if "points" in values:
        values["points"] = [list(point) for point in values["points"]]
    return values


def _made(kind: type, values: Any) -> tuple[Any, ...]:
    """Return things of a kind from plain values; those that are made already as they are."""
    made: list[Any] = []
    for one in checks.listed(values, "what was carved"):
        if kind is str:
            made.append(checks.text(one, "the name of an object"))
            continue
        if isinstance(one, kind):
            made.append(one)
            continue
        given = checks.mapping(one, "what was carved")
        made.append(kind(**{f.name: given[f.name] for f in fields(kind)}))
    return tuple(made)
