"""What napari layers show of a session: strokes that can be painted on, and results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.classes import Class, told_apart
from stroma.napari.layers.arrays import PlaneArray
from stroma.session import Session
from stroma.session.events import Event, Position
from stroma.session.strokes.blocks import Layer

Labels = NDArray[np.uint16]

WHOLE = 2048 * 2048
"""Planes of more pixels are shown through a window, as far as they are in view."""

SINGLE = 1024 * 1024
"""Planes of more pixels are shown at several resolutions."""

COARSEST = 512
"""Side of the coarsest resolution, at most."""

VIEW_PIXELS = 1024
"""Values a window of strokes has along its longer side, at least."""


@dataclass(frozen=True)
class Window:
    """The part of a plane that a layer of strokes covers.

    Parameters
    ----------
    box : Box
        Pixels, with corners on multiples of ``step`` (but for the border of the image).
    step : int
        Pixels per value, along each axis.
    """

    box: Box
    step: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Values along y and x."""
        height, width = self.box.shape
        return -(-height // self.step), -(-width // self.step)

    def pixels(self, box: Box) -> Box:
        """Return the pixels of the plane that a box of values stands for."""
        scaled = box.scaled(self.step)
        top, left = self.box.top, self.box.left
        moved = Box(scaled.top + top, scaled.left + left, scaled.bottom + top, scaled.right + left)
        return moved.clipped(self.box)

    def place(self, plane: Position, box: Box) -> tuple[Position, Box]:
        """Return plane and pixels of the image that a box of values of a plane stands for.

        On planes across y and x only values that stand for one pixel have a place.
        """
        top, left = self.box.top, self.box.left
        if "y" in plane:
            along = Box(box.top, box.left + left, box.bottom, box.right + left)
            return {**plane, "y": plane["y"] + top}, along
        if "x" in plane:
            along = Box(box.top, box.left + top, box.bottom, box.right + top)
            return {**plane, "x": plane["x"] + left}, along
        return plane, self.pixels(box)


def window_for(box: Box, plane: Box) -> Window:
    """Return a window that covers a box of a plane, and some more."""
    height, width = box.shape
    step = 1
    while max(height, width) > 2 * VIEW_PIXELS * step:
        step *= 2
    margin = max(0, VIEW_PIXELS * step - max(height, width) // 2)
    grown = box.grown(min(margin, VIEW_PIXELS * step // 2)).aligned(64 * step)
    return Window(grown.clipped(plane), step)


def covers(window: Window, box: Box) -> bool:
    """Tell whether a window shows a box, about as finely as it can be."""
    inside = box.clipped(window.box) == box
    coarser = max(box.shape) > 2 * VIEW_PIXELS * window.step
    finer = window.step > 1 and max(box.shape) <= VIEW_PIXELS * window.step // 2
    return inside and not coarser and not finer


class Pen:
    """Writes what is painted on a layer into the session, one step of undo per stroke.

    Parameters
    ----------
    session : Session
        The session.
    image : str
        Key of the image.

    Attributes
    ----------
    own : set of int
        Revisions of the session that this pen made; the layer shows them already.
    show : callable
        Brings into view what an edit that was undone, or made again, changed.
    """

    def __init__(self, session: Session, image: str) -> None:
        self.session = session
        self.image = image
        self.own: set[int] = set()
        self.show: Callable[[Sequence[Event]], object] = lambda events: None
        self._stroke = 0

    def lift(self) -> None:
        """End a stroke: what comes next is undone on its own."""
        self._stroke = 0

    def put(self, plane: Position, box: Box, labels: Labels) -> None:
        """Give the pixels of a box new labels; those that stay the same are left alone.

        A label that has no class yet gets one, in the same step of undo.
        """
        old = self.session.strokes(self.image, box, plane=plane)
        changed = labels != old
        new = np.unique(labels[changed]).tolist()
        unknown = set(new) - {c.label for c in self.session.classes} - {0}
        if unknown:
            classes = told_apart([Class(label) for label in sorted(unknown)], self.session.classes)
            self._stroke = self.session.set_classes(classes, continues=self._stroke)
        for label in new:
            self._stroke = self.session.stamp(
                self.image,
                changed & (labels == label),
                corner=(box.top, box.left),
                label=label,
                plane=plane,
                continues=self._stroke,
            )
            self.own.add(self.session.revision)


def label_type(classes: Iterable[Class]) -> np.dtype[Any]:
    """Return the smallest type for the labels and one more; napari draws bytes fastest."""
    return np.dtype(np.uint8 if max((c.label for c in classes), default=0) < 255 else np.uint16)


def strokes_array(
    pen: Pen, sizes: Mapping[str, int], window: Window, dtype: Any = np.uint16
) -> PlaneArray:
    """Return the strokes in a window as an array that can be painted on.

    Parameters
    ----------
    pen : Pen
        Takes what is painted.
    sizes : mapping of str to int
        Those of the image, without c where that comes first.
    window : Window
        Part of the planes.
    dtype : dtype
        From `label_type`.
    """
    session, image, step = pen.session, pen.image, window.step

    def read(plane: Position, box: Box) -> Labels:
        plane, pixels = window.place(plane, box)
        if step == 1:
            return session.strokes(image, pixels, plane=plane)
        small = np.zeros(box.shape, np.uint16)
        for part in session.painted(image, plane=plane):
            seen = part.aligned(step).clipped(pixels)
            if seen.area:
                values = _largest(session.strokes(image, seen, plane=plane), step)
                top = (seen.top - pixels.top) // step
                left = (seen.left - pixels.left) // step
                inside = small[top : top + values.shape[0], left : left + values.shape[1]]
                np.maximum(inside, values, out=inside)
        return small

    def write(plane: Position, box: Box, labels: Labels) -> None:
        shown = None if step == 1 else read(plane, box)
        plane, pixels = window.place(plane, box)
        if shown is None:
            pen.put(plane, pixels, labels)
            return
        changed = _repeated(labels != shown, step, pixels.shape)
        now = session.strokes(image, pixels, plane=plane)
        pen.put(plane, pixels, np.where(changed, _repeated(labels, step, pixels.shape), now))

    height, width = window.shape
    shown = {**sizes, "y": height, "x": width}
    return PlaneArray(shown, dtype, read, write, cuts=step == 1)


Reading = Callable[[Position, Box, int], NDArray[Any]]
"""Given a plane, a box of its pixels and a step, returns every step-th value, from the middle."""


def result_arrays(
    session: Session,
    image: str,
    sizes: Mapping[str, int],
    *,
    layer: Layer,
    label: int | None = None,
    dtype: Any = np.float32,
) -> list[PlaneArray]:
    """Return a layer of results at full resolution and, for large planes, at coarser ones."""

    def read(position: Position, pixels: Box, step: int) -> NDArray[Any]:
        shown = session.result(image, pixels, plane=position, layer=layer, label=label, step=step)
        return shown.values

    return levels(sizes, dtype, read)


def levels(sizes: Mapping[str, int], dtype: Any, values: Reading) -> list[PlaneArray]:
    """Return values of planes at full resolution and, of large planes, at coarser ones.

    Parameters
    ----------
    sizes : mapping of str to int
        Those of the image.
    dtype : dtype
        Of the values.
    values : callable
        Reads them.
    """
    plane = Box(0, 0, sizes["y"], sizes["x"])
    steps = [1]
    while plane.area > SINGLE and max(plane.shape) / steps[-1] > COARSEST:
        steps.append(2 * steps[-1])

    def across(position: Position, box: Box, step: int) -> NDArray[Any]:
        """Return values of a plane across y or x, reduced along its columns alone."""
        axis, other = ("y", "x") if "y" in position else ("x", "y")
        at = min(position[axis] * step + step // 2, sizes[axis] - 1)
        right = min(box.right * step, sizes[other])
        pixels = Box(box.top, box.left * step, box.bottom, right)
        shown = values({**position, axis: at}, pixels, 1)
        middles = np.arange(box.left, box.right) * step + step // 2
        return shown[:, np.minimum(middles, right - 1) - pixels.left]

    def at(step: int) -> PlaneArray:
        def read(position: Position, box: Box) -> NDArray[Any]:
            if "y" in position or "x" in position:
                return across(position, box, step)
            pixels = box.scaled(step).clipped(plane)
            if not pixels.area:
                return np.zeros(box.shape, dtype)
            return values(position, pixels, step)

        height, width = plane.coarse(step).shape
        return PlaneArray({**sizes, "y": height, "x": width}, dtype, read, cuts=True)

    return [at(step) for step in steps]


def _largest(labels: Labels, step: int) -> Labels:
    """Return the largest label in every ``step`` x ``step`` pixels, so that no stroke is lost."""
    height, width = labels.shape
    padded = np.pad(labels, ((0, -height % step), (0, -width % step)))
    cells = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    found: Labels = cells.max(axis=(1, 3))
    return found


def _repeated(values: NDArray[Any], step: int, shape: tuple[int, int]) -> NDArray[Any]:
    return values.repeat(step, axis=0).repeat(step, axis=1)[: shape[0], : shape[1]]
