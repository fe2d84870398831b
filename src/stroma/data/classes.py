"""Classes: what a label stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from stroma.errors import LabelError, ParameterError

PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#999999",
)
"""Colours that people with colour-blindness tell apart (Okabe and Ito, 2008)."""

SHADES = ((0, 0.0), (0, 0.4), (255, 0.45), (0, 0.65), (255, 0.7))
"""What the palette is mixed with when it has been gone through: black or white, and how much."""

MAX_LABEL = 65535
MOST_COLORS = 40
NEAR = 24
"""Sum of the differences in red, green and blue up to which two colours look alike."""


def color_of(label: int) -> str:
    """Return the colour of a label that nobody chose one for; the first 40 differ."""
    turn, place = divmod(label - 1, len(PALETTE))
    tint, share = SHADES[turn % len(SHADES)]
    own = bytes.fromhex(PALETTE[place][1:])
    return "#" + bytes(round(v + (tint - v) * share) for v in own).hex()


@dataclass(frozen=True)
class Class:
    """A class with its label, name and colour.

    Parameters
    ----------
    label : int
        Value in label images, 1 to 65535.
    name : str
        Name for people; "class 3" where empty.
    color : str
        "#rrggbb"; that of its label (``color_of``) where empty.
    """

    label: int
    name: str = ""
    color: str = ""

    def __post_init__(self) -> None:
        """Fill in what was left out, and check."""
        if not 1 <= self.label <= MAX_LABEL:
            raise LabelError(f"A class label is 1 to {MAX_LABEL}, got {self.label}.")
        if not self.name:
            object.__setattr__(self, "name", f"class {self.label}")
        if not self.color:
            object.__setattr__(self, "color", color_of(self.label))
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.color):
            raise LabelError(f"A colour is written '#rrggbb', got {self.color!r}.")

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as red, green, blue, 0 to 255."""
        value = int(self.color[1:], 16)
        return value >> 16, value >> 8 & 255, value & 255


def free_label(classes: Iterable[Class]) -> int:
    """Return the lowest label that no class has."""
    taken = {c.label for c in classes}
    return next(n for n in range(1, len(taken) + 2) if n not in taken)


def free_color(classes: Iterable[Class], label: int) -> str:
    """Return a colour for a new class: that of its label, or the first that no class is near to."""
    taken = [c.rgb for c in classes]
    colors = [color_of(label), *(color_of(n) for n in range(1, MOST_COLORS + 1))]
    return next((c for c in colors if _is_distinct(c, taken)), colors[0])


def told_apart(new: Iterable[Class], known: Iterable[Class]) -> tuple[Class, ...]:
    """Return classes that join others, with other colours where theirs are taken.

    Those with the label of a known class are that class, and stay as they are.
    """
    taken = list(known)
    labels = {c.label for c in taken}
    found = []
    for one in new:
        if one.label not in labels and not _is_distinct(one.color, [c.rgb for c in taken]):
            one = replace(one, color=free_color(taken, one.label))
        found.append(one)
        taken.append(one)
    return tuple(found)


def _is_distinct(color: str, taken: Iterable[tuple[int, int, int]]) -> bool:
    """Tell whether a colour is like none of those; of many, that cannot be asked."""
    taken, own = list(taken), bytes.fromhex(color[1:])
    return len(taken) > MOST_COLORS or all(
        sum(abs(a - b) for a, b in zip(own, other, strict=True)) > NEAR for other in taken
    )


def complete(classes: Iterable[Class], labels: Iterable[int]) -> tuple[Class, ...]:
    """Return one class per label, ascending; those not given get default name and colour."""
    known = {c.label: c for c in classes}
    return tuple(known.get(label, Class(label)) for label in sorted(set(map(int, labels))))


def require_classes(classes: Iterable[Class]) -> tuple[Class, ...]:
    """Return classes, checked to be such, with one for a label at most.

    Raises
    ------
    ParameterError
        Naming what is not a class, or the label that comes twice.
    """
    given = tuple(classes)
    for i, one in enumerate(given):
        if not isinstance(one, Class):
            raise ParameterError(
                f"Classes are given as Class(label, name, color), got {one!r}. "
                f"Write for instance Class({i + 1}, 'nucleus')."
            )
    labels = [c.label for c in given]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ParameterError(f"Every label has one class, got several for {twice}. Leave out some.")
    return given


def named_in_order(names: Iterable[str]) -> tuple[Class, ...]:
    """Return a class for every name, numbered from 1 in the order of the alphabet."""
    return tuple(Class(label, name) for label, name in enumerate(sorted(set(names)), start=1))


def numbered(names: Iterable[object], classes: Iterable[Class]) -> list[int]:
    """Return the labels of classes by name.

    Raises
    ------
    LabelError
        If there is no class of a name.
    """
    known = {c.name: c.label for c in classes}
    found = []
    for name in map(str, names):
        if name not in known:
            raise LabelError(f"There is no class {name!r}. Known: {', '.join(sorted(known))}.")
        found.append(known[name])
    return found
