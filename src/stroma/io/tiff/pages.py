"""Large TIFFs whose pages are compressed in strips: decoded page by page, the last ones kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT_BYTES = 2**29
"""Decoded pages that are kept for the next box (512 MiB), but at least one."""


class Pages:
    """The pages of a series as one array.

    A strip is as wide as the image, so reading neighbouring boxes from strips would decode the
    same ones again and again; a page is decoded once.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
        Of an open file; every page has the same shape, the last axes of the series.
    """

    def __init__(self, series: Any) -> None:
        self.shape: tuple[int, ...] = tuple(series.shape)
        self.dtype = series.dtype
        self._series = series
        self._outer = self.shape[: len(self.shape) - _page_axes(series)]
        self._kept: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices, one per axis."""
        n = len(self._outer)
        outer, inner = key[:n], key[n:]
        numbers = np.arange(int(np.prod(self._outer))).reshape(self._outer)[outer]
        parts = [self._page(int(i))[inner] for i in numbers.ravel()]
        return (
            np.stack(parts).reshape(*numbers.shape, *parts[0].shape) if parts else self._none(key)
        )

    def _page(self, number: int) -> NDArray[Any]:
        with self._lock:
            if number not in self._kept:
                page = self._series[number].asarray(maxworkers=1)
                self._kept[number] = page.reshape(self.shape[len(self._outer) :])
                room = max(1, KEPT_BYTES // page.nbytes)
                while len(self._kept) > room:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(number)
            return self._kept[number]

    def _none(self, key: Any) -> NDArray[Any]:
        lengths = [
            len(range(*k.indices(n)))
            for k, n in zip(key, self.shape, strict=True)
            if isinstance(k, slice)
        ]
        return np.zeros(lengths, self.dtype)


def fits(series: Any) -> bool:
    """Tell whether a series consists of whole pages in strips, none too large to decode."""
    page = series.keyframe
    small = page.nbytes <= KEPT_BYTES
    return bool(not page.is_tiled and small and _page_axes(series) and len(series) > 0)


def _page_axes(series: Any) -> int:
    """Return how many of the last axes of a series one page holds; 0 if they do not match."""
    page = tuple(n for n in series.keyframe.shape if n > 1)
    for count in range(2, len(series.shape) + 1):
        inner = tuple(n for n in series.shape[-count:] if n > 1)
        outer = int(np.prod(series.shape[: len(series.shape) - count]))
        if inner == page and outer == len(series):
            return count
    return 0
