"""Label images that lie in a file while they are worked on, read and written part by part."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class FileLabels:
    """An array in a file. What is read is a copy; nothing of the file stays in memory.

    Parameters
    ----------
    file : binary file
        Grows to what the array needs; zeros at first.
    shape : sequence of int
        Of the array.
    dtype : int32 or uint32
        Of the labels.
    """

    def __init__(self, file: IO[bytes], shape: Sequence[int], dtype: DTypeLike = np.int32) -> None:
        self.shape, self.dtype, self._file = tuple(shape), np.dtype(dtype), file
        file.truncate(self.dtype.itemsize * int(np.prod(self.shape, dtype=np.int64)))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def frame(self, *place: int) -> Frame:
        """Return what lies at some positions along the first axes; reads nothing."""
        return Frame(self, place)

    def _mapped(self) -> Any:
        """Return the file as an array: let go of at once, or its pages would stay in memory."""
        return np.memmap(self._file, self.dtype, "r+", shape=self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Return a copy of a part."""
        return np.array(self._mapped()[key])

    def __setitem__(self, key: Any, values: Any) -> None:
        """Write a part."""
        self._mapped()[key] = values


@dataclass(frozen=True, eq=False)
class Frame:
    """One plane or volume of a label image in a file, read and written as an array is.

    Parameters
    ----------
    labels : FileLabels
        Labels.
    place : tuple of int
        Where along the first axes.
    """

    labels: FileLabels
    place: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Sides."""
        return self.labels.shape[len(self.place) :]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Return a copy of a part."""
        return self.labels[self._whole(key)]

    def __setitem__(self, key: Any, values: Any) -> None:
        """Write a part."""
        self.labels[self._whole(key)] = values

    def _whole(self, key: Any) -> tuple[Any, ...]:
        return (*self.place, *(key if isinstance(key, tuple) else (key,)))


@contextmanager
def room(
    shape: Sequence[int], folder: Path | None = None, dtype: DTypeLike = np.int32
) -> Iterator[FileLabels]:
    """Yield labels in a file of no name, which goes when they are done with."""
    with tempfile.TemporaryFile(dir=folder) as file:
        yield FileLabels(file, shape, dtype)
