"""Boxes of any number of axes, also beyond the border of what is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from numpy.typing import NDArray

from stroma.blocks.box import reflected

Cube = tuple[slice, ...]
"""One range per spatial axis."""


def cube(start: Sequence[int], size: Sequence[int]) -> Cube:
    """Return the box of a size from a corner."""
    return tuple(slice(int(a), int(a) + int(n)) for a, n in zip(start, size, strict=True))


def shape_of(box: Cube) -> tuple[int, ...]:
    """Return the sides of a box."""
    return tuple(s.stop - s.start for s in box)


def relative(box: Cube, origin: Cube) -> Cube:
    """Return a box in coordinates that start at another's corner."""
    return tuple(
        slice(s.start - o.start, s.stop - o.start) for s, o in zip(box, origin, strict=True)
    )


def common(one: Cube, other: Cube) -> Cube:
    """Return what two boxes share; some range ends before it starts if they do not meet."""
    return tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )


def meet(one: Cube, other: Cube) -> bool:
    """Tell whether two boxes share a pixel."""
    return all(s.start < s.stop for s in common(one, other))


def inside(box: Cube, shape: Sequence[int]) -> Cube:
    """Return what of a box lies in an array."""
    return tuple(slice(max(s.start, 0), min(s.stop, n)) for s, n in zip(box, shape, strict=True))


def around(core: Cube, context: int, shape: Sequence[int]) -> Cube:
    """Return a block with its surroundings, as far as the image goes."""
    return inside(tuple(slice(s.start - context, s.stop + context) for s in core), shape)


def read_mirrored(
    read: Callable[[Cube], NDArray[Any]], shape: Sequence[int], box: Cube
) -> NDArray[Any]:
    """Read a box that may reach beyond an image, mirroring the image at its border.

    Parameters
    ----------
    read : callable
        Returns the (..., *space) values of a box inside the image.
    shape : sequence of int
        Sides of the image.
    box : Cube
        What is wanted; any size and position.
    """
    if inside(box, shape) == box:
        return read(box)
    places = [reflected(s.start, s.stop, n) for s, n in zip(box, shape, strict=True)]
    needed = tuple(slice(int(p.min()), int(p.max()) + 1) for p in places)
    values = read(needed)
    for axis, (place, span) in enumerate(zip(places, needed, strict=True)):
        values = values.take(place - span.start, axis=values.ndim - len(places) + axis)
    return values


def lattice(shape: Sequence[int], size: Sequence[int], stride: Sequence[int]) -> list[Cube]:
    """Return boxes that cover an array once, in reading order, starting on multiples of strides."""
    sides = [max(1, n // s) * s for n, s in zip(size, stride, strict=True)]
    spans = [
        [slice(a, min(a + side, n)) for a in range(0, n, side)]
        for n, side in zip(shape, sides, strict=True)
    ]
    return list(product(*spans))


def surroundings(
    core: Cube,
    halo: Sequence[int],
    stride: Sequence[int],
    shape: Sequence[int],
    *,
    least: Sequence[int] = (),
) -> Cube:
    """Return a core with its halo, aligned, ending where the image does.

    Beyond the border only what is missing to a multiple of the stride is added. Windows with sides
    below the ``least`` show more of the image, as far as it goes.
    """
    found = []
    sides = least or (0,) * len(core)
    for s, h, step, n, side in zip(core, halo, stride, shape, sides, strict=True):
        start = max(0, (s.start - h) // step * step)
        stop = -(-min(max(s.stop + h, start + side), n) // step) * step
        start = max(0, min(start, (stop - side) // step * step))
        found.append(slice(start, stop))
    return tuple(found)
