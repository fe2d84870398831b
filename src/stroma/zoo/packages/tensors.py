"""What a package says of what goes into its network and what comes out, in 0.4 and 0.5 alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stroma.errors import FormatError, short
from stroma.zoo.packages.values import listed, within

SPACE = "zyx"
LETTERS = {"batch": "b", "channel": "c", "index": "i", "time": "t"}


@dataclass(frozen=True)
class Side:
    """How many samples an axis may have: the least, and more in steps; a step of 0 is none more."""

    least: int
    step: int


@dataclass(frozen=True)
class Entering:
    """What goes into a network.

    Parameters
    ----------
    axes : str
        Letters of the axes in their order: ``b``, ``c`` and those of space.
    channels : int
        How many.
    sides : tuple of Side
        Along every axis of space, in the order z, y, x.
    operations : sequence of mapping
        What is done to intensities before.
    scales : tuple of float
        Size of a pixel along every axis of space, in the package's units.
    """

    axes: str
    channels: int
    sides: tuple[Side, ...]
    operations: tuple[Mapping[str, Any], ...]
    scales: tuple[float, ...] = ()

    @property
    def space(self) -> str:
        """Axes of space, in the order z, y, x."""
        return "".join(a for a in SPACE if a in self.axes)


@dataclass(frozen=True)
class Leaving:
    """What comes out of a network.

    Parameters
    ----------
    name : str
        What the package calls it.
    axes : str
        As of what goes in.
    channels : tuple of str
        Their names; empty where the package names none, and does not say how many there are.
    factors : tuple of int
        Pixels of the image between those of the output, along every axis of space.
    lost : tuple of int
        Pixels that the output has less than the image, in all, along every axis of space.
    halo : tuple of int
        Pixels of the image at each side that are to be cut off.
    operations : sequence of mapping
        What is done to values afterwards.
    """

    name: str
    axes: str
    channels: tuple[str, ...]
    factors: tuple[int, ...]
    lost: tuple[int, ...]
    halo: tuple[int, ...]
    operations: tuple[Mapping[str, Any], ...]


def entering(said: Mapping[str, Any], path: Path) -> Entering:
    """Return what goes into the network of a package.

    Raises
    ------
    FormatError
        If it is not one image with channels, y and x.
    """
    every = [one for one in listed(said, "inputs") if not within({"a": one}, "a").get("optional")]
    if len(every) != 1:
        raise FormatError(f"{path}: its network takes {len(every)} inputs; read are those of one.")
    [one] = every
    axes = axes_of(one, path)
    sides = dict(zip(axes, _sides(one, axes), strict=True))
    count = sides.get("c", Side(1, 0)).least
    space = tuple(sides[a] for a in SPACE if a in axes)
    _require_plain(axes, sides, path)
    sizes = dict(zip(axes, _scales(one, axes), strict=True))
    scales = tuple(sizes[a] for a in SPACE if a in axes)
    return Entering(axes, count, space, _operations(one, "preprocessing"), scales)


def leaving(said: Mapping[str, Any], given: Entering, path: Path) -> list[Leaving]:
    """Return what comes out of the network of a package, as far as it lies over the image.

    Raises
    ------
    FormatError
        If nothing does, or an output is larger than the image.
    """
    found = [_leaving(one, given, path) for one in listed(said, "outputs")]
    over = [one for one in found if one is not None]
    if not over:
        raise FormatError(f"{path}: no output of its network lies over the image.")
    return over


def axes_of(said: Any, path: Path) -> str:
    """Return one letter for every axis."""
    named = within({"a": said}, "a").get("axes")
    if isinstance(named, str):
        found = named
    else:
        found = "".join(_letter(axis) for axis in listed(said, "axes"))
    if not found or len(set(found)) < len(found) or not set(found) <= {*"bcit", *SPACE}:
        raise FormatError(f"{path} says that a tensor has axes {short(named)}, which are not read.")
    return found


def _letter(axis: Any) -> str:
    kind, name = within({"a": axis}, "a").get("type"), within({"a": axis}, "a").get("id")
    return str(name) if kind == "space" else LETTERS.get(str(kind), "?")


def _require_plain(axes: str, sides: Mapping[str, Side], path: Path) -> None:
    more = [a for a in axes if a in "it" and (sides[a].least, sides[a].step) != (1, 0)]
    if more or not {"y", "x"} <= set(axes):
        raise FormatError(
            f"{path}: its network takes axes {axes!r}; read are networks that take an image with "
            "y and x, and with z and channels."
        )


def _sides(said: Any, axes: str) -> list[Side]:
    """Return how long the axes of an input may be."""
    if isinstance(said["axes"], str):
        return _old_sides(said["shape"], axes)
    found: dict[str, Side] = {}
    waiting = {}
    for letter, axis in zip(axes, said["axes"], strict=True):
        size = axis.get("size", 1)
        if letter == "c":
            names = axis.get("channel_names")
            found[letter] = Side(len(names) if names else int(size), 0)
        elif isinstance(size, int):
            found[letter] = Side(size, 0)
        elif "axis_id" in size:
            waiting[letter] = str(size["axis_id"])
        else:
            found[letter] = Side(int(size["min"]), int(size.get("step", 0)))
    return [found[waiting.get(letter, letter)] for letter in axes]


def _scales(said: Any, axes: str) -> list[float]:
    if isinstance(said["axes"], str):
        return [1.0] * len(axes)
    return [float(axis.get("scale", 1)) for axis in said["axes"]]


def _old_sides(shape: Any, axes: str) -> list[Side]:
    if isinstance(shape, list):
        least, step = shape, [0] * len(axes)
    else:
        least, step = shape["min"], shape["step"]
    return [Side(int(a), int(b)) for a, b in zip(least, step, strict=True)]


def _operations(said: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
    """Return what is to be done, in order: its name, and what goes with it."""
    found = []
    for one in listed(said, key):
        name = one.get("id", one.get("name"))
        found.append({"name": str(name), **within(one, "kwargs")})
    return tuple(found)


def _leaving(said: Any, given: Entering, path: Path) -> Leaving | None:
    axes = axes_of(said, path)
    if not set(given.space) <= set(axes):
        return None
    name = str(said.get("id", said.get("name", "output")))
    old = isinstance(said["axes"], str)
    how = _old_geometry(said, given, axes) if old else _geometry(said, given, axes)
    factors, lost, halo = (tuple(how[a][i] for a in given.space) for i in range(3))
    if min(factors) < 1 or min(lost) < 0:
        raise FormatError(f"{path}: its output {short(name)} is larger than the image.")
    channels = _channels(said, axes, old)
    return Leaving(name, axes, channels, factors, lost, halo, _operations(said, "postprocessing"))


Geometry = dict[str, tuple[int, int, int]]
"""By axis: pixels of the image for one of the output, pixels lost in all, halo in the image's."""


