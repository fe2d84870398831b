"""Movies in files to tracks, and tracks to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stroma.data.image import Image
from stroma.data.tracks import Detections, Ints, Tracks
from stroma.errors import FileError, ParameterError, ShapeError
from stroma.io.cells import write_table
from stroma.io.tracks import TRACK_WRITERS, read_tracks
from stroma.io.tracks.movie import Frames, Movie, movie_of, read_frames, read_movie
from stroma.io.tracks.table import read_points
from stroma.tracking.annotated import LearnedLinks
from stroma.tracking.detect import Frame, Seen, detect
from stroma.tracking.summary import summary
from stroma.tracking.track import Linking, Motion, link
from stroma.workflow.applying.applied import result_of
from stroma.workflow.moving.frame_objects import SMALLEST
from stroma.workflow.moving.links import ENDING, load_links
from stroma.workflow.moving.movie_objects import class_of, objects_in, write_movie_objects

if TYPE_CHECKING:
    from stroma.workflow.applying.applied import Model

Progress = Callable[[int, int], None]

POINTS = (".csv", ".xml", ".geff")
"""Endings of files that hold points, not label images."""


OBJECTS = "objects"
"""Folder, among the results, of the objects that a model found."""

UNFINISHED = ".unfinished"
"""Ending of a file that is there while results are written: a run that is cut off leaves it, and
the next one takes the place of its results without being told to."""


@dataclass(frozen=True)
class TrackedFiles:
    """What was written, and what is in it.

    Parameters
    ----------
    paths : tuple of Path
        The files.
    detections, tracks, divisions : int
        How many objects in all frames, tracks, and divisions.
    """

    paths: tuple[Path, ...]
    detections: int
    tracks: int
    divisions: int


def track(
    labels: Any,
    image: Any = None,
    *,
    model: Model | None = None,
    label: int | str | None = None,
    cost: str | Path | LearnedLinks = "overlap+distance",
    solver: str = "lap",
    max_distance: float | None = None,
    max_gap: int = 1,
    divisions: bool = True,
    merges: bool = False,
    motion: Motion = "auto",
    penalties: Mapping[str, float] | None = None,
    spacing: Sequence[float] = (),
    unit: str = "px",
    exclusive: Sequence[Sequence[int]] = (),
    pinned: Ints | None = None,
    forbidden: Ints | None = None,
) -> Tracks:
    """Link the objects of a movie over time.

    Parameters
    ----------
    labels : array, path, or Detections
        (t, y, x) or (t, z, y, x) label images, or a folder or file of them; a table of points
        (``.csv`` with t, y, x); or detections made otherwise.
    image : array or path, optional
        The movie itself, for the cost "intensity", and for links that were learned with it.
    model : ConvpaintModel or Network, optional
        Finds the objects, frame by frame: ``labels`` is then the movie itself, an array
        (t, y, x) or (t, z, y, x) or a path.
    label : int or str, optional
        Class of the model whose connected parts are objects; of two classes the second.
    cost : str, path or learned links
        Names of costs joined by "+", with weights if wanted: "overlap+2*distance" (points have no
        overlap; measures of a table count as well); or links that were learned
        (`stroma.learn_links`), or the file of such.
    solver : {"lap", "greedy", "ilp", "hypotheses"}
        Frame by frame, cheapest first, all at once by integer programming, or that with beginnings
        and ends that are likely near borders and the ends of the movie.
    max_distance : float, optional
        How far an object gets from frame to frame, in ``unit``; found from the data unless given.
    max_gap : int
        Frames in which an object may be missing.
    divisions : bool
        Whether objects may divide.
    merges : bool
        Whether two objects may become one.
    motion : {"auto", "none", "brownian", "velocity"}
        Whether objects are expected where they were, where a Kalman filter thinks that they were,
        or where they were heading; "auto" looks whether they run on steadily, and else is "none".
    penalties : mapping of str to float, optional
        Measures whose difference makes two objects more distant, with weights: ``{"area": 1}``.
    spacing, unit
        Size of a pixel along each axis of space, where the files do not say it.
    exclusive, pinned, forbidden
        As for ``stroma.tracking.track.link``.

    Returns
    -------
    Tracks
        Detections and links.
    """
    how = Linking(
        cost_of(cost),
        solver,
        max_distance,
        max_gap,
        divisions,
        motion,
        penalties=penalties or {},
        merges=merges,
    )
    if model is not None:
        seen: Seen | Detections = _found(model, labels, label, tuple(spacing), unit)
    else:
        seen = _seen(labels, image, tuple(spacing), unit)
    return link(seen, how, exclusive=exclusive, pinned=pinned, forbidden=forbidden)


def cost_of(cost: str | Path | LearnedLinks) -> str | LearnedLinks:
    """Return a cost, read from its file if it was learned.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it holds no links.
    """
    if isinstance(cost, Path) or (isinstance(cost, str) and cost.endswith(ENDING)):
        return load_links(cost)
    return cost


def track_files(
    source: str | Path,
    folder: str | Path,
    *,
    how: Linking | None = None,
    image: str | Path | None = None,
    model: Model | None = None,
    label: int | str | None = None,
    smallest: int = SMALLEST,
    formats: Sequence[str] = ("ctc",),
    axes: str | None = None,
    series: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    finding: Progress | None = None,
) -> TrackedFiles:
    """Track the objects of label images, or points, in files, and write the tracks.

    Parameters
    ----------
    source : path
        Folder of label images (one a frame), a stack of them, or points: a table (``.csv``), or
        the spots of TrackMate (``.xml``) or of a graph (``.geff``), linked anew.
    folder : path
        Where results go; made if need be.
    how : Linking, optional
        How objects are linked.
    image : path, optional
        The movie itself, in the same form, for the cost "intensity".
    model : ConvpaintModel or Network, optional
        Finds the objects: the source is then the movie itself, and the objects of every frame are
        written to ``objects`` among the results. Frames that are there are not done again.
    label, smallest
        As for `stroma.workflow.moving.movie_objects.write_movie_objects`.
    formats : sequence of str
        "ctc", "trackmate", "csv", "geff", "zarr"; a picture of the lineage and, last, a table of
        tracks are written beside them.
    axes : str, optional
        Axes of a stack that does not name them.
    series : int, optional
        Which image, of the source as of ``image``, where a file holds several; the first unless
        given.
    overwrite : bool
        Replace results that are there.
    progress, finding : callable, optional
        Told how many frames are read, and in how many objects are found, and of how many.

    Raises
    ------
    FileError
        If there are results in the folder already.
    """
    source, folder = Path(source), Path(folder)
    writers = [TRACK_WRITERS[name] for name in dict.fromkeys((*formats, "lineage"))]
    _require_room(folder, source, overwrite=overwrite)
    if model is not None:
        objects = folder / OBJECTS
        how_found: dict[str, Any] = {"label": label, "smallest": smallest}
        how_found |= {"axes": axes, "series": series, "overwrite": overwrite, "progress": finding}
        write_movie_objects(model, source, objects, **how_found)
        interval = read_frames(source, axes=axes, series=series).interval
        movie: Movie | None = replace(read_movie(objects), source=str(source), interval=interval)
    else:
        points = source.suffix.lower() in POINTS
        movie = None if points else read_movie(source, axes=axes, series=series)
    pictures = None if image is None else read_movie(image, axes=axes, series=series)
    seen = _of_files(source, movie, pictures, progress)
    if movie is None:
        how = how or Linking(cost="distance")
    tracks = link(seen, how)
    folder.mkdir(parents=True, exist_ok=True)
    stem = source.stem
    table = folder / f"{stem}_table.csv"
    under_way = table.with_name(table.name + UNFINISHED)
    under_way.touch()
    written = [path for write in writers for path in write(folder, tracks, movie, stem)]
    header, rows = summary(tracks, None if movie is None else movie.numbers)
    write_table(table, header, rows)
    under_way.unlink()
    divisions = int((tracks.children > 1).sum())
    return TrackedFiles((*written, table), len(tracks.detections), tracks.count, divisions)


def _seen(labels: Any, image: Any, spacing: tuple[float, ...], unit: str) -> Seen | Detections:
    if isinstance(labels, Detections | Seen):
        return labels
    if isinstance(labels, str | Path):
        path = Path(labels)
        movie = None if path.suffix.lower() in POINTS else read_movie(path)
        return _of_files(path, movie, None if image is None else read_movie(image), None)
    movie = movie_of(np.asarray(labels))
    pictures = None if image is None else movie_of(np.asarray(image))
    return detect(_frames(movie, pictures, None), spacing=spacing, unit=unit)


def _found(
    model: Model, movie: Any, label: int | str | None, spacing: tuple[float, ...], unit: str
) -> Seen:
    """Return the objects that a model finds in a movie, and which of them overlap."""
    if isinstance(movie, str | Path):
        frames = read_frames(movie)
        first = frames.at(0)
        space = [a for a in "zyx" if a in first.sizes]
        if not spacing and all(first.spacing.get(a) for a in space):
            spacing, unit = tuple(first.spacing[a] for a in space), first.unit or unit
    else:
        values = np.asarray(movie)
        whole = Image(values, "tzyx" if values.ndim == 4 else "tyx")
        frames = Frames(tuple(range(len(values))), lambda i: whole.at(t=i))
    chosen = None if result_of(model) == "instances" else class_of(model, label)
    found = ((objects_in(model, frames.at(i), chosen), None) for i in range(len(frames)))
    return detect(found, spacing=spacing, unit=unit, interval=frames.interval)


def _of_files(
    source: Path,
    movie: Movie | None,
    pictures: Movie | None,
    progress: Progress | None,
) -> Seen | Detections:
    if movie is None:
        if pictures is not None:
            raise ParameterError("Points have no pixels, so an image says nothing about them.")
        table = source.suffix.lower() == ".csv"
        return read_points(source) if table else read_tracks(source).detections
    return detect(
        _frames(movie, pictures, progress),
        spacing=movie.spacing,
        unit=movie.unit,
        interval=movie.interval,
    )


def _frames(movie: Movie, pictures: Movie | None, progress: Progress | None) -> Iterator[Frame]:
    if pictures is not None and len(pictures) != len(movie):
        raise ShapeError(f"There are {len(movie)} frames of labels, but {len(pictures)} of images.")
    for i, labels in enumerate(movie):
        yield np.asarray(labels), None if pictures is None else pictures.read(i)
        if progress is not None:
            progress(i + 1, len(movie))


def _require_room(folder: Path, source: Path, *, overwrite: bool) -> None:
    if folder.resolve() == source.resolve():
        raise ParameterError(f"Results do not go among the label images ({folder}); name another.")
    there = sorted(
        p.name
        for pattern in (
            "mask*.tif",
            "res_track.txt",
            f"{source.stem}_t*.*",
            f"{source.stem}_lineage.svg",
        )
        for p in folder.glob(pattern)
    )
    if not there:
        return
    cut_off = f"{source.stem}_table.csv{UNFINISHED}"
    if not overwrite and not (folder / cut_off).exists():
        raise FileError(
            f"{folder} holds tracks already ({there[0]} and {len(there) - 1} more). Name another "
            "folder, or say that they may be replaced (overwrite)."
        )
    for path in folder.glob("mask*.tif"):
        path.unlink()
