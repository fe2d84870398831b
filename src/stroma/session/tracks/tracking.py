"""Tracking the movies of a session, and correcting what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.tracks import Ints, Tracks
from stroma.errors import MissingFileError, ParameterError, ShapeError
from stroma.io.tracks import TRACK_WRITERS
from stroma.io.tracks.movie import Movie, movie_of, read_movie
from stroma.session.core.core import Core
from stroma.session.events import Event, ImageClosed
from stroma.session.tracks.bench import TrackBench
from stroma.session.tracks.book import Book, Node, Row, frames_of
from stroma.session.tracks.operations import CorrectTracks, SetTracks
from stroma.tracking.detect import Seen, detect
from stroma.tracking.track import Linking, link


@dataclass(frozen=True, eq=False)
class Known:
    """Label images that are in memory, and the objects in them.

    Parameters
    ----------
    movie : Movie
        The label images.
    seen : Seen
        What is in them.
    """

    movie: Movie
    seen: Seen

    @cached_property
    def nodes(self) -> list[Node]:
        """Frame and label of every object, as the detections are ordered."""
        found = self.seen.detections
        return list(zip(found.frame.tolist(), found.label.tolist(), strict=True))

    def without(self, removed: set[Row]) -> tuple[Seen, list[Node]]:
        """Return the objects that are left when some are removed, and what they are called."""
        kept = np.array([node not in removed for node in self.nodes], np.bool_)
        left = [node for node, stays in zip(self.nodes, kept, strict=True) if stays]
        return self.seen.only(kept), left


class Tracking:
    """Tracks of movies; corrections are steps that can be undone.

    Parameters
    ----------
    core : Core
        Of which session.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self._movies: dict[str, Known] = {}
        core.listen(self._forget)

    def _forget(self, event: Event) -> None:
        if isinstance(event, ImageClosed):
            self._movies.pop(event.image, None)

    @property
    def _bench(self) -> TrackBench:
        return self.core.bench(TrackBench)

    def track(self, image: str, labels: Any, *, how: Linking | None = None) -> Tracks:
        """Track the objects of a movie, and keep the tracks.

        Parameters
        ----------
        image : str
            Key of the movie.
        labels : path or array
            Its label images: a folder or file, or (t, y, x) or (t, z, y, x) values. Where they
            are is kept in the project, but not they themselves.
        how : Linking, optional
            How objects are linked.

        Raises
        ------
        ShapeError
            If there are not as many frames of labels as the movie has.
        """
        movie, source = _movie(labels)
        frames = frames_of(self.core.document.sheet(image).sizes)
        if frames != len(movie):
            raise ShapeError(f"The movie has {frames} frames, its labels {len(movie)}.")
        return self._linked(image, Known(movie, _seen(movie)), source, how)

    def solve_tracks(self, image: str, *, how: Linking | None = None) -> Tracks:
        """Link the objects of a movie again; what was corrected stays as it was corrected.

        Raises
        ------
        ParameterError
            If the movie was not tracked before.
        MissingFileError
            If its label images are not where they were.
        """
        return self._linked(image, self._known(image), self._book(image).source, how)

    def _linked(self, image: str, known: Known, source: str, how: Linking | None) -> Tracks:
        pinned, forbidden, removed = set[Row](), set[Row](), set[Row]()
        with self.core.lock:
            tables = self._book(image).tables
            if set(known.nodes) == tables["objects"]:
                pinned, forbidden = set(tables["pinned"]), set(tables["forbidden"])
                removed = set(tables["removed"])
        part, left = known.without(removed)
        tracks = link(part, how, pinned=_among(pinned, left), forbidden=_among(forbidden, left))
        found = tuple((*left[i], *left[j]) for i, j in tracks.links.tolist())
        with self.core.lock:
            self._book(image)  # it may be closed by now
            self._movies[image] = known
            self.core.do(SetTracks(image, source, tuple(known.nodes), found))
        return tracks

    def tracks(self, image: str) -> Tracks:
        """Return the tracks of a movie, corrected as they are now.

        Raises
        ------
        ParameterError
            If the movie was not tracked yet.
        MissingFileError
            If its label images are not where they were.
        """
        known = self._known(image)
        with self.core.lock:
            tables = self._book(image).tables
            links, removed = set(tables["links"]), set(tables["removed"])
        part, left = known.without(removed)
        return Tracks(part.detections, _among(links, left))

    def has_tracks(self, image: str) -> bool:
        """Tell whether a movie was tracked."""
        return bool(self._book(image).tables["objects"])

    def correct_tracks(self, image: str, kind: str, objects: Sequence[Node]) -> None:
        """Correct the tracks of a movie, see `stroma.session.tracks.book`.

        Parameters
        ----------
        image : str
            Key of the movie.
        kind : {"link", "unlink", "divide", "merge", "swap", "delete"}
            "link" and "unlink" an earlier and a later object; "divide" a mother into two daughters;
            "merge" two objects into a later one; "swap" what becomes of two objects of a frame;
            "delete" an object.
        objects : sequence of (frame, label)
            As they are called in the label images.

        Raises
        ------
        ParameterError
            If it does not fit what is there.
        """
        if not self.has_tracks(image):
            raise self._untracked(image)
        given = tuple((int(frame), int(label)) for frame, label in objects)
        self.core.do(CorrectTracks(image, kind, given))

    def export_tracks(
        self, image: str, folder: str | Path, *, formats: Sequence[str] = ("ctc",)
    ) -> tuple[Path, ...]:
        """Write the tracks of a movie, and return the files.

        Parameters
        ----------
        image : str
            Key of the movie.
        folder : path
            Where files go; made if need be.
        formats : sequence of str
            "ctc", "trackmate", "csv", "geff", "zarr".
        """
        writers = [TRACK_WRITERS[name] for name in formats]
        tracks, movie = self.tracks(image), self._known(image).movie
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        stem = Path(self.core.document.sheet(image).name).stem or "movie"
        return tuple(p for write in writers for p in write(target, tracks, movie, stem))

    def _book(self, image: str) -> Book:
        with self.core.lock:
            self.core.document.sheet(image)  # which says if there is no such image
            return self._bench.books[image]

    def _untracked(self, image: str) -> ParameterError:
        name = self.core.document.sheet(image).name
        return ParameterError(f"{name!r} has no tracks yet. Call track(image, labels).")

    def _known(self, image: str) -> Known:
        """Return the label images of a movie and their objects, read again if need be.

        Those in memory may be others: what was tracked last may have been undone.
        """
        with self.core.lock:
            book, known = self._book(image), self._movies.get(image)
            objects, source = set(book.tables["objects"]), book.source
        if known is not None and set(known.nodes) == objects:
            return known
        if not objects:
            raise self._untracked(image)
        if not source or not Path(source).exists():
            raise MissingFileError(
                f"The label images of the tracks are not there ({source or 'in memory'}). "
                "Put them back, or track(image, labels) again with where they are."
            )
        movie = read_movie(source)
        known = Known(movie, _seen(movie))
        if set(known.nodes) != objects:
            raise ShapeError(
                f"The objects in {source} are others than those that were tracked. Put "
                "the label images back, or track them anew."
            )
        self._movies[image] = known
        return known


def _movie(labels: Any) -> tuple[Movie, str]:
    if isinstance(labels, str | Path):
        return read_movie(labels), str(Path(labels).resolve())
    return movie_of(np.asarray(labels)), ""


def _seen(movie: Movie) -> Seen:
    return detect(
        ((np.asarray(labels), None) for labels in movie),
        spacing=movie.spacing,
        unit=movie.unit,
        interval=movie.interval,
    )


def _among(rows: set[Row], left: Sequence[Node]) -> Ints:
    """Return links as positions of the objects that are left."""
    at = {node: i for i, node in enumerate(left)}
    pairs = (((r[0], r[1]), (r[2], r[3])) for r in sorted(rows))
    found = [(at[a], at[b]) for a, b in pairs if a in at and b in at]
    return np.array(found, np.int64).reshape(-1, 2)
