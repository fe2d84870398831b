"""What a network made of windows of an image, in memory or in a folder on disk."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Levels = list[NDArray[np.float32]]
"""Maps of one window, the finest first."""

DONE = "levels"
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
        if self._path is None or not self._path.exists():
            return None
        import zarr

        group = zarr.open_group(self._path, mode="r").get(str(number))
        if not isinstance(group, zarr.Group) or DONE not in group.attrs:  # writing was cut short
            return None
        count = int(str(group.attrs[DONE]))
        return [np.asarray(group[str(i)], np.float32) for i in range(count)]

    def _write(self, number: int, levels: Levels) -> None:
        if self._path is None:
            return
        import zarr

        group = zarr.open_group(self._path, mode="a").create_group(str(number), overwrite=True)
        for i, values in enumerate(levels):
            group.create_array(str(i), data=values)
        group.attrs[DONE] = len(levels)


def name_of(key: str, image: NDArray[np.generic], *, rgb: bool) -> str:
    """Return the name under which the maps of an image are kept, by all that they depend on."""
    total = hashlib.blake2b(f"{key} {image.dtype.str} {image.shape} {rgb}".encode(), digest_size=16)
    total.update(np.ascontiguousarray(image).data)
    return total.hexdigest()
