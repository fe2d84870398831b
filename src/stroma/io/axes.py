"""From the axes a file has to the axes an Image has.

Files that do not name their axes are read by these rules: two axes are ``yx``; a last axis of
3 or 4 samples after two longer ones holds colours (``yxc``, ``zyxc``, ``tzyxc``); three axes are
otherwise ``zyx``, four ``czyx`` and five ``tczyx``. ``axes=`` overrides them, where ``s`` stands
for colours wherever they lie ("syx").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stroma.data.image import AXES, Image, LazyArray
from stroma.errors import FormatError, ShapeError, short
from stroma.io.lazy import View


@dataclass(frozen=True)
class Facts:
    """What a file says about its image besides the values.

    Parameters
    ----------
    spacing : mapping of str to float
        Distance between samples along an axis.
    unit : str
        Unit of the spatial spacing.
    channels : sequence of str
        Names of the channels.
    alpha : bool
        Whether the last colour sample is opacity, which is dropped.
    notes : sequence of str
        What of the file is left out, or read differently than stored.
    lossy : bool
        Whether the file changed the values to be smaller.
    """

    spacing: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    channels: Sequence[str] = ()
    alpha: bool = False
    notes: Sequence[str] = ()
    lossy: bool = False


def guess(shape: Sequence[int]) -> str:
    """Return axes for a shape of which nothing is known; ``s`` stands for colours."""
    if len(shape) in (3, 4, 5) and shape[-1] in (3, 4) and min(shape[-3:-1]) > 4:
        return "tzyxs"[-len(shape) :]
    known = {2: "yx", 3: "zyx", 4: "czyx", 5: "tczyx"}
    return known.get(len(shape), "?" * len(shape))


def asked(axes: str, shape: Sequence[int], path: Path) -> str:
    """Return the axes a user gave, checked; a last axis of 3 or 4 channels holds colours.

    Raises
    ------
    ShapeError
        If there is not one letter per axis, or a letter is unknown or given twice.
    """
    low = axes.lower()
    if len(low) != len(shape) or not set(low) <= {*AXES, "s"} or len(set(low)) != len(low):
        raise ShapeError(
            f"The axes {axes!r} do not fit {path}, which has shape {tuple(shape)}. "
            f"Give {len(shape)} different letters of {AXES!r}, in the order of the file."
        )
    return low[:-1] + "s" if low[-1] == "c" and shape[-1] in (3, 4) else low


def arrange(array: LazyArray, axes: str, facts: Facts, path: Path) -> Image:
    """Return an Image of an array whose axes have letters in the order of the file.

    Parameters
    ----------
    array : array-like
        The values, as in the file.
    axes : str
        One letter per axis: ``tczyx``, ``s`` for colour samples, any other letter for an axis
        of one sample, which is dropped.
    facts : Facts
        What else the file says.
    path : Path
        The file, for messages and as the source.
    """
    sizes = _sizes(array.shape, axes, facts)
    named = _name_samples(axes, sizes)
    kept = [a for a in AXES if a in named]
    _check(named, kept, sizes, path)
    order = tuple(named.index(a) for a in kept)
    limits = {i: sizes[a] for i, a in enumerate(order) if sizes[a] < array.shape[a]}
    plain = order == tuple(range(len(array.shape))) and not limits
    native = bool(getattr(array.dtype, "isnative", True))
    channels = sizes[named.index("c")] if "c" in kept else 1
    return Image(
        array if plain and native else View(array, order, limits),
        "".join(kept),
        spacing={a: s for a, s in facts.spacing.items() if a in kept},
        unit=facts.unit,
        channels=tuple(facts.channels) if len(facts.channels) == channels else (),
        rgb="s" in axes and sizes[axes.index("s")] == 3,
        source=str(path),
        notes=tuple(facts.notes),
        lossy=facts.lossy,
    )


def _sizes(shape: Sequence[int], axes: str, facts: Facts) -> list[int]:
    """Return the samples to keep along every axis: all but opacity."""
    return [n - (a == "s" and facts.alpha) for n, a in zip(shape, axes, strict=True)]


def _name_samples(axes: str, sizes: Sequence[int]) -> str:
    """Let colour samples be the channels, if there are no others."""
    named = axes
    if "s" in axes and sizes[axes.index("s")] > 1:
        c = axes.find("c")
        if c >= 0 and sizes[c] == 1:
            named = named.replace("c", "-")
        if "c" not in named:
            named = named.replace("s", "c")
    return named


def _check(named: str, kept: Sequence[str], sizes: Sequence[int], path: Path) -> None:
    extra = [a for a, n in zip(named, sizes, strict=True) if a not in kept and n > 1]
    if extra or not {"y", "x"} <= set(kept):
        raise FormatError(
            f"{path} has axes {named!r} with {tuple(sizes)} samples; an image has y, x and any of "
            "t, c, z. Name its axes with axes=, or export one position or series of it."
        )
    if math.prod(sizes) >= 2**60:
        raise FormatError(f"{path} declares {short(tuple(sizes))} samples, which no file holds.")
    if 0 in sizes:
        raise FormatError(f"{path} holds an image without pixels: shape {tuple(sizes)}.")
