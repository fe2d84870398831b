"""The label images of a movie as one OME-Zarr, relabelled by track."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stroma.data.image import Image
from stroma.data.tracks import Tracks
from stroma.errors import ParameterError
from stroma.io.tracks.ctc import relabelled
from stroma.io.tracks.movie import Movie
from stroma.io.write import write_labels


class _Relabelled:
    """Frames that are read and relabelled when they are asked for, as an array (t, ...)."""

    def __init__(self, tracks: Tracks, movie: Movie) -> None:
        self.tracks, self.movie = tracks, movie
        self.shape = (len(movie), *np.shape(movie.read(0)))
        self.dtype = np.dtype(np.uint16 if tracks.count < 2**16 else np.uint32)
        self._last: tuple[int, np.ndarray] | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, key: tuple[int | slice, ...]) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        first, rest = key[0], key[1:]
        if isinstance(first, slice):
            frames = range(*first.indices(len(self.movie)))
            return np.stack([self._frame(t)[rest] for t in frames])
        return np.asarray(self._frame(int(first))[rest])

    def _frame(self, t: int) -> np.ndarray:
        if self._last is None or self._last[0] != t:
            numbers = self.tracks.track
            self._last = t, relabelled(self.movie.read(t), self.tracks, t, numbers, self.dtype)
        return self._last[1]


def write(folder: Path, tracks: Tracks, movie: Movie | None, stem: str) -> list[Path]:
    """Write ``STEM_tracks.zarr``: the label of every object is its track, through gaps too.

    A frame is in memory at a time.

    Raises
    ------
    ParameterError
        If there are no label images.
    """
    if movie is None:
        raise ParameterError(
            "An image relabelled by track needs label images, and points have none. Write csv, "
            "geff or trackmate."
        )
    path = folder / f"{stem}_tracks.zarr"
    array = _Relabelled(tracks, movie)
    axes = "t" + "zyx"[-(array.ndim - 1) :]
    spacing = dict(zip(axes[1:], movie.spacing, strict=True)) if movie.spacing else {}
    if movie.interval:
        spacing["t"] = movie.interval
    like = Image(array, axes, spacing=spacing, unit=movie.unit if movie.spacing else "")
    write_labels(path, array, like=like)
    return [path]
