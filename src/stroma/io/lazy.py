"""Arrays that stay in their file until a box of them is read."""

from __future__ import annotations

import struct
import threading
import tokenize
import weakref
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import LazyArray
from stroma.errors import (
    FileError,
    FormatError,
    MissingExtraError,
    StromaError,
    install,
    short,
)

DAMAGE = (
    *(ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, LookupError),
    *(MemoryError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(struct.error, tokenize.TokenError, zlib.error),
)
"""What other people's decoders raise on damaged bytes: about everything."""

Opened = tuple[LazyArray, Callable[[], object] | None]
"""An open array and what closes it."""


class FileArray:
    """An array in a file that is opened when first read.

    It pickles as the name of its file, so that other processes open the file themselves, and
    closes the file when it is forgotten.

    Parameters
    ----------
    opener : callable
        ``opener(path, **options)`` opens the file and returns an array and what closes it (or
        None); a function of a module.
    path : Path
        The file.
    options : mapping
        Further arguments of ``opener``.
    shape : tuple of int
        Size along every axis.
    dtype : numpy.dtype
        Type of the values.
    state : tuple of int, optional
        Size and date of the file; as they are now, where left out. A file that has others when
        it is read is not mixed with what was read of it before.
    """

    def __init__(
        self,
        opener: Callable[..., Opened],
        path: Path,
        options: Mapping[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        state: tuple[int, int] | None = None,
    ) -> None:
        self.opener = opener
        self.path = path
        self.options = dict(options)
        self.shape = shape
        self.dtype = dtype
        self.state = state or _state(path)
        self._array: LazyArray | None = None
        self._stays = False
        self._lock = threading.Lock()

    def __reduce__(self) -> Any:
        """Pickle as what is needed to open the file again."""
        told = self.opener, self.path, self.options, self.shape, self.dtype, self.state
        return FileArray, told

    def __getitem__(self, key: Any, /) -> Any:
        """Read a box.

        Raises
        ------
        FormatError
            If the file turns out to be damaged, or is not the one that was opened any more.
        MissingExtraError
            If decoding it needs a package that is not installed.
        """
        try:
            values = np.asarray(self._opened()[key])
            if not self._stays:
                self._check_unchanged()
            return values
        except StromaError:
            raise
        except DAMAGE as error:
            raise damaged(self.path, error) from error

    def _opened(self) -> LazyArray:
        with self._lock:
            if self._array is None:
                opened, close = self.opener(self.path, **self.options)
                if close is not None:
                    weakref.finalize(self, close)
                self._check_unchanged()
                if tuple(opened.shape) != tuple(self.shape):
                    raise FormatError(
                        f"{self.path} declares {tuple(self.shape)} samples, but holds "
                        f"{tuple(opened.shape)}. It is damaged; copy or export it again."
                    )
                self._array, self._stays = opened, close is None
            return self._array

    def _check_unchanged(self) -> None:
        """Refuse a file that was written to since it was opened; one that is gone can be read."""
        now = _state(self.path)
        if self.state is not None and now is not None and now != self.state:
            raise FormatError(f"{self.path} was changed since it was opened. Open it again.")


def _state(path: Path) -> tuple[int, int] | None:
    """Return size and date of a file; None where it cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def damaged(path: Path, error: Exception) -> StromaError:
    """Return the error for a file whose bytes cannot be decoded."""
    if "imagecodecs" in str(error):  # tifffile without it decodes deflate and little else
        return MissingExtraError(
            f"{path} is compressed in a way that needs imagecodecs ({short(error)}). "
            f"Install it with: {install('formats')}"
        )
    if isinstance(error, PermissionError):
        return FileError(f"{path} cannot be read: permission denied. Check the file's rights.")
    said = "" if isinstance(error, AssertionError | LookupError) else short(error, 200)
    return FormatError(
        f"{path} cannot be read{': ' if said else ''}{said}. "
        "The file is damaged, cut short, or not what its name says; copy or export it again."
    )


@dataclass(frozen=True, eq=False)
class View:
    """An array with its axes in another order, without values being moved.

    Parameters
    ----------
    array : array-like
        The array seen.
    order : tuple of int
        For every axis of the view, the axis of ``array``; axes left out are read at 0.
    limits : mapping of int to int
        Number of samples kept along an axis of the view, from the first on.
    """

    array: LazyArray
    order: tuple[int, ...]
    limits: Mapping[int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        return tuple(self.limits.get(i, self.array.shape[a]) for i, a in enumerate(self.order))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in the byte order of this machine."""
        native: np.dtype[Any] = np.dtype(self.array.dtype).newbyteorder("=")
        return native

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices, one per axis."""
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (len(self.order) - len(keys))
        wanted: list[Any] = [0] * len(self.array.shape)
        for source, k, n in zip(self.order, keys, self.shape, strict=True):
            wanted[source] = _within(k, n)
        values = np.asarray(self.array[tuple(wanted)])
        kept = [a for a, k in zip(self.order, keys, strict=True) if isinstance(k, slice)]
        turned = values.transpose([sorted(kept).index(a) for a in kept])
        return turned.astype(self.dtype, copy=False)


def _within(key: Any, n: int) -> Any:
    """Return a position or range in an axis of n samples, counted from the start."""
    if isinstance(key, slice):
        start, stop, step = key.indices(n)
        return slice(start, max(start, stop), step)
    if not -n <= key < n:
        raise IndexError(f"Position {key} lies outside an axis of {n} samples.")
    return int(key) % n
