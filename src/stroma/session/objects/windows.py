"""Which part of a plane is looked at for a click, how finely, and what an engine knows of it."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from stroma.blocks.box import Box
from stroma.data.cut import flat
from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.prompts import build
from stroma.prompts.contract import Embedding, PromptedSegmenter
from stroma.prompts.pixels import Pixels, pixels_of

SIDE = 1024
"""Pixels along each axis that an engine is given at once."""

SHOWN = 1536
"""Pixels across the view from which on every second one is enough, and so on."""

MOST_BYTES = 2**29
"""Of what engines know, kept for windows that are looked at again."""


@dataclass(frozen=True)
class Window:
    """A part of a plane, and how many of its pixels are one of the engine's along each axis.

    Parameters
    ----------
    box : Box
        Pixels of the plane.
    step : int
        How many.
    """

    box: Box
    step: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of what the engine is given."""
        height, width = self.box.shape
        return -(-height // self.step), -(-width // self.step)

    def inner(self, y: float, x: float) -> tuple[float, float]:
        """Return a place of the plane as the engine counts: pixels have whole numbers."""
        return (y - self.box.top) / self.step - 0.5, (x - self.box.left) / self.step - 0.5


def window_of(whole: Box, wanted: Box, view: Box | None) -> Window:
    """Return what is looked at for prompts.

    A plane that is small is looked at as a whole; of others, a square that stays where it is while
    one works in its middle.

    Parameters
    ----------
    whole : Box
        The plane.
    wanted : Box
        What holds all prompts.
    view : Box or None
        What is in view: where that is large, fewer pixels are looked at.
    """
    seen = max((view or whole).clipped(whole).shape) if view else 0
    needed = max(*wanted.shape, 1) * 2
    step = 2 ** max(0, math.ceil(math.log2(max(seen / SHOWN, needed / SIDE, 1))))
    side, pace = SIDE * step, SIDE * step // 2
    spans = []
    for low, high, middle in zip((0, 0), whole.shape, wanted.middle, strict=True):
        start = round((middle - side / 2) / pace) * pace
        start = max(low, min(start, high - side))
        spans.append((start, min(start + side, high)))
    (top, bottom), (left, right) = spans
    return Window(Box(top, left, bottom, right), step)


def pixels_in(image: Image, window: Window) -> Pixels:
    """Return the (C, y, x) pixels of a window of a plane, and whether they are a colour picture."""
    rows, columns = window.box.slices
    first, rgb = pixels_of(flat(image), {"y": rows, "x": columns})
    middle = window.step // 2
    at = [slice(min(middle, n - 1), None, window.step) for n in first.shape[1:]]
    return first[:, at[0], at[1]], rgb


class Embedded:
    """An engine for each name, and what they know of windows; used by one thread at a time.

    Hold ``lock`` from ``ready`` until the engine has answered.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._engines: dict[str, PromptedSegmenter] = {}
        self._known: OrderedDict[Hashable, Embedding] = OrderedDict()
        self._has: dict[str, Hashable] = {}

    def engine(self, name: str) -> PromptedSegmenter:
        """Return an engine by its name."""
        if name not in self._engines:
            engine = build.engine(name)
            if "yx" not in engine.axes:
                raise ParameterError(f"The engine {name!r} works in volumes alone, not on planes.")
            self._engines[name] = engine
        return self._engines[name]

    def ready(self, name: str, about: Hashable, read: Callable[[], Pixels]) -> PromptedSegmenter:
        """Return an engine that has looked at a window.

        Parameters
        ----------
        name : str
            Of the engine.
        about : hashable
            What its pixels depend on.
        read : callable
            Returns them, and whether they are a colour picture.
        """
        engine = self.engine(name)
        key = (name, engine.key, about)
        if self._has.get(name) != key:
            self._has.pop(name, None)
            if key in self._known:
                engine.set_embedding(self._known[key])
            else:
                values, rgb = read()
                engine.set_image(values, rgb=rgb)
                self._known[key] = engine.embedding()
                self._forget()
            self._has[name] = key
        self._known.move_to_end(key)
        return engine

    def _forget(self) -> None:
        sizes = {k: sum(v.nbytes for v in one.values()) for k, one in self._known.items()}
        while len(self._known) > 1 and sum(sizes.values()) > MOST_BYTES:
            oldest, _ = self._known.popitem(last=False)
            del sizes[oldest]
