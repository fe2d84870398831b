"""The blocks that large label images are read and written by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

Box = tuple[slice, ...]
"""One range per axis."""

SIDES = {2: (2048, 2048), 3: (64, 256, 256)}
"""Pixels of a block along (z,) y and x: four million."""


def blocks(shape: Sequence[int], sides: Sequence[int] | None = None) -> Iterator[Box]:
    """Yield blocks in reading order; of usual size unless sides are given."""
    steps = tuple(sides or SIDES[len(shape)])
    for corner in product(*(range(0, n, s) for n, s in zip(shape, steps, strict=True))):
        yield tuple(slice(a, min(a + s, n)) for a, s, n in zip(corner, steps, shape, strict=True))


def grown(box: Box, margin: Sequence[int] | int, shape: Sequence[int]) -> Box:
    """Return a box with a margin, as far as the image reaches."""
    margins = (margin,) * len(box) if isinstance(margin, int) else margin
    return tuple(
        slice(max(0, s.start - m), min(n, s.stop + m))
        for s, m, n in zip(box, margins, shape, strict=True)
    )


def within(box: Box, window: Box) -> Box:
    """Return a box in coordinates of a window."""
    return tuple(
        slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, window, strict=True)
    )
