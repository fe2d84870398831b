"""A movie of label images: a folder of files, one for each frame, or one stack."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import LabelError, MissingFileError, ShapeError
from stroma.io.read import is_image, read_image

NUMBER = re.compile(r"(\d+)(?!.*\d)")


@dataclass(frozen=True, eq=False)
class Movie:
    """Frames that are read one at a time.

    Parameters
    ----------
    numbers : tuple of int
        What each frame is called; 0, 1, 2 ... unless files say otherwise.
    read : callable
        Returns the (y, x) or (z, y, x) values of the frame at a position.
    spacing : tuple of float
        Size of a pixel along z (where there is one), y and x; empty where it is not known.
    unit : str
        Of the spacing.
    interval : float or None
        Seconds between frames.
    source : str
        Where it came from.
    """

    numbers: tuple[int, ...]
    read: Callable[[int], NDArray[np.generic]] = field(repr=False)
    spacing: tuple[float, ...] = ()
    unit: str = "px"
    interval: float | None = None
    source: str = ""

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.numbers)

    def __iter__(self) -> Iterator[NDArray[np.generic]]:
        """Yield the frames."""
        return (self.read(i) for i in range(len(self)))


def movie_of(array: NDArray[np.generic]) -> Movie:
    """Return an array whose first axis is time as a movie.

    Raises
    ------
    ShapeError
        If it is not (t, y, x) or (t, z, y, x).
    """
    if array.ndim not in (3, 4):
        raise ShapeError(f"A movie is (t, y, x) or (t, z, y, x), got shape {array.shape}.")
    return Movie(tuple(range(len(array))), lambda i: np.asarray(array[i]))


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of a movie as images, channels and all, read when they are asked for.

    Parameters
    ----------
    numbers : tuple of int
        What each frame is called.
    at : callable
        Returns the image of the frame at a position; of a stack, a cut of it, which knows the
        statistics of the whole.
    interval : float or None
        Seconds between frames.
    """

    numbers: tuple[int, ...]
    at: Callable[[int], Image] = field(repr=False)
    interval: float | None = None

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.numbers)


def read_movie(path: str | Path, *, axes: str | None = None, series: int | None = None) -> Movie:
    """Return a movie: a folder with one file a frame, in the order of their numbers, or a stack.

    Parameters
    ----------
    path : path
        Folder or file. Of a stack whose axes are not named, the first is time.
    axes : str, optional
        Axes of the file, such as "tzyx", where it does not name them.
    series : int, optional
        Which image, where a file holds several; the first unless given.

    Raises
    ------
    MissingFileError
        If there is no image.
    ShapeError
        If a file has channels, or frames are no planes or volumes.
    """
    frames = read_frames(path, axes=axes, series=series)
    first = _without_channels(frames.at(0))
    space = [a for a in "zyx" if a in first.sizes]
    known = all(first.spacing.get(a) for a in space)

    def read(i: int) -> NDArray[np.generic]:
        return np.asarray(_without_channels(frames.at(i)).read())

    return Movie(
        frames.numbers,
        read,
        tuple(float(first.spacing[a]) for a in space) if known else (),
        first.unit if known and first.unit else "px",
        frames.interval,
        str(path),
    )


def read_frames(path: str | Path, *, axes: str | None = None, series: int | None = None) -> Frames:
    """Return the frames of a movie as images; as `read_movie`, but channels may be several."""
    path = Path(path)
    if path.is_dir() and path.suffix != ".zarr":
        order = _numbered(path)
        _require_all(path, [n for n, _ in order])
        return Frames(
            tuple(n for n, _ in order), lambda i: read_image(order[i][1], axes=axes, series=series)
        )
    image = read_image(path, axes=axes, series=series)
    time = next((a for a in "tz" if a in image.sizes), None)
    if time is None:
        raise ShapeError(
            f"{path} is a single image of {dict(image.sizes)}; tracks need several frames: a "
            "stack, or a folder with one file for each."
        )
    numbers = tuple(range(image.sizes[time]))
    return Frames(numbers, lambda i: image.at(**{time: i}), image.spacing.get("t"))


def _numbered(path: Path) -> list[tuple[int, Path]]:
    """Return the files of a folder that are called alike but for a number, by that number."""
    files = [p for p in sorted(path.iterdir()) if is_image(p) and not p.name.startswith(".")]
    alike: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    for file in files:
        number = NUMBER.search(file.stem)
        if number:
            kind = file.stem[: number.start()], file.stem[number.end() :] + file.suffix.lower()
            alike.setdefault(kind, []).append((int(number[1]), file))
    if not files:
        raise MissingFileError(f"There are no images in {path}.")
    if not alike:
        raise LabelError(
            f"{files[0]} has no number in its name, so its place in the movie is not known. "
            "Name the files of a movie like t000.tif, t001.tif, ..."
        )
    largest, *others = sorted(alike.values(), key=len, reverse=True)
    if others and len(others[0]) > 1:
        raise LabelError(
            f"{path} holds files of several kinds ({largest[0][1].name} and "
            f"{others[0][0][1].name}); a movie is a folder of its own."
        )
    return sorted(largest)


def _require_all(path: Path, numbers: Sequence[int]) -> None:
    twice = [n for n, m in itertools.pairwise(numbers) if n == m]
    if twice:
        raise LabelError(f"{path} has several files with the number {twice[0]}.")
    lacking = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if lacking:
        raise MissingFileError(
            f"{path} lacks {len(lacking)} frames, the first of them number {lacking[0]}."
        )


def _without_channels(image: Image) -> Image:
    if image.sizes.get("c", 1) > 1:
        raise ShapeError(
            f"{image.source} has {image.sizes['c']} channels; label images have one value a pixel."
        )
    return image.at(c=0) if "c" in image.sizes else image
