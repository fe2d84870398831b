"""Feature maps of blocks, kept so that a new stroke computes none."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from stroma.features.contract import FeatureMap, in_volume

FALLBACK_BYTES = 2 * 1024**3


def free_memory() -> int:
    """Return the bytes of memory that are free, or 8 GB where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * FALLBACK_BYTES


class FeatureCache:
    """Maps by key, bounded in bytes; what was not used for longest goes first.

    Parameters
    ----------
    max_bytes : int, optional
        Bound in memory; a quarter of the memory that is free now, unless given. 0 keeps nothing.
    folder : path, optional
        Where maps that leave memory are written, and looked for; it is never emptied.
    """

    def __init__(self, max_bytes: int | None = None, folder: str | Path | None = None) -> None:
        self.max_bytes = free_memory() // 4 if max_bytes is None else max_bytes
        self.folder = None if folder is None else Path(folder)
        self._maps: OrderedDict[str, list[FeatureMap]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies, and what is sent to other processes, start empty."""
        return FeatureCache, (self.max_bytes, self.folder)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self._bytes

    def __len__(self) -> int:
        """Return the number of blocks in memory."""
        return len(self._maps)

    def borrowed(self) -> FeatureCache:
        """Return a cache that knows what this one knows, and keeps nothing itself."""
        return _Borrowed(self)

    def find(self, key: str) -> list[FeatureMap] | None:
        """Return the maps of that key, or None if they are not here."""
        with self._lock:
            if key in self._maps:
                self._maps.move_to_end(key)
                return self._maps[key]
        maps = self._load(key)
        if maps is not None:
            self.keep(key, maps)
        return maps

    def clear(self) -> None:
        """Forget everything in memory; files stay."""
        with self._lock:
            self._maps.clear()
            self._bytes = 0

    def keep(self, key: str, maps: list[FeatureMap]) -> None:
        """Keep maps under a key."""
        size = _size(maps)
        if size > self.max_bytes:
            self._save(key, maps)
            return
        with self._lock:
            if key not in self._maps:
                self._maps[key] = maps
                self._bytes += size
            dropped = []
            while self._bytes > self.max_bytes:
                dropped.append(self._maps.popitem(last=False))
                self._bytes -= _size(dropped[-1][1])
        for old, gone in dropped:
            self._save(old, gone)

    def _save(self, key: str, maps: list[FeatureMap]) -> None:
        if self.folder is None or (self.folder / f"{key}.npz").exists():
            return
        if any(m.mixes for m in maps):  # they are not arrays alone
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {f"values_{i}": m.values for i, m in enumerate(maps)}
        volumes = [in_volume(m) for m in maps]
        grid = [[*np.broadcast_to(m.step, 3), *m.origin, m.order] for m in volumes]
        arrays["grid"] = np.array(grid, np.int64)
        partial = self.folder / f"{key}.{threading.get_ident()}.partial"
        with partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        partial.replace(self.folder / f"{key}.npz")

    def _load(self, key: str) -> list[FeatureMap] | None:
        path = None if self.folder is None else self.folder / f"{key}.npz"
        if path is None or not path.exists():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return [
                    _map(arrays[f"values_{i}"], grid)
                    for i, grid in enumerate(arrays["grid"].tolist())
                ]
        except (BadZipFile, KeyError, ValueError, EOFError):
            path.unlink(missing_ok=True)  # a damaged file is as good as none: compute again
            return None


def _map(values: NDArray[Any], grid: list[int]) -> FeatureMap:
    """Return a map from what a file says of its grid.

    Raises
    ------
    ValueError
        If it says something else.
    """
    dz, dy, dx, *origin, order = grid
    return FeatureMap(values, (dz, dy, dx), tuple(origin), order)


class _Borrowed(FeatureCache):
    """What another cache knows; what it does not know is not kept."""

    def __init__(self, owner: FeatureCache) -> None:
        super().__init__(0)
        self._owner = owner

    def find(self, key: str) -> list[FeatureMap] | None:
        with self._owner._lock:
            return self._owner._maps.get(key)


def _size(maps: list[FeatureMap]) -> int:
    return sum(m.nbytes for m in maps)
