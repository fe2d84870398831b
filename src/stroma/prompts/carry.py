"""An object carried from one plane to the next, or from frame to frame, until it fades."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.errors import ParameterError
from stroma.prompts.contract import PromptedSegmenter
from stroma.prompts.pixels import Pixels

Bools = NDArray[np.bool_]

By = Literal["auto", "prompts", "memory"]
"""What is looked for on the next plane: what lies where the object was, or what an engine with a
memory of frames takes for the same; auto: by memory where the engine has one."""

HIDDEN = 6
"""Planes in a row on which an object that is remembered may be hidden."""


@runtime_checkable
class Remembers(Protocol):
    """An engine that follows an object by what it remembers of the frames before."""

    def remembers(self) -> bool:
        """Tell whether it can, with the weights it has."""
        ...

    def followed(
        self, planes: Iterable[Pixels], mask: Bools, *, count: int, frames: int
    ) -> Iterator[Bools]:
        """Yield masks (y, x) of an object on all planes but the first; empty where it is hidden.

        Parameters
        ----------
        planes : iterable of Pixels
            The first one with the object, and those that follow; taken one by one.
        mask : (y, x) bool
            The object on the first.
        count : int
            How many planes there are, which may be more than are taken.
        frames : int
            How many planes it keeps at most, beside the first.
        """
        ...


@dataclass(frozen=True)
class Carrying:
    """How an object is carried.

    By memory, the network says where the object is, and that it is gone; `overlap`, `fade` and
    `margin` are for prompts.

    Parameters
    ----------
    reach : int
        How many planes it is carried at most, each way.
    by : {"auto", "prompts", "memory"}
        How it is found again; see `By`.
    frames : int
        How many planes are remembered at most, beside the first: memory does not grow with the
        movie. SAM 2 looks back at no more than 15.
    overlap : float
        How much of two neighbouring planes' masks must be the same (intersection over union).
    fade : float
        From which part of its first contrast with what is around it on it has faded.
    margin : float
        How much the box around it grows from plane to plane, as a part of its sides.
    """

    reach: int = 100
    overlap: float = 0.4
    fade: float = 0.25
    margin: float = 0.1
    by: By = "auto"
    frames: int = 15

    def __post_init__(self) -> None:
        """Check the values."""
        if self.reach < 1 or self.reach != int(self.reach):
            raise ParameterError(f"reach is a whole number of planes from 1, got {self.reach}.")
        if self.by not in get_args(By):
            raise ParameterError(f"by is one of {', '.join(get_args(By))}, got {self.by!r}.")
        if self.frames < 1:
            raise ParameterError(f"frames are at least 1, got {self.frames}.")
        for name in ("overlap", "fade"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name} is from 0 to 1, got {getattr(self, name)}.")
        if not 0 <= self.margin <= 1:
            raise ParameterError(f"margin is from 0 to 1, got {self.margin}.")


def carried(
    engine: PromptedSegmenter,
    read: Callable[[int], Pixels],
    planes: range,
    mask: Bools,
    *,
    first: Pixels,
    how: Carrying,
) -> Iterator[tuple[int, Bools]]:
    """Yield an object on one plane after the other, as far as it goes.

    By prompts, each plane is asked for what lies where the object was: its innermost pixel and a
    box a little larger than it; of the answers, the one that is most like it counts. By memory, the
    engine follows it; planes on which it is hidden are left out.

    Parameters
    ----------
    engine : PromptedSegmenter
        Any that works in planes; it has another image afterwards.
    read : callable
        Returns a plane by its number.
    planes : range
        Their numbers, in the order in which they follow on the first.
    mask : (y, x) bool
        The object on the first plane.
    first : Pixels
        The pixels of the first plane.
    how : Carrying
        When it ends.

    Yields
    ------
    number : int
        Of the plane.
    mask : (y, x) bool
        The object there.
    """
    if not mask.any():
        raise ParameterError("There is no object on the plane that it is to be carried from.")
    if _remembered(engine, how):
        assert isinstance(engine, Remembers)
        yield from _by_memory(engine, chain([first], map(read, planes)), planes, mask, how)
        return
    usual = contrast(first[0], mask)
    before = mask
    for number in planes[: how.reach]:
        values, rgb = read(number)
        engine.set_image(values, rgb=rgb)
        masks, _ = engine.predict(points=[_inside(before)], boxes=[_around(before, how.margin)])
        likeness = [_overlap(found, before) for found in masks]
        best = masks[int(np.argmax(likeness))]
        if max(likeness) < how.overlap or _faded(contrast(values, best), usual, how.fade):
            return
        yield number, best
        before = best


def _remembered(engine: PromptedSegmenter, how: Carrying) -> bool:
    """Tell whether an object is carried by the engine's memory."""
    if how.by == "prompts" or not isinstance(engine, Remembers):
        if how.by == "memory":
            raise ParameterError(
                "This engine has no memory of frames. Choose one that has, such as 'sam2', or "
                "carry objects by='prompts'."
            )
        return False
    return how.by == "memory" or engine.remembers()


def _by_memory(
    engine: Remembers,
    frames: Iterable[Pixels],
    planes: range,
    mask: Bools,
    how: Carrying,
) -> Iterator[tuple[int, Bools]]:
    """Yield an object while it is seen, or was a few planes ago."""
    hidden = 0
    found = engine.followed(frames, mask, count=len(planes) + 1, frames=how.frames)
    for number, one in zip(planes[: how.reach], found, strict=False):
        hidden = 0 if one.any() else hidden + 1
        if hidden > HIDDEN:
            return
        if not hidden:
            yield number, one


def contrast(values: NDArray[Any], mask: Bools) -> NDArray[np.float64]:
    """Return how much brighter an object is than a ring around it, for every channel.

    Parameters
    ----------
    values : (C, y, x) array
        Pixel values.
    mask : (y, x) bool
        The object.
    """
    wide = max(3, int(np.sqrt(mask.sum()) / 2)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * wide + 1, 2 * wide + 1))
    ring = cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) & ~mask
    if not ring.any():
        return np.zeros(len(values))
    return np.array([float(c[mask].mean()) - float(c[ring].mean()) for c in values])


def _faded(now: NDArray[np.float64], usual: NDArray[np.float64], fade: float) -> bool:
    """Tell whether too little is left of a contrast, in its direction."""
    return bool(now @ usual < fade * (usual @ usual))


def _overlap(found: Bools, before: Bools) -> float:
    both = int((found & before).sum())
    return both / max(1, int(found.sum()) + int(before.sum()) - both)


def _inside(mask: Bools) -> list[int]:
    """Return the pixel that lies deepest in a mask."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return [int(y) - 1, int(x) - 1]


def _around(mask: Bools, margin: float) -> list[float]:
    """Return the box around a mask, grown by a part of its sides and at least one pixel."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    found = []
    for places, side in ((rows, mask.shape[0]), (columns, mask.shape[1])):
        more = max(1.0, margin * len(places))
        low, high = float(places[0]) - more, float(places[-1]) + more
        found.append((max(low, 0.0), min(high, side - 1.0)))
    (y0, y1), (x0, x1) = found
    return [y0, x0, y1, x1]
