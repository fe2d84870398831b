"""Links learned from annotated tracks, and the files they are kept in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stroma.data.tracks import Tracks
from stroma.errors import FormatError, MissingFileError, ShapeError, UnknownNameError
from stroma.io.read import is_image
from stroma.io.tracks.ctc import TEXTS, continued, linked, text_of
from stroma.io.tracks.movie import Movie, read_movie
from stroma.metrics.tracking import match
from stroma.pixel.files import plain
from stroma.tracking import LEARNERS
from stroma.tracking.annotated import Annotated, LearnedLinks
from stroma.tracking.detect import Frame, Seen, detect

KIND = "links"
ENDING = ".pkl"


def learn_links(
    tracks: str | Path | Sequence[str | Path],
    labels: str | Path | Sequence[str | Path] = (),
    *,
    image: str | Path | Sequence[str | Path] = (),
    learner: str = "trees",
) -> LearnedLinks:
    """Return links learned from annotated movies.

    Parameters
    ----------
    tracks : path, or sequence of paths
        Movies whose tracks are known: folders of the Cell Tracking Challenge (label images and
        ``man_track.txt`` or ``res_track.txt``), or label images, in a folder or a stack, in which
        an object keeps its label.
    labels : path, or sequence of paths, optional
        Label images of the same movies as they will be tracked, such as those of a segmentation:
        what is learned is then how their objects follow each other.
    image : path, or sequence of paths, optional
        The movies themselves, to look at intensities too; they are needed again to track.
    learner : {"trees", "transformer"}
        Boosted trees on pairs, or a small transformer on the objects of some frames.

    Raises
    ------
    ShapeError
        If the numbers of movies or frames differ.
    LabelError
        If there is too little to learn from.
    """
    each = _paths(tracks)
    others, pictures = (_as_many(p, each) for p in (labels, image))
    movies = [annotated(*one) for one in zip(each, others, pictures, strict=True)]
    learned: LearnedLinks = LEARNERS[learner]().fit(movies)
    return learned


def annotated(tracks: Path, labels: Path | None = None, image: Path | None = None) -> Annotated:
    """Return the objects of a movie, and the links among them that are true."""
    movie = read_movie(tracks)
    pictures = None if image is None else _fitting(read_movie(image), movie, image, tracks)
    truth = _seen(movie, None if labels is not None else pictures)
    known = _known(truth, movie, tracks)
    if labels is None:
        return Annotated(truth, known.links)
    found = _fitting(read_movie(labels), movie, labels, tracks)
    seen = _seen(found, pictures)
    pairs = match(truth.detections, seen.detections, _both(movie, found))
    partner = pairs.unique(len(seen.detections))
    ours = np.full(len(truth.detections), -1, np.int64)
    ours[partner[partner >= 0]] = np.flatnonzero(partner >= 0)
    links = ours[known.links]
    return Annotated(seen, np.asarray(links[(links >= 0).all(axis=1)], np.int64))


def movies_of(folder: Path) -> list[Path]:
    """Return the movies in a folder of folders, or the one that a folder or file is."""
    if not folder.is_dir() or folder.suffix == ".zarr":
        return [folder]
    inner = [p for p in sorted(folder.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    images = any(p.is_file() and is_image(p) for p in folder.iterdir())
    return [folder] if images or not inner else inner


def _paths(given: str | Path | Sequence[str | Path]) -> list[Path]:
    every = [given] if isinstance(given, str | Path) else list(given)
    return [Path(path) for path in every]


def _as_many(
    given: str | Path | Sequence[str | Path], movies: Sequence[Path]
) -> Sequence[Path | None]:
    paths = _paths(given)
    if not paths:
        return [None] * len(movies)
    if len(paths) != len(movies):
        raise ShapeError(
            f"There are {len(movies)} movies with tracks, but {len(paths)} of {paths[0].name} and "
            "such. Give one for each, in the same order."
        )
    return paths


def _fitting(movie: Movie, other: Movie, path: Path, of: Path) -> Movie:
    if len(movie) != len(other):
        raise ShapeError(f"{path} has {len(movie)} frames, but {of} has {len(other)}.")
    return movie


def _seen(movie: Movie, pictures: Movie | None) -> Seen:
    def frames() -> Iterator[Frame]:
        for i, labels in enumerate(movie):
            yield np.asarray(labels), None if pictures is None else pictures.read(i)

    return detect(frames(), spacing=movie.spacing, unit=movie.unit, interval=movie.interval)


def _known(seen: Seen, movie: Movie, path: Path) -> Tracks:
    """Return the tracks that a text tells, or else those of objects that keep their label."""
    if not path.is_dir():
        return continued(seen.detections)
    try:
        text = text_of(path)
    except MissingFileError:
        known = continued(seen.detections)
        if len(known.links):
            return known
        raise MissingFileError(
            f"{path} has no {' or '.join(TEXTS)}, and no object keeps its label from frame to "
            "frame, so its tracks are not known."
        ) from None
    return linked(seen.detections, movie.numbers, text)


def _both(movie: Movie, found: Movie) -> Iterator[tuple[NDArray[np.generic], NDArray[np.generic]]]:
    for t, (true, ours) in enumerate(zip(movie, found, strict=True)):
        if true.shape != ours.shape:
            raise ShapeError(f"Frame {t} has tracks of shape {true.shape}, labels {ours.shape}.")
        yield true, ours


def save_links(path: str | Path, model: LearnedLinks) -> None:
    """Write learned links to a file (.pkl), as plain values and arrays.

    Raises
    ------
    FormatError
        If the name ends otherwise.
    """
    check_name(path)
    plain.write(Path(path), {"kind": KIND, **model.state()})


def check_name(path: str | Path) -> None:
    """Refuse a name that learned links cannot have."""
    if Path(path).suffix != ENDING:
        raise FormatError(f"A file of learned links ends in {ENDING}, got {Path(path).name!r}.")


def load_links(path: str | Path) -> LearnedLinks:
    """Return learned links from a file; runs nothing that the file says.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is something else, or damaged.
    """
    state = plain.read(Path(path))
    if state.get("kind") != KIND:
        raise FormatError(
            f"{path} is a model, but not one of links. `stroma learn TRACKS` with "
            "target='links' makes one."
        )
    try:
        kind = LEARNERS[str(state.get("learner", "trees"))]
        learned: LearnedLinks = kind.from_state(state)
        return learned
    except (FormatError, UnknownNameError) as error:
        raise FormatError(f"{path}: {error}") from error
