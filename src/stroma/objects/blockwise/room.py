"""Label images that lie in a file while they are worked on, read and written box by box."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, ...]
"""One range per axis."""

SIDES = {2: (2048, 2048), 3: (64, 256, 256)}
"""Pixels of a block along (z,) y and x: four million."""


class FileLabels:
    """An int32 array in a file. What is read is a copy; nothing of the file stays in memory.

    Parameters
    ----------
    file : binary file
        Grows to what the array needs; zeros at first.
    shape : sequence of int
        Of the array.
    """

    dtype = np.dtype(np.int32)

    def __init__(self, file: IO[bytes], shape: Sequence[int]) -> None:
        self.shape, self._file = tuple(shape), file
        file.truncate(4 * int(np.prod(self.shape, dtype=np.int64)))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def _mapped(self) -> Any:
        """Return the file as an array: let go of at once, or its pages would stay in memory."""
        return np.memmap(self._file, self.dtype, "r+", shape=self.shape)

    def __getitem__(self, key: Any) -> NDArray[np.int32]:
        """Return a copy of a part."""
        return np.array(self._mapped()[key])

    def __setitem__(self, key: Any, values: Any) -> None:
        """Write a part."""
        self._mapped()[key] = values


@dataclass(frozen=True, eq=False)
class OneFrame:
    """One frame of a label image in a file, read and written as an array is.

    Parameters
    ----------
    labels : FileLabels
        (t, ...) labels.
    t : int
        Which frame.
    """

    labels: FileLabels
    t: int

    def __getitem__(self, box: Box) -> NDArray[np.int32]:
        """Return a copy of a part."""
        return self.labels[(self.t, *box)]

    def __setitem__(self, box: Box, values: Any) -> None:
        """Write a part."""
        self.labels[(self.t, *box)] = values


@contextmanager
def room(shape: Sequence[int], folder: Path | None = None) -> Iterator[FileLabels]:
    """Yield labels in a file of no name, which goes when they are done with."""
    with tempfile.TemporaryFile(dir=folder) as file:
        yield FileLabels(file, shape)


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