def _geometry(said: Any, given: Entering, axes: str) -> Geometry:
    fixed = dict(zip(given.space, given.sides, strict=True))
    scales = dict(zip(given.space, given.scales, strict=True))
    found = {}
    for letter, axis in zip(axes, said["axes"], strict=True):
        if letter not in given.space:
            continue
        size, scale = axis["size"], float(axis.get("scale", 1)) / scales[letter]
        if isinstance(size, int):
            factor, lost = _compared(fixed[letter].least, size)
        else:
            factor, lost = round(scale), -int(size.get("offset", 0))
        found[letter] = (factor, lost * factor, int(axis.get("halo", 0)) * factor)
    return found


def _old_geometry(said: Any, given: Entering, axes: str) -> Geometry:
    fixed = dict(zip(given.space, given.sides, strict=True))
    shape, halo = said["shape"], said.get("halo") or [0] * len(axes)
    found = {}
    for i, letter in enumerate(axes):
        if letter not in given.space:
            continue
        if isinstance(shape, list):
            factor, lost = _compared(fixed[letter].least, int(shape[i]))
        else:
            factor = round(1 / shape["scale"][i]) if shape["scale"][i] <= 1 else 0
            lost = -round(2 * shape["offset"][i])
        found[letter] = (factor, lost * factor, int(halo[i]) * factor)
    return found


def _compared(entering: int, leaving: int) -> tuple[int, int]:
    """Return the factor between sides, and what is lost where there is none."""
    even = leaving and entering % leaving == 0
    return (entering // leaving, 0) if even else (1, entering - leaving)


def _channels(said: Any, axes: str, old: bool) -> tuple[str, ...]:
    if "c" not in axes:
        return ("channel 0",)
    at = axes.index("c")
    if not old:
        axis = said["axes"][at]
        names: Sequence[Any] = axis.get("channel_names") or range(int(axis.get("size", 0)))
        return tuple(n if isinstance(n, str) else f"channel {n}" for n in names)
    shape = said["shape"]
    if isinstance(shape, list):
        count = int(shape[at])
    else:
        count = round(2 * shape["offset"][at]) if not shape["scale"][at] else 0
    return tuple(f"channel {n}" for n in range(count))
