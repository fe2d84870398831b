"""What a network made of windows of an image, in memory or in a folder on disk."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Levels = list[NDArray[np.float32]]
"""Maps of one window, the finest first."""

logger = logging.getLogger(__name__)

DONE = "levels"
"""Attribute of a window that was written whole: a digest of each of its maps."""

DAMAGED = (KeyError, TypeError, ValueError, RuntimeError, OSError)
"""What reading of damaged files raises."""

IN_MEMORY = 8
"""Windows that are held where all are on disk."""


class Kept:
    """Maps by the number of their window.

    Parameters
    ----------
    folder : Path or None
        Where they are kept as one zarr group for an image; only in memory, if None.
    name : str
        Of the group.
    """

    def __init__(self, folder: Path | None = None, name: str = "") -> None:
        self._held: OrderedDict[int, Levels] = OrderedDict()
        self._path = folder / f"{name}.zarr" if folder else None

    def get(self, number: int) -> Levels | None:
        """Return the maps of a window; None where they are not kept."""
        if number not in self._held and (read := self._read(number)) is not None:
            self._hold(number, read)
        if number in self._held:
            self._held.move_to_end(number)
        return self._held.get(number)

    def put(self, number: int, levels: Levels) -> None:
        """Keep the maps of a window."""
        self._hold(number, levels)
        self._write(number, levels)

    def _hold(self, number: int, levels: Levels) -> None:
        self._held[number] = levels
        while self._path and len(self._held) > IN_MEMORY:
            self._held.popitem(last=False)

    def _read(self, number: int) -> Levels | None:
        """Return the maps of a window from disk; None where they are not there, or not whole."""
        if self._path is None or not self._path.exists():
            return None
        import zarr

        try:
            group: Any = zarr.open_group(self._path, mode="r")[str(number)]
            known = list(group.attrs[DONE])
            found = [np.asarray(group[str(i)], np.float32) for i in range(len(known))]
        except DAMAGED:
            return None
        # parts of a file that are missing read as zeros
        return found if [_digest(values) for values in found] == known else None

    def _write(self, number: int, levels: Levels) -> None:
        """Write the maps of a window, if that can be; they are held anyway."""
        if self._path is None:
            return
        try:
            self._put(self._path, number, levels)
        except OSError as error:
            logger.warning("What a network made of an image is not kept on disk: %s", error)

    def _put(self, path: Path, number: int, levels: Levels) -> None:
        import zarr

        try:
            image = zarr.open_group(path, mode="a")
        except DAMAGED:
            image = zarr.open_group(path, mode="w")
        group = image.create_group(str(number), overwrite=True)
        for i, values in enumerate(levels):
            group.create_array(str(i), data=values)
        group.attrs[DONE] = [_digest(values) for values in levels]


def _digest(values: NDArray[np.float32]) -> str:
    total = hashlib.blake2b(str(values.shape).encode(), digest_size=16)
    total.update(np.ascontiguousarray(values).data)
    return total.hexdigest()


def name_of(key: str, image: NDArray[np.generic], *, rgb: bool) -> str:
    """Return the name under which the maps of an image are kept, by all that they depend on."""
    total = hashlib.blake2b(f"{key} {image.dtype.str} {image.shape} {rgb}".encode(), digest_size=16)
    total.update(np.ascontiguousarray(image).data)
    return total.hexdigest()
