"""The objects of one image, and how they change; no files, no measurements.

Objects lie in frames: of a movie one for each time, else one. A frame is a (z, y, x) label image;
that of a plane has depth one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.errors import ParameterError
from stroma.objects.correct import slices
from stroma.objects.finding.how import Finding
from stroma.session.core import checks
from stroma.session.core.operations import plain
from stroma.session.core.packs import packed, unpacked_as
from stroma.session.core.sheet import Sheet
from stroma.session.objects.carving.kept import Carvings, Splice
from stroma.session.objects.joined import Joined, tables_of

WRITTEN = "<i4"
MOST = 2**40
MOST_PIXELS = 2**28
"""Of an image whose objects are held (labels of 1 GB)."""

Labels = NDArray[np.int32]
Place = tuple[int, int, int, int]
"""Frame, z, y and x of a pixel."""

Click = tuple[Place, int]
"""A pixel, and the class of the object it lies on."""

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Part:
    """What changed in a box of a frame.

    Parameters
    ----------
    frame : int
        Which.
    box : (6,) tuple of int
        First z, y, x, then the ends, which lie outside.
    before, after : bytes
        Labels, compressed.
    """

    frame: int
    box: tuple[int, ...]
    before: bytes
    after: bytes

    def reversed(self) -> Part:
        """Return the change back."""
        return Part(self.frame, self.box, self.after, self.before)


@dataclass(frozen=True)
class Held:
    """Where objects come from.

    Parameters
    ----------
    kept : bool
        Whether they are held here; else they follow the segmentation (``how``), or there are none.
    how : Finding or None
        How they are found in the segmentation.
    source : str
        Where they came from, for people.
    """

    kept: bool = False
    how: Finding | None = None
    source: str = ""

    @property
    def used(self) -> bool:
        """Whether there are objects, or will be."""
        return self.kept or self.how is not None

    def to_json(self) -> dict[str, Any]:
        """Return this as plain values."""
        how = None if self.how is None else finding_to_json(self.how)
        return {"kept": self.kept, "how": how, "source": self.source}

    @classmethod
    def from_json(cls, values: Any) -> Held:
        """Return what ``to_json`` gave plain values for."""
        given = checks.mapping(values, "where objects come from")
        how = None if given["how"] is None else finding_of(given["how"])
        return cls(given["kept"] is True, how, str(given["source"])[: checks.MAX_NAME])


def finding_to_json(how: Finding) -> dict[str, Any]:
    """Return how objects are found as plain values; without bound is written as null."""
    values = {f.name: getattr(how, f.name) for f in fields(Finding)}
    return values | {"max_size": None if np.isinf(how.max_size) else how.max_size}


def finding_of(values: Any) -> Finding:
    """Return how objects are found from plain values, checked."""
    given = dict(checks.mapping(values, "how objects are found"))
    unknown = set(given) - {f.name for f in fields(Finding)}
    if unknown:
        raise ParameterError(
            f"Nothing called {sorted(unknown)[0][:30]!r} says how to find objects."
        )
    if given.get("max_size") in (None, math.inf):
        given.pop("max_size", None)
    for name in ("threshold", "core", "split", "rise", "min_size", "max_size"):
        if given.get(name) is not None or (name in given and name != "core"):
            given[name] = checks.number(given[name], name, 0, MOST)
    if "border" in given:
        checks.flag(given["border"], "border")
    for name in ("label", "boundary"):
        if given.get(name) is not None:
            checks.whole(given[name], "a label", 1, 65535)
    return Finding(**given)


@dataclass(frozen=True)
class Delta:
    """What changed in the objects of an image, or in their classes.

    Parameters
    ----------
    image : str
        Key of the image; empty where only classes changed.
    plane : int
        Number of the plane that was worked on.
    held : (Held, Held) or None
        Where objects came from before and after.
    parts : tuple of Part
        Labels that changed, in this order.
    clicks : tuple of (image, place, before, after)
        Labelled objects that changed, in this order; 0 is none.
    classes : (tuple of Class, tuple of Class) or None
        Before and after.
    carved : tuple of Splice
        What is kept of carving that changed, in this order.
    joined : (tuple of Joined, tuple of Joined) or None
        Tables of other programs before and after.
    """

    image: str
    plane: int = 0
    held: tuple[Held, Held] | None = None
    parts: tuple[Part, ...] = ()
    clicks: tuple[tuple[str, Place, int, int], ...] = ()
    classes: tuple[tuple[Class, ...], tuple[Class, ...]] | None = None
    carved: tuple[Splice, ...] = ()
    joined: tuple[tuple[Joined, ...], tuple[Joined, ...]] | None = None

    @property
    def size(self) -> int:
        """How many parts of label images it changed."""
        return len(self.parts)

    @property
    def of_objects(self) -> bool:
        """Whether objects or their classes changed, not only what is kept of carving."""
        return bool(self.held or self.parts or self.clicks or self.classes or self.joined)

    def reversed(self) -> Delta:
        """Return the change back."""
        return Delta(
            self.image,
            self.plane,
            None if self.held is None else self.held[::-1],
            tuple(part.reversed() for part in self.parts[::-1]),
            tuple((i, place, after, before) for i, place, before, after in self.clicks[::-1]),
            None if self.classes is None else self.classes[::-1],
            tuple(one.reversed() for one in self.carved[::-1]),
            None if self.joined is None else self.joined[::-1],
        )

    def followed_by(self, later: Delta) -> Delta:
        """Return this change and a later one of the same image as one."""
        return Delta(
            later.image or self.image,
            later.plane,
            _joined(self.held, later.held),
            (*self.parts, *later.parts),
            (*self.clicks, *later.clicks),
            _joined(self.classes, later.classes),
            (*self.carved, *later.carved),
            _joined(self.joined, later.joined),
        )

    def without(self, image: str) -> Delta | None:
        """Return what is left when an image is closed."""
        clicks = tuple(c for c in self.clicks if c[0] != image)
        if image != self.image:
            return replace(self, clicks=clicks)
        return Delta("", clicks=clicks, classes=self.classes) if clicks or self.classes else None

    def to_json(self) -> dict[str, Any]:
        """Return the change as plain values."""
        return {
            "image": self.image,
            "plane": self.plane,
            "held": None if self.held is None else [held.to_json() for held in self.held],
            "parts": [[p.frame, list(p.box), plain(p.before), plain(p.after)] for p in self.parts],
            "clicks": plain(self.clicks),
            "classes": plain(self.classes),
            "carved": [one.to_json() for one in self.carved],
            "joined": self.joined and [[t.to_json() for t in side] for side in self.joined],
        }


def _joined(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return first or second
    return first[0], second[1]


def delta_of(values: Mapping[str, Any], books: Mapping[str, Book]) -> Delta:
    """Return the change that ``Delta.to_json`` gave plain values for, checked."""
    image = "" if values["image"] == "" else checks.key(values["image"])
    held, classes, joined = values["held"], values["classes"], values.get("joined")
    parts = tuple(_part(p, books[image]) for p in checks.listed(values["parts"], "parts"))
    return Delta(
        image,
        checks.whole(values["plane"], "the number of a plane", 0, MOST),
        None if held is None else (Held.from_json(held[0]), Held.from_json(held[1])),
        parts,
        tuple(_clicked(c, books) for c in checks.listed(values["clicks"], "clicks")),
        None if classes is None else (classes_of(classes[0]), classes_of(classes[1])),
        tuple(map(Splice.from_json, checks.listed(values.get("carved", ()), "changes of carving"))),
        None if joined is None else (tables_of(joined[0]), tables_of(joined[1])),
    )


def classes_of(values: Any) -> tuple[Class, ...]:
    """Return classes from plain values."""
    return tuple(checks.one_class(one) for one in checks.listed(values, "classes"))


def _part(values: Any, book: Book) -> Part:
    frame, edges, before, after = checks.listed(values, "a part")
    box = tuple(checks.whole(e, "an edge", 0, MOST) for e in checks.listed(edges, "edges"))
    book.require_box(checks.whole(frame, "a frame", 0, MOST), box)
    made = Part(frame, box, checks.data(before), checks.data(after))
    for data in (made.before, made.after):
        opened(data, shape_of(box))
    return made


def _clicked(values: Any, books: Mapping[str, Book]) -> tuple[str, Place, int, int]:
    image, at, before, after = checks.listed(values, "a click")
    classes = [checks.whole(c, "a class", 0, 65535) for c in (before, after)]
    return checks.key(image), books[image].require(place(at)), classes[0], classes[1]


def place(values: Any) -> Place:
    """Return a pixel of a frame from plain values."""
    t, z, y, x = (checks.whole(v, "a place", 0, 2**31) for v in checks.listed(values, "a place"))
    return t, z, y, x


def closed(labels: Labels) -> bytes:
    """Return labels, compressed."""
    return packed(labels, WRITTEN)


def opened(data: bytes, shape: Size) -> Labels:
    """Return labels from bytes that ``closed`` gave.

    Raises
    ------
    ParameterError
        If they do not hold labels of that shape.
    """
    try:
        labels = np.asarray(unpacked_as(data, shape, WRITTEN), np.int32)
    except ValueError as error:
        raise ParameterError(f"Objects are damaged: {error}.") from error
    if labels.min(initial=0) < 0:
        raise ParameterError("Objects are damaged: some numbers are negative.")
    return labels


def shape_of(box: tuple[int, ...]) -> Size:
    """Return the shape of a box."""
    return box[3] - box[0], box[4] - box[1], box[5] - box[2]


def size_of(sheet: Sheet) -> Size:
    """Return the shape of the frames of an image."""
    return sheet.sizes.get("z", 1), sheet.sizes["y"], sheet.sizes["x"]


class Book:
    """The objects of one image. Arrays that are in it are never changed, but replaced.

    Parameters
    ----------
    size : (int, int, int)
        Shape of a frame.
    frames : int
        How many there are.
    """

    def __init__(self, size: Size, frames: int) -> None:
        self.size = size
        self.frames = frames
        self.held = Held()
        self.labels: dict[int, Labels] = {}
        self.clicks: dict[Place, int] = {}
        self.carvings = Carvings()
        self.joined: tuple[Joined, ...] = ()

    def frame(self, number: int) -> Labels:
        """Return the objects of a frame, as they are held here."""
        self.require_room()
        if number not in self.labels:
            self.labels[number] = np.zeros(self.size, np.int32)
        return self.labels[number]

    def change(self, parts: tuple[Part, ...]) -> None:
        """Put other labels where they changed."""
        for part in parts:
            new = opened(part.after, shape_of(part.box))
            if new.shape == self.size:
                self.labels[part.frame] = new
                continue
            whole = self.frame(part.frame).copy()
            whole[slices(part.box)] = new
            self.labels[part.frame] = whole

    def require(self, at: Place) -> Place:
        """Return a place, if it lies in the image."""
        self._require_frame(at[0])
        if any(i >= n for i, n in zip(at[1:], self.size, strict=True)):
            raise ParameterError(f"The place {at[1:]} lies outside the image.")
        return at

    def require_box(self, number: int, box: tuple[int, ...]) -> None:
        """Check that a box lies in a frame."""
        self.whole(number)
        inside = len(box) == 6 and all(
            a < b <= n for a, b, n in zip(box[:3], box[3:], self.size, strict=True)
        )
        if not inside:
            raise ParameterError(f"A change of objects lies outside of the image, in {box}.")

    @property
    def newest(self) -> int:
        """The greatest number of an object; 0 where there is none."""
        return max((int(labels.max(initial=0)) for labels in self.labels.values()), default=0)

    def whole(self, number: int) -> tuple[int, ...]:
        """Return the box of a whole frame."""
        self._require_frame(number)
        self.require_room()
        return (0, 0, 0, *self.size)

    def require_room(self) -> None:
        """Check that the image is not too large for its objects to be held.

        Raises
        ------
        ParameterError
            If it is.
        """
        pixels = self.frames * math.prod(self.size)
        if pixels > MOST_PIXELS:
            raise ParameterError(
                f"Objects of images of up to {MOST_PIXELS:,} pixels are worked on here; this has "
                f"{pixels:,}. Measure and class them with: stroma objects"
            )

    def _require_frame(self, number: int) -> None:
        if not 0 <= number < self.frames:
            raise ParameterError(f"There are frames 0 to {self.frames - 1}, not {number}.")
